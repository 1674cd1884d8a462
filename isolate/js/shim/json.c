#include "json.h"

#include "text.h"

static JSValue engine_parse;

// skip_string returns the index of the quote that ends the string which begins at i.
static size_t skip_string(const char *s, size_t n, size_t i) {
  for (i++; i < n && s[i] != '"'; i++)
    if (s[i] == '\\') i++;
  return i;
}

bool json_shallow(JSContext *ctx, const char *s, size_t n) {
  int depth = 0;
  for (size_t i = 0; i < n; i++) {
    if (s[i] == '"' && (i = skip_string(s, n, i)) >= n) break;
    if (s[i] == ']' || s[i] == '}') depth--;
    if ((s[i] == '[' || s[i] == '{') && ++depth > MAX_JSON_DEPTH) {
      JS_ThrowRangeError(ctx, "JSON is nested too deeply (limit %d)", MAX_JSON_DEPTH);
      return false;
    }
  }
  return true;
}

static bool shallow_string(JSContext *ctx, JSValueConst string) {
  Text text;
  if (!usv_text(ctx, string, &text)) return false;
  bool ok = json_shallow(ctx, text.data, text.len);
  text_free(ctx, &text);
  return ok;
}

static JSValue parse(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  JSValueConst arguments[2] = {JS_ToString(ctx, argument(argc, argv, 0)), argument(argc, argv, 1)};
  if (JS_IsException(arguments[0])) return JS_EXCEPTION;
  JSValue value = shallow_string(ctx, arguments[0]) ? JS_Call(ctx, engine_parse, self, 2, arguments) : JS_EXCEPTION;
  JS_FreeValue(ctx, arguments[0]);
  return value;
}

void json_define(void) {
  JSValue json = global_get("JSON");
  engine_parse = JS_GetPropertyStr(vm.ctx, json, "parse");
  function_set(json, "parse", parse, 2);
  JS_FreeValue(vm.ctx, json);
}
