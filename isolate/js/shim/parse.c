#include "parse.h"

#include <string.h>

#include "jsonerror.h"
#include "text.h"

enum { KEYS = 64, MAX_DIGITS = 15, MAX_TENS = 22, INT_DIGITS = 9 };

typedef struct {
  const char *text;
  size_t len;
  JSAtom atom;
} Key;

typedef struct {
  JSContext *ctx;
  const char *at;   // the text ends in a NUL, which no value contains
  JSValue *values;  // elements of the arrays that are open
  uint32_t count, room, depth;
  Key keys[KEYS];  // the same few names come again and again
  bool deep;       // too deep: that is thrown, anything else is the engine's to say
} Parser;

static JSValue engine_parse;

static JSValue value(Parser *);

static char skip_space(Parser *p) {
  while (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t') p->at++;
  return *p->at;
}

static bool take(Parser *p, char c) {
  if (skip_space(p) != c) return false;
  p->at++;
  return true;
}

// ---- numbers

static uint64_t digits(Parser *p, int *count) {
  uint64_t number = 0;
  for (; is_digit(*p->at); p->at++, ++*count)
    if (*count < MAX_DIGITS + 4) number = number * 10 + (*p->at - '0');
  return number;
}

// exact is what the whole text of a number is when no rounding can go wrong: both factors are
// doubles without one (Clinger, 1990). Others are the engine's.
static JSValue exact(Parser *p, const char *from, bool minus, uint64_t number, int count, int tens) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  double value = number;
  if (count > MAX_DIGITS || tens > MAX_TENS || tens < -MAX_TENS) {
    JSValue text = JS_NewStringLen(p->ctx, from, p->at - from);
    bool ok = !JS_IsException(text) && JS_ToFloat64(p->ctx, &value, text) == 0;
    JS_FreeValue(p->ctx, text);
    return ok ? JS_NewNumber(p->ctx, value) : JS_EXCEPTION;
  }
  value = tens < 0 ? value / powers[-tens] : value * powers[tens];
  return JS_NewNumber(p->ctx, minus ? -value : value);
}

static JSValue number(Parser *p) {
  const char *from = p->at;
  bool minus = *p->at == '-';
  int count = 0, tens = 0, all;
  p->at += minus;
  bool zero = *p->at == '0';
  uint64_t n = digits(p, &count);
  if (count == 0 || (zero && count > 1)) return JS_EXCEPTION;
  all = count;
  if (*p->at == '.') {
    p->at++;
    for (; is_digit(*p->at); p->at++, all++)
      if (all < MAX_DIGITS + 4) n = n * 10 + (*p->at - '0');
    tens = count - all;
    if (tens == 0) return JS_EXCEPTION;
  } else if (*p->at != 'e' && *p->at != 'E' && count <= INT_DIGITS && (n || !minus)) {
    return JS_NewInt32(minus ? -(int32_t)n : (int32_t)n);
  }
  if (*p->at == 'e' || *p->at == 'E') {
    p->at++;
    bool down = *p->at == '-';
    p->at += down || *p->at == '+';
    int places = 0;
    uint64_t exponent = digits(p, &places);
    if (places == 0) return JS_EXCEPTION;
    if (places > 4) exponent = 9999;
    tens += down ? -(int)exponent : (int)exponent;
  }
  return exact(p, from, minus, n, all, tens);
}

// ---- strings

// plain_end is where the text of a string stops being plain: at its quote, an escape or what is
// not allowed in one.
static const char *plain_end(const char *s) {
  while ((uint8_t)*s >= 0x20 && *s != '"' && *s != '\\') s++;
  return s;
}

static int32_t unit(const char *s) {
  int32_t unit = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_value(s[i]);
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

static bool unescape_unit(Parser *p, Buffer *b) {
  int32_t first = unit(p->at), second;
  if (first < 0 || (first & 0xFC00) == 0xDC00) return false;
  p->at += 4;
  if ((first & 0xFC00) != 0xD800) {
    utf8_put(b, first);
    return true;
  }
  if (p->at[0] != '\\' || p->at[1] != 'u' || (second = unit(p->at + 2)) < 0 || (second & 0xFC00) != 0xDC00) return false;
  p->at += 6;
  utf8_put(b, 0x10000 + ((first & 0x3FF) << 10 | (second & 0x3FF)));
  return true;
}

static bool unescape(Parser *p, Buffer *b) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  char c = *++p->at;
  if (c) p->at++;
  if (c == 'u') return unescape_unit(p, b);
  const char *found = c ? strchr(from, c) : NULL;
  if (found) buffer_byte(b, to[found - from]);
  return found != NULL;
}

