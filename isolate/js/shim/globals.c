#include "globals.h"

#include "object.h"

static JSValue refuse(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  static const char MESSAGE[] = "Code generation from strings disallowed for this context";
  JSValue constructor = global_get("EvalError");
  JSValue message = JS_NewStringLen(ctx, MESSAGE, sizeof MESSAGE - 1);
  JSValue error = JS_CallConstructor(ctx, constructor, 1, &message);
  JS_FreeValue(ctx, message);
  JS_FreeValue(ctx, constructor);
  return JS_IsException(error) ? error : JS_Throw(ctx, error);
}

// The constructors of other kinds of functions are reachable through their prototype only.
static JSValue replace_constructor(const char *name, const char *source) {
  JSValue proto = prototype_of(source);
  JSValue constructor = JS_NewCFunction2(vm.ctx, refuse, name, 1, CALL_CONSTRUCTOR_OR_FUNCTION, 0);
  JS_DefinePropertyValueStr(vm.ctx, constructor, "prototype", JS_DupValue(vm.ctx, proto), 0);
  JS_DefinePropertyValueStr(vm.ctx, proto, "constructor", JS_DupValue(vm.ctx, constructor), CONFIGURABLE);
  JS_FreeValue(vm.ctx, proto);
  return constructor;
}

void globals_seal(void) {
  JSValue function = replace_constructor("Function", "(function () {})");
  JSValue proto = prototype_of("(function () {})");
  JS_DefinePropertyValueStr(vm.ctx, proto, "constructor", JS_DupValue(vm.ctx, function), CONFIGURABLE | WRITABLE);
  JS_FreeValue(vm.ctx, proto);
  global_set("Function", function);
  JS_FreeValue(vm.ctx, replace_constructor("AsyncFunction", "(async function () {})"));
  JS_FreeValue(vm.ctx, replace_constructor("GeneratorFunction", "(function* () {})"));
  JS_FreeValue(vm.ctx, replace_constructor("AsyncGeneratorFunction", "(async function* () {})"));
  global_set("eval", JS_NewCFunction2(vm.ctx, refuse, "eval", 1, CALL_GENERIC, 0));
}
