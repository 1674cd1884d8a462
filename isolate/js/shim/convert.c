#include "convert.h"

#include <string.h>

#include "parse.h"

static void skip_bom(const char **data, size_t *len) {
  if (*len < 3 || memcmp(*data, "\xEF\xBB\xBF", 3) != 0) return;
  *data += 3;
  *len -= 3;
}

// The engine's JSON parser needs a NUL behind the text.
static JSValue body_json(JSContext *ctx, const char *data, size_t len) {
  Buffer b = {0};
  if (utf8_valid(data, len))
    buffer_put(&b, data, len);
  else
    utf8_repair(&b, data, len);
  buffer_byte(&b, 0);
  if (!buffer_ok(ctx, &b)) return JS_EXCEPTION;
  JSValue value = parse_json(ctx, b.data, b.len - 1, NULL);
  buffer_free(&b);
  return value;
}

// blob() and formData() are the prelude's, which wants a Uint8Array of its own.
static JSValue consume_as(JSContext *ctx, Consume how, JSValue array, JSValueConst type) {
  if (JS_IsException(array)) return array;
  JSValue kind = JS_NewStringLen(ctx, how == CONSUME_BLOB ? "blob" : "formData", how == CONSUME_BLOB ? 4 : 8);
  JSValueConst arguments[3] = {array, kind, type};
  JSValue value = hook_call(ctx, HOOK_CONSUME_AS, 3, arguments);
  JS_FreeValue(ctx, kind);
  JS_FreeValue(ctx, array);
  return value;
}

JSValue convert_bytes(JSContext *ctx, Consume how, const char *data, size_t len, JSValueConst type) {
  switch (how) {
    case CONSUME_TEXT:
      skip_bom(&data, &len);
      return new_text(ctx, data, len);
    case CONSUME_JSON:
      skip_bom(&data, &len);
      return body_json(ctx, data, len);
    case CONSUME_BUFFER:
      return JS_NewArrayBufferCopy(ctx, (const uint8_t *)data, len);
    case CONSUME_BYTES:
      return JS_NewUint8ArrayCopy(ctx, (const uint8_t *)data, len);
    default:
      return consume_as(ctx, how, JS_NewUint8ArrayCopy(ctx, (const uint8_t *)data, len), type);
  }
}

JSValue convert_text(JSContext *ctx, Consume how, JSValueConst string, JSValueConst type) {
  Text text;
  if (!usv_text(ctx, string, &text)) return JS_EXCEPTION;
  // An ASCII string comes back as itself; others may have had lone surrogates or a BOM.
  JSValue value = how == CONSUME_TEXT && is_ascii(text.data, text.len)
                      ? JS_DupValue(ctx, string)
                      : convert_bytes(ctx, how, text.data, text.len, type);
  text_free(ctx, &text);
  return value;
}

JSValue convert_array(JSContext *ctx, Consume how, JSValueConst array, JSValueConst type) {
  if (how == CONSUME_BYTES) return JS_DupValue(ctx, array);
  size_t len;
  const char *data = (const char *)JS_GetUint8Array(ctx, &len, array);
  if (!data && len > 0) return JS_EXCEPTION;
  if (how == CONSUME_BLOB || how == CONSUME_FORM) return consume_as(ctx, how, JS_DupValue(ctx, array), type);
  return convert_bytes(ctx, how, data, len, type);
}
