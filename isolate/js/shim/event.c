#include "event.h"

#include <string.h>

#include "atoms.h"
#include "claim.h"
#include "hooks.h"
#include "module.h"
#include "object.h"
#include "parse.h"
#include "random.h"
#include "report.h"
#include "request.h"
#include "response.h"
#include "text.h"

// A request whose handler has returned a promise that is still pending.
typedef struct {
  uint32_t req;
  JSValue promise;
} Waiting;

enum { MAX_WAITING = 4096 };

static Waiting *waiting;
static uint32_t waiting_len, waiting_cap;
static JSValue env = JS_UNDEFINED;
static Class context_class;

// ---- answering

static void send_thrown(JSContext *ctx, JSValueConst error) {
  Buffer text = {0};
  uint32_t message_len;
  report_text(ctx, error, &text, &message_len);
  if (text.failed) message_len = 0;
  host(HOST_THROWN, vm.current, address(text.data), message_len, text.failed ? 0 : text.len - message_len);
  buffer_free(&text);
}

static void answer_exception(JSContext *ctx) {
  JSValue error = JS_GetException(ctx);
  send_thrown(ctx, error);
  JS_FreeValue(ctx, error);
}

static const char *kind_of(JSContext *ctx, JSValueConst value) {
  if (JS_IsUndefined(value)) return "undefined";
  if (JS_IsNull(value)) return "null";
  if (JS_IsString(value)) return "a string";
  if (JS_IsFunction(ctx, value)) return "a function";
  return JS_IsObject(value) ? "another object" : "a primitive value";
}

// answer takes what the handler returned or its promise resolved to.
static void answer(JSContext *ctx, JSValue value) {
  Response *response = response_of(value);
  if (!response)
    JS_ThrowTypeError(ctx, "Incorrect type for Promise: the Promise did not resolve to 'Response', but to %s.",
                      kind_of(ctx, value));
  if (!response || !response_send(ctx, response)) answer_exception(ctx);
  JS_FreeValue(ctx, value);
}

static void answer_settled(JSContext *ctx, JSValue promise, JSPromiseState state) {
  JSValue result = JS_PromiseResult(ctx, promise);
  if (state == PROMISE_FULFILLED) {
    answer(ctx, result);
  } else {
    send_thrown(ctx, result);
    JS_FreeValue(ctx, result);
  }
  JS_FreeValue(ctx, promise);
}

static bool wait_for(JSContext *ctx, JSValue promise) {
  if (waiting_len == waiting_cap) {
    uint32_t cap = waiting_cap ? waiting_cap * 2 : 8;
    Waiting *larger = cap > MAX_WAITING ? NULL : js_realloc(ctx, waiting, cap * sizeof *larger);
    if (!larger) return false;
    waiting = larger;
    waiting_cap = cap;
  }
  waiting[waiting_len++] = (Waiting){vm.current, promise};
  return true;
}

static void await_promise(JSContext *ctx, JSValue promise) {
  JSPromiseState state = JS_PromiseState(ctx, promise);
  // Its rejection is this request's answer, so it is handled.
  JS_PromiseMarkAsHandled(ctx, promise);
  if (state != PROMISE_PENDING) {
    answer_settled(ctx, promise, state);
  } else if (!wait_for(ctx, promise)) {
    JS_FreeValue(ctx, promise);
    JS_ThrowRangeError(ctx, "too many requests wait in this isolate");
    answer_exception(ctx);
  }
}

// promise_of makes a native promise of any value, as await does. It takes the value.
static JSValue promise_of(JSContext *ctx, JSValue value) {
  if (JS_IsPromise(value)) return value;
  JSValue functions[2];
  JSValue promise = JS_NewPromiseCapability(ctx, functions);
  if (!JS_IsException(promise)) {
    JS_FreeValue(ctx, JS_Call(ctx, functions[0], JS_UNDEFINED, 1, &value));
    JS_FreeValue(ctx, functions[0]);
    JS_FreeValue(ctx, functions[1]);
  }
  JS_FreeValue(ctx, value);
  return promise;
}