// escaped collects a string with escapes in it, from its first character on.
static bool escaped(Parser *p, Buffer *b) {
  for (;;) {
    const char *end = plain_end(p->at);
    buffer_put(b, p->at, end - p->at);
    p->at = end;
    if (*end == '"') {
      p->at++;
      return !b->failed;
    }
    if (*end != '\\' || !unescape(p, b)) return false;
  }
}

static JSValue string(Parser *p) {
  const char *from = ++p->at, *end = plain_end(from);
  if (*end == '"') {
    p->at = end + 1;
    return JS_NewStringLen(p->ctx, from, end - from);
  }
  Buffer b = {0};
  JSValue text = escaped(p, &b) ? JS_NewStringLen(p->ctx, b.data, b.len) : JS_EXCEPTION;
  buffer_free(&b);
  return text;
}

// ---- objects

static bool escaped_name(Parser *p, JSAtom *name) {
  Buffer b = {0};
  bool ok = escaped(p, &b);
  *name = ok ? JS_NewAtomLen(p->ctx, b.data, b.len) : 0;
  buffer_free(&b);
  return *name != 0;
}

// name_of takes a member's name. The atom is the caller's.
static bool name_of(Parser *p, JSAtom *name) {
  if (!take(p, '"')) return false;
  const char *from = p->at, *end = plain_end(from);
  size_t len = end - from;
  if (*end != '"') return escaped_name(p, name);
  p->at = end + 1;
  Key *key = &p->keys[len > 0 ? (len * 7 + from[0] * 5 + from[len - 1]) % KEYS : 0];
  if (!key->text || key->len != len || memcmp(key->text, from, len) != 0) {
    JSAtom atom = JS_NewAtomLen(p->ctx, from, len);
    if (!atom) return false;
    if (key->text) JS_FreeAtom(p->ctx, key->atom);
    *key = (Key){from, len, atom};
  }
  *name = JS_DupAtom(p->ctx, key->atom);
  return true;
}

static bool member(Parser *p, JSValueConst object) {
  JSAtom name;
  if (!name_of(p, &name)) return false;
  JSValue v = take(p, ':') ? value(p) : JS_EXCEPTION;
  bool ok = !JS_IsException(v) && JS_DefinePropertyValue(p->ctx, object, name, v, CONFIGURABLE | WRITABLE | ENUMERABLE) >= 0;
  JS_FreeAtom(p->ctx, name);
  return ok;
}

static JSValue object(Parser *p) {
  JSValue made = JS_NewObject(p->ctx);
  bool ok = !JS_IsException(made);
  p->at++;
  if (ok && take(p, '}')) return made;
  do ok = ok && member(p, made);
  while (ok && take(p, ','));
  if (ok && take(p, '}')) return made;
  JS_FreeValue(p->ctx, made);
  return JS_EXCEPTION;
}

// ---- arrays

static bool push(Parser *p, JSValue v) {
  if (JS_IsException(v)) return false;
  if (p->count == p->room) {
    uint32_t room = p->room ? p->room * 2 : 32;
    JSValue *values = js_realloc(p->ctx, p->values, room * sizeof *values);
    if (!values) {
      JS_FreeValue(p->ctx, v);
      return false;
    }
    p->values = values;
    p->room = room;
  }
  p->values[p->count++] = v;
  return true;
}

static JSValue array(Parser *p) {
  uint32_t from = p->count;
  p->at++;
  if (take(p, ']')) return JS_NewArray(p->ctx);
  bool ok;
  do ok = push(p, value(p));
  while (ok && take(p, ','));
  if (!ok || !take(p, ']')) return JS_EXCEPTION;  // parse() frees the elements
  uint32_t len = p->count - from;
  p->count = from;
  return JS_NewArrayFrom(p->ctx, len, p->values + from);
}

// ---- all values

static JSValue word(Parser *p, const char *word, JSValue v) {
  size_t len = strlen(word);
  if (strncmp(p->at, word, len) != 0) return JS_EXCEPTION;
  p->at += len;
  return v;
}

static JSValue nested(Parser *p, JSValue (*container)(Parser *)) {
  if (p->depth == MAX_JSON_DEPTH) {
    p->deep = true;
    return JS_EXCEPTION;
  }
  p->depth++;
  JSValue v = container(p);
  p->depth--;
  return v;
}

