#include "options.h"

#include "atoms.h"
#include "stringify.h"
#include "text.h"

// begin opens the next member of the object that is open.
static void begin(Buffer *b, const char *name) {
  if (!b->failed && b->data[b->len - 1] != '{') buffer_byte(b, ',');
  buffer_byte(b, '"');
  buffer_text(b, name);
  buffer_text(b, "\":");
}

static bool is_dictionary(JSContext *ctx, JSValueConst value, const char *what) {
  if (is_nullish(value) || JS_IsObject(value)) return true;
  JS_ThrowTypeError(ctx, "%s is not an object", what);
  return false;
}

// put_json leaves out what has no JSON, such as a function.
static bool put_json(JSContext *ctx, Buffer *b, const char *name, JSValueConst value, const char *what) {
  if (!is_dictionary(ctx, value, what)) return false;
  if (is_nullish(value)) return true;
  JSValue json = stringify(ctx, value, JS_UNDEFINED, JS_UNDEFINED);
  Text text = {0};
  bool ok = !JS_IsException(json);
  if (ok && JS_IsString(json) && (ok = usv_text(ctx, json, &text))) {
    begin(b, name);
    buffer_put(b, text.data, text.len);
    text_free(ctx, &text);
  }
  JS_FreeValue(ctx, json);
  return ok;
}

static bool put_limit(JSContext *ctx, Buffer *b, JSValueConst limits, JSAtom atom, const char *name) {
  JSValue value = JS_GetProperty(ctx, limits, atom);
  if (JS_IsException(value)) return false;
  if (JS_IsUndefined(value)) return true;
  double number = -1;
  if (JS_IsNumber(value)) JS_ToFloat64(ctx, &number, value);
  JS_FreeValue(ctx, value);
  if (!(number >= 0 && number <= INT32_MAX)) {
    JS_ThrowTypeError(ctx, "options.limits.%s is not a number from 0 to %d", name, INT32_MAX);
    return false;
  }
  begin(b, name);
  buffer_number(b, (uint32_t)number);
  return true;
}

static bool put_limits(JSContext *ctx, Buffer *b, JSValueConst limits) {
  if (!is_dictionary(ctx, limits, "options.limits")) return false;
  if (is_nullish(limits)) return true;
  begin(b, "limits");
  buffer_byte(b, '{');
  bool ok = put_limit(ctx, b, limits, atom.cpuMs, "cpuMs") && put_limit(ctx, b, limits, atom.subRequests, "subRequests");
  buffer_byte(b, '}');
  return ok;
}

static bool put_options(JSContext *ctx, Buffer *b, JSValueConst args, JSValueConst options) {
  JSValue limits = JS_UNDEFINED, outbound = JS_UNDEFINED;
  if (!is_dictionary(ctx, options, "options")) return false;
  if (JS_IsObject(options)) limits = JS_GetProperty(ctx, options, atom.limits);
  if (JS_IsObject(options) && !JS_IsException(limits)) outbound = JS_GetProperty(ctx, options, atom.outbound);
  bool ok = !JS_IsException(limits) && !JS_IsException(outbound) && put_json(ctx, b, "args", args, "args") &&
            put_limits(ctx, b, limits) && put_json(ctx, b, "outbound", outbound, "options.outbound");
  JS_FreeValue(ctx, limits);
  JS_FreeValue(ctx, outbound);
  return ok;
}

JSValue options_json(JSContext *ctx, JSValueConst args, JSValueConst options) {
  if (is_nullish(args) && is_nullish(options)) return JS_UNDEFINED;
  Buffer b = {0};
  JSValue json = JS_EXCEPTION;
  buffer_byte(&b, '{');
  if (put_options(ctx, &b, args, options)) {
    buffer_byte(&b, '}');
    if (buffer_ok(ctx, &b)) json = b.len == 2 ? JS_UNDEFINED : new_text(ctx, b.data, b.len);
  }
  buffer_free(&b);
  return json;
}