static bool is_thenable(JSContext *ctx, JSValueConst value) {
  if (!JS_IsObject(value)) return false;
  JSValue then = JS_GetProperty(ctx, value, atom.then);
  if (JS_IsException(then)) JS_FreeValue(ctx, JS_GetException(ctx));
  bool yes = JS_IsFunction(ctx, then);
  JS_FreeValue(ctx, then);
  return yes;
}

// settle takes the handler's result.
static void settle(JSContext *ctx, JSValue result) {
  if (JS_IsException(result)) {
    answer_exception(ctx);
  } else if (response_of(result)) {
    answer(ctx, result);
  } else if (JS_IsPromise(result) || is_thenable(ctx, result)) {
    JSValue promise = promise_of(ctx, result);
    if (JS_IsException(promise))
      answer_exception(ctx);
    else
      await_promise(ctx, promise);
  } else {
    answer(ctx, result);
  }
}

bool event_settle(void) {
  for (uint32_t i = 0; i < waiting_len; i++) {
    Waiting w = waiting[i];
    JSPromiseState state = JS_PromiseState(vm.ctx, w.promise);
    if (state == PROMISE_PENDING) continue;
    if (w.req != vm.current) {
      host(HOST_WAKE, w.req & CLAIM_MASK, 0, 0, 0);
      continue;
    }
    waiting[i] = waiting[--waiting_len];
    answer_settled(vm.ctx, w.promise, state);
    return true;
  }
  return false;
}

void event_drop(uint32_t req) {
  for (uint32_t i = 0; i < waiting_len; i++) {
    if (waiting[i].req != req) continue;
    JS_FreeValue(vm.ctx, waiting[i].promise);
    waiting[i] = waiting[--waiting_len];
    return;
  }
}

// ---- ctx

static JSValue held(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int failed, JSValueConst *data) {
  int32_t req = 0;
  JS_ToInt32(ctx, &req, data[0]);
  if (failed) {
    JS_Throw(ctx, JS_DupValue(ctx, argument(argc, argv, 0)));
    report_exception(ctx);
  }
  host(HOST_HOLD, req, -1, 0, 0);
  return JS_UNDEFINED;
}

bool event_hold(JSContext *ctx, JSValue value) {
  JSValue promise = promise_of(ctx, value);
  if (JS_IsException(promise)) return false;
  JSValueConst req = JS_NewInt32(vm.current);
  JSValue ok = JS_NewCFunctionData(ctx, held, 1, false, 1, &req);
  JSValue failed = JS_NewCFunctionData(ctx, held, 1, true, 1, &req);
  JSValue then = JS_PromiseThen(ctx, promise, ok, failed);
  bool started = !JS_IsException(then);
  if (started) host(HOST_HOLD, vm.current, 1, 0, 0);
  JS_FreeValue(ctx, then);
  JS_FreeValue(ctx, failed);
  JS_FreeValue(ctx, ok);
  JS_FreeValue(ctx, promise);
  return started;
}

static JSValue wait_until(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (JS_GetClassID(self) != context_class.id) return JS_ThrowTypeError(ctx, "Illegal invocation");
  if (!need(ctx, argc, 1, "waitUntil")) return JS_EXCEPTION;
  return event_hold(ctx, JS_DupValue(ctx, argv[0])) ? JS_UNDEFINED : JS_EXCEPTION;
}

// There is no origin behind a Worker to pass a failed request through to.
static JSValue pass_through(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return JS_UNDEFINED; }

// props are an own property where the call has some; else an object is made when somebody looks.
static JSValue get_props(JSContext *ctx, JSValueConst self) {
  if (JS_GetClassID(self) != context_class.id) return JS_ThrowTypeError(ctx, "Illegal invocation");
  JSValue props = JS_NewObject(ctx);
  JS_DefinePropertyValueStr(ctx, self, "props", JS_DupValue(ctx, props), CONFIGURABLE | WRITABLE | ENUMERABLE);
  return props;
}

// context_new takes props, undefined where there are none.
static JSValue context_new(JSContext *ctx, JSValue props) {
  JSValue context = JS_IsException(props) ? props : class_new(ctx, &context_class, JS_UNDEFINED, NULL);
  if (!JS_IsObject(context) || JS_IsUndefined(props))
    JS_FreeValue(ctx, props);
  else
    JS_DefinePropertyValueStr(ctx, context, "props", props, CONFIGURABLE | WRITABLE | ENUMERABLE);
  return context;
}