static JSValue value(Parser *p) {
  switch (skip_space(p)) {
    case '{':
      return nested(p, object);
    case '[':
      return nested(p, array);
    case '"':
      return string(p);
    case 't':
      return word(p, "true", JS_TRUE);
    case 'f':
      return word(p, "false", JS_FALSE);
    case 'n':
      return word(p, "null", JS_NULL);
  }
  return number(p);
}

static JSValue parse(Parser *p) {
  JSValue v = value(p);
  if (!JS_IsException(v) && skip_space(p) != 0) {
    JS_FreeValue(p->ctx, v);
    v = JS_EXCEPTION;
  }
  while (p->count > 0) JS_FreeValue(p->ctx, p->values[--p->count]);
  js_free(p->ctx, p->values);
  for (int i = 0; i < KEYS; i++)
    if (p->keys[i].text) JS_FreeAtom(p->ctx, p->keys[i].atom);
  return v;
}

static bool is_ours(const char *s, size_t n) { return !memchr(s, 0, n) && !utf8_has_lone(s, n); }

static size_t string_end(const char *s, size_t n, size_t i) {
  for (i++; i < n && s[i] != '"'; i++)
    if (s[i] == '\\') i++;
  return i;
}

// is_deep counts brackets, for what the engine is to parse.
static bool is_deep(const char *s, size_t n) {
  int depth = 0;
  for (size_t i = 0; i < n; i++) {
    if (s[i] == '"') i = string_end(s, n, i);
    if (i >= n) break;
    if (s[i] == ']' || s[i] == '}') depth--;
    if ((s[i] == '[' || s[i] == '{') && ++depth > MAX_JSON_DEPTH) return true;
  }
  return false;
}

// parse_text is the value, or an exception with `ours` saying whether it is to be thrown: the
// engine has the word otherwise.
static JSValue parse_text(JSContext *ctx, const char *s, size_t n, bool *ours) {
  Parser p = {.ctx = ctx, .at = s};
  JSValue v = JS_EXCEPTION;
  if (is_ours(s, n)) {
    v = parse(&p);
    if (JS_IsException(v) && !p.deep) JS_FreeValue(ctx, JS_GetException(ctx));  // none, or that memory is short: it will be again
  } else {
    p.deep = is_deep(s, n);
  }
  *ours = p.deep;
  if (p.deep) JS_ThrowRangeError(ctx, "JSON is nested too deeply (limit %d)", MAX_JSON_DEPTH);
  return v;
}

JSValue parse_json(JSContext *ctx, const char *terminated, size_t n, const char *file) {
  bool ours;
  JSValue v = parse_text(ctx, terminated, n, &ours);
  if (!JS_IsException(v) || ours) return v;
  v = JS_ParseJSON(ctx, terminated, n, file ? file : "<body>");
  return JS_IsException(v) && !file ? json_reword(ctx, terminated, n) : v;
}

// of_string parses without a reviver. False: it is the engine's to parse.
static bool of_string(JSContext *ctx, JSValueConst text, JSValue *v) {
  size_t len;
  const char *s = JS_ToCStringLen2(ctx, &len, text, false);
  if (!s) {
    *v = JS_EXCEPTION;
    return true;
  }
  bool ours;
  *v = parse_text(ctx, s, len, &ours);
  bool failed = JS_IsException(*v) && !ours, engines = failed && !is_ours(s, len);
  if (failed && !engines) {
    *v = JS_ParseJSON(ctx, s, len, "<input>");
    if (JS_IsException(*v)) json_reword(ctx, s, len);
  }
  JS_FreeCString(ctx, s);
  return !engines;
}

static JSValue parse_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  JSValueConst arguments[2] = {JS_ToString(ctx, argument(argc, argv, 0)), argument(argc, argv, 1)};
  if (JS_IsException(arguments[0])) return JS_EXCEPTION;
  JSValue v;
  bool done = of_string(ctx, arguments[0], &v);
  if (done && !JS_IsException(v) && JS_IsFunction(ctx, arguments[1])) {
    JS_FreeValue(ctx, v);  // it was well-formed, and not too deep
    done = false;
  }
  if (!done) v = JS_Call(ctx, engine_parse, self, 2, arguments);
  JS_FreeValue(ctx, arguments[0]);
  return v;
}

void parse_define(void) {
  JSValue json = global_get("JSON");
  engine_parse = JS_GetPropertyStr(vm.ctx, json, "parse");
  function_set(json, "parse", parse_call, 2);
  JS_FreeValue(vm.ctx, json);
}
