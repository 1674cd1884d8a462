#include "jsonerror.h"

#include <stdio.h>
#include <string.h>

#include "text.h"
#include "words.h"

enum { CONTEXT = 10 };

static bool is_inside(char c) { return (c & 0xC0) == 0x80; }  // a code point

// around puts what V8 shows of the text: all of a short one, else ten characters on either side.
static void around(Buffer *b, const char *text, size_t len, size_t at) {
  size_t from = 0, to = len;
  if (len > 2 * CONTEXT) {
    from = to = at;
    for (int i = 0; i < CONTEXT; i++) {
      if (from > 0) do from--; while (from > 0 && is_inside(text[from]));
      if (to < len) do to++; while (to < len && is_inside(text[to]));
    }
  }
  if (from > 0) buffer_text(b, "...");
  buffer_byte(b, '"');
  buffer_put(b, text + from, to - from);
  buffer_byte(b, '"');
  if (to < len) buffer_text(b, "...");
}

// What programs print by mistake has a message of its own.
static bool is_special(const char *text, size_t len) {
  return text_is(text, len, "undefined") || text_is(text, len, "NaN") || text_is(text, len, "Infinity") ||
         text_is(text, len, "[object Object]");
}

static void unexpected(Buffer *b, const char *text, size_t len, const char *token) {
  if (!is_special(text, len)) {
    size_t n;
    utf8_decode((const uint8_t *)token, text + len - token, &n);
    buffer_text(b, "Unexpected token '");
    buffer_put(b, token, n);
    buffer_text(b, "', ");
  }
  around(b, text, len, token - text);
  buffer_text(b, " is not valid JSON");
}

// After a comma V8 expects no end of the object.
static void property_name(Buffer *b, const char *text, size_t len, const char *message) {
  static const char said[] = "Expected property name or '}'";
  const char *rest = message + sizeof said - 1;
  size_t at = 0;
  sscanf(rest, " in JSON at position %zu", &at);
  if (at > len) at = len;
  while (at > 0 && strchr(" \t\r\n", text[at - 1])) at--;
  bool after_comma = at > 0 && text[at - 1] == ',';
  buffer_text(b, after_comma ? "Expected double-quoted property name" : said);
  buffer_text(b, rest);
}

// stray is the first character outside of strings that JSON has in strings only; NULL: there is none.
static const char *stray(const char *text, size_t len) {
  bool quoted = false;
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '\\' && quoted)
      i++;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] & 0x80))
      return text + i;
  }
  return NULL;
}

static void reword(Buffer *b, const char *text, size_t len, const char *message) {
  bool foreign = strncmp(message, "Unexpected token '\\u", 20) == 0;
  const char *token = foreign ? stray(text, len) : words_token();
  if (strncmp(message, "Unexpected token '", 18) == 0 && token && token >= text && token < text + len)
    unexpected(b, text, len, token);
  else if (strncmp(message, "Expected property name", 22) == 0)
    property_name(b, text, len, message);
  else
    buffer_text(b, message);
  buffer_byte(b, 0);
}

JSValue json_reword(JSContext *ctx, const char *text, size_t len) {
  JSValue error = JS_GetException(ctx), name = JS_GetPropertyStr(ctx, error, "name");
  Text said;
  bool syntax = usv_text(ctx, name, &said) && text_is(said.data, said.len, "SyntaxError");
  text_free(ctx, &said);
  JS_FreeValue(ctx, name);
  if (!syntax) return JS_Throw(ctx, error);
  JSValue message = JS_GetPropertyStr(ctx, error, "message");
  Buffer b = {0};
  if (usv_text(ctx, message, &said)) {
    reword(&b, text, len, said.data);
    text_free(ctx, &said);
  }
  JS_FreeValue(ctx, message);
  JS_FreeValue(ctx, error);
  if (buffer_ok(ctx, &b)) JS_ThrowSyntaxError(ctx, "%s", b.data);
  buffer_free(&b);
  return JS_EXCEPTION;
}