static const JSCFunctionListEntry context_members[] = {
    ACCESSOR("props", get_props, NULL),
    METHOD("waitUntil", 1, wait_until),
    METHOD("passThroughOnException", 0, pass_through),
    TAG("ExecutionContext"),
};

void event_define(void) {
  static const ClassSpec spec = {.name = "ExecutionContext", MEMBERS(context_members)};
  class_define(&context_class, &spec);
}

// ---- env

int event_env(const char *json, uint32_t len) {
  JSValue text = new_text(vm.ctx, json, len);
  JSValue made = hook_exists(HOOK_SET_ENV) ? hook_call1(vm.ctx, HOOK_SET_ENV, text) : JS_NewObject(vm.ctx);
  JS_FreeValue(vm.ctx, text);
  if (JS_IsException(made)) return report_failure(vm.ctx);
  JS_FreeValue(vm.ctx, env);
  env = made;
  if (module_is_script()) event_expose();
  return 0;
}

void event_expose(void) {
  JSContext *ctx = vm.ctx;
  JSPropertyEnum *names;
  uint32_t count;
  if (!JS_IsObject(env)) return;
  if (JS_GetOwnPropertyNames(ctx, &names, &count, env, NAMES_STRING | NAMES_ENUMERABLE) < 0) return;
  JSValue global = JS_GetGlobalObject(ctx);
  for (uint32_t i = 0; i < count; i++)
    JS_DefinePropertyValue(ctx, global, names[i].atom, JS_GetProperty(ctx, env, names[i].atom),
                           CONFIGURABLE | WRITABLE | ENUMERABLE);
  JS_FreeValue(ctx, global);
  JS_FreePropertyEnum(ctx, names, count);
}

static JSValue env_for_call(JSContext *ctx, const char *params, uint32_t len) {
  if (len == 0) return JS_DupValue(ctx, env);
  JSValueConst arguments[2] = {env, new_text(ctx, params, len)};
  JSValue laid = hook_call(ctx, HOOK_LAY_ENV, 2, arguments);
  JS_FreeValue(ctx, arguments[1]);
  return laid;
}

// ---- the handler

static bool has_fetch(JSContext *ctx, JSValueConst target, JSValue *fetch) {
  *fetch = JS_IsObject(target) ? JS_GetProperty(ctx, target, atom.fetch) : JS_UNDEFINED;
  return JS_IsFunction(ctx, *fetch);
}

static JSValue no_handler(JSContext *ctx) { return JS_ThrowTypeError(ctx, "Handler does not export a fetch() function."); }

static JSValue call_fetch(JSContext *ctx, JSValueConst target, int argc, JSValueConst *argv) {
  JSValue fetch;
  JSValue result = has_fetch(ctx, target, &fetch) ? JS_Call(ctx, fetch, target, argc, argv)
                   : JS_IsException(fetch)        ? JS_EXCEPTION
                                                  : no_handler(ctx);
  JS_FreeValue(ctx, fetch);
  return result;
}

// An entry point may be a class: an instance of it, made with (ctx, env), handles one event.
static JSValue call_entrypoint(JSContext *ctx, JSValueConst class, JSValueConst arguments[3]) {
  JSValueConst made_with[2] = {arguments[2], arguments[1]};
  JSValue instance = JS_CallConstructor(ctx, class, 2, made_with);
  if (JS_IsException(instance)) return instance;
  JSValue result = call_fetch(ctx, instance, 1, arguments);
  JS_FreeValue(ctx, instance);
  return result;
}

static JSValue call_script(JSContext *ctx, JSValueConst arguments[3]) {
  JSValue result = hook_call(ctx, HOOK_DISPATCH_FETCH, 3, arguments);
  return JS_IsUndefined(result) ? no_handler(ctx) : result;
}

static JSValue call_handler(JSContext *ctx, JSValueConst target, JSValueConst arguments[3]) {
  if (module_is_script()) return call_script(ctx, arguments);
  if (JS_IsConstructor(ctx, target)) return call_entrypoint(ctx, target, arguments);
  return call_fetch(ctx, target, 3, arguments);
}

