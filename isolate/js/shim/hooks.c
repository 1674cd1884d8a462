#include "hooks.h"

static const char *const names[HOOK_COUNT] = {
    [HOOK_EXTRACT_BODY] = "extractBody",
    [HOOK_BODY_STREAM] = "bodyStream",
    [HOOK_CONSUME] = "consume",
    [HOOK_CONSUME_AS] = "consumeAs",
    [HOOK_IS_DISTURBED] = "isDisturbed",
    [HOOK_IS_LOCKED] = "isLocked",
    [HOOK_HANDLE_OF] = "handleOf",
    [HOOK_TEE] = "tee",
    [HOOK_SEND_STREAM] = "sendStream",
    [HOOK_SEND_REQUEST_STREAM] = "sendRequestStream",
    [HOOK_SET_ENV] = "setEnv",
    [HOOK_LAY_ENV] = "layEnv",
    [HOOK_DISPATCH_FETCH] = "dispatchFetch",
    [HOOK_HAS_LISTENER] = "hasListener",
    [HOOK_SCOPE_ERROR] = "scopeError",
    [HOOK_FETCH_ABORTABLE] = "fetchAbortable",
    [HOOK_NEW_SIGNAL] = "newSignal",
    [HOOK_LENGTH_OF] = "lengthOf",
    [HOOK_SOURCE_OF] = "sourceOf",
    [HOOK_RELEASE] = "release",
    [HOOK_NODE_GLOBALS] = "nodeGlobals",
    [HOOK_WASM_MODULE] = "wasmModule",
    [HOOK_WASM_ERROR] = "wasmError",
    [HOOK_WASM_HANDLE] = "wasmHandle",
    [HOOK_WASM_FUNCTION] = "wasmFunction",
    [HOOK_WASM_LIST] = "wasmList",
    [HOOK_IS_SIGNAL] = "isSignal",
    [HOOK_UNHANDLED] = "unhandledRejection",
    [HOOK_HANDLED_LATER] = "handledLater",
    [HOOK_LOAD_INTL] = "loadIntl",
    [HOOK_CALL_EVENT] = "callEvent",
    [HOOK_REMOTE_ERROR] = "remoteError",
};

static JSValue hooks[HOOK_COUNT];
static JSValue modules = JS_UNDEFINED;

void hooks_take(JSValueConst sw) {
  JSValue object = JS_GetPropertyStr(vm.ctx, sw, "hooks");
  for (int i = 0; i < HOOK_COUNT; i++)
    hooks[i] = JS_IsObject(object) ? JS_GetPropertyStr(vm.ctx, object, names[i]) : JS_UNDEFINED;
  if (JS_IsObject(object)) modules = JS_GetPropertyStr(vm.ctx, object, "builtinModules");
  JS_FreeValue(vm.ctx, object);
}

JSValue hook_module(JSContext *ctx, const char *name) {
  return JS_IsObject(modules) ? JS_GetPropertyStr(ctx, modules, name) : JS_UNDEFINED;
}

bool hook_exists(Hook hook) { return JS_IsFunction(vm.ctx, hooks[hook]); }

JSValue hook_call(JSContext *ctx, Hook hook, int argc, JSValueConst *argv) {
  if (!hook_exists(hook)) return JS_ThrowTypeError(ctx, "this runtime has no %s", names[hook]);
  return JS_Call(ctx, hooks[hook], JS_UNDEFINED, argc, argv);
}

JSValue hook_call1(JSContext *ctx, Hook hook, JSValueConst value) { return hook_call(ctx, hook, 1, &value); }

bool hook_int(JSContext *ctx, Hook hook, JSValueConst value, int32_t *number) {
  JSValue result = hook_call1(ctx, hook, value);
  bool ok = !JS_IsException(result) && JS_ToInt32(ctx, number, result) == 0;
  JS_FreeValue(ctx, result);
  return ok;
}

bool hook_true(JSContext *ctx, Hook hook, JSValueConst value) {
  JSValue result = hook_call1(ctx, hook, value);
  if (JS_IsException(result)) {
    JS_FreeValue(ctx, JS_GetException(ctx));
    return true;
  }
  bool yes = JS_ToBool(ctx, result) > 0;
  JS_FreeValue(ctx, result);
  return yes;
}