// call_event runs what is no fetch in the prelude.
static JSValue call_event(JSContext *ctx, uint32_t kind, JSValueConst target, JSValueConst arguments[3]) {
  if (kind == KIND_FETCH) return call_handler(ctx, target, arguments);
  JSValueConst all[5] = {JS_NewInt32(kind), target, arguments[0], arguments[1], arguments[2]};
  return hook_call(ctx, HOOK_CALL_EVENT, 5, all);
}

static JSValue target_of(JSContext *ctx, const char *entrypoint, uint32_t len) {
  if (len == 0) return module_export(ctx, atom.default_);
  JSAtom name = JS_NewAtomLen(ctx, entrypoint, len);
  JSValue target = module_export(ctx, name);
  JS_FreeAtom(ctx, name);
  return target;
}

void event_run(const char *block) {
  JSContext *ctx = vm.ctx;
  EventBlock event;
  memcpy(&event, block, sizeof event);
  const char *head = block + sizeof event, *params = head + event.head_len, *entrypoint = params + event.params_len,
             *props = entrypoint + event.entrypoint_len, *inline_body = props + event.props_len;
  random_reseed();
  // The block is the I/O buffer: everything is taken out of it before any code runs.
  JSValue props_value = event.props_len ? parse_json(ctx, props, event.props_len - 1, "props") : JS_UNDEFINED;
  JSValue target = target_of(ctx, entrypoint, event.entrypoint_len);
  JSValue request = request_of_event(ctx, &event, head, inline_body);
  JSValue call_env = env_for_call(ctx, params, event.params_len);
  JSValue context = context_new(ctx, props_value);
  JSValueConst arguments[3] = {request, call_env, context};
  bool ready = !JS_IsException(target) && !JS_IsException(request) && !JS_IsException(call_env) && !JS_IsException(context);
  JSValue result = ready ? call_event(ctx, event.flags >> EVENT_KIND_SHIFT, target, arguments) : JS_EXCEPTION;
  JS_FreeValue(ctx, context);
  JS_FreeValue(ctx, call_env);
  JS_FreeValue(ctx, request);
  JS_FreeValue(ctx, target);
  settle(ctx, result);
}

// ---- HANDLERS

static bool handles_fetch(JSContext *ctx) {
  if (module_is_script()) {
    JSValue type = new_ascii(ctx, "fetch", 5);
    bool listens = hook_exists(HOOK_HAS_LISTENER) && hook_true(ctx, HOOK_HAS_LISTENER, type);
    JS_FreeValue(ctx, type);
    return listens;
  }
  JSValue target = module_export(ctx, atom.default_), fetch;
  JSValue proto = JS_IsConstructor(ctx, target) ? JS_GetProperty(ctx, target, atom.prototype) : JS_DupValue(ctx, target);
  bool handles = has_fetch(ctx, proto, &fetch);
  if (JS_IsException(fetch)) JS_FreeValue(ctx, JS_GetException(ctx));
  JS_FreeValue(ctx, fetch);
  JS_FreeValue(ctx, proto);
  JS_FreeValue(ctx, target);
  return handles;
}

static bool exports_anything(JSContext *ctx) {
  JSPropertyEnum *names;
  uint32_t count;
  JSValueConst namespace = module_namespace();
  if (!JS_IsObject(namespace)) return false;
  if (JS_GetOwnPropertyNames(ctx, &names, &count, namespace, NAMES_STRING) < 0) return false;
  bool found = false;
  for (uint32_t i = 0; i < count && !found; i++) {
    JSValue value = JS_GetProperty(ctx, namespace, names[i].atom);
    found = JS_IsObject(value);
    JS_FreeValue(ctx, value);
  }
  JS_FreePropertyEnum(ctx, names, count);
  return found;
}

int event_handlers(void) {
  int bits = handles_fetch(vm.ctx) ? HANDLER_FETCH | HANDLER_ANY : 0;
  return bits || !exports_anything(vm.ctx) ? bits : HANDLER_ANY;
}
