#include "fetcher.h"

#include "fetch.h"
#include "options.h"

// A service binding, or the stub of one script of a dispatch namespace.
typedef struct {
  int32_t binding;
  JSValue name, options;  // strings, undefined where there are none
} Fetcher;

typedef struct {
  int32_t binding;
} Namespace;

static Class fetcher_class, namespace_class;

// fetcher_new takes name and options.
static JSValue fetcher_new(JSContext *ctx, int32_t binding, JSValue name, JSValue options) {
  Fetcher *f = js_malloc(ctx, sizeof *f);
  JSValue object = f ? class_new(ctx, &fetcher_class, JS_UNDEFINED, f) : JS_EXCEPTION;
  if (JS_IsException(object)) {
    JS_FreeValue(ctx, name);
    JS_FreeValue(ctx, options);
    js_free(ctx, f);
  } else {
    *f = (Fetcher){binding, name, options};
  }
  return object;
}

// The stub's fetch() is like any other: whether the script exists shows then.
static JSValue fetcher_fetch(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Fetcher *f = JS_GetOpaque2(ctx, self, fetcher_class.id);
  if (!f) return rejected(ctx);
  Route route = {f->binding, f->name, f->options, KIND_FETCH};
  return fetch_by(ctx, &route, argc, argv);
}

JSValue fetcher_rpc(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Fetcher *f = JS_GetOpaque2(ctx, argument(argc, argv, 0), fetcher_class.id);
  if (!f || !need(ctx, argc, 2, "rpc")) return JS_EXCEPTION;
  Route route = {f->binding, f->name, f->options, KIND_RPC};
  return fetch_by(ctx, &route, 1, argv + 1);
}

static void fetcher_finalize(JSRuntime *rt, JSValueConst value) {
  Fetcher *f = JS_GetOpaque(value, fetcher_class.id);
  if (!f) return;
  JS_FreeValueRT(rt, f->name);
  JS_FreeValueRT(rt, f->options);
  js_free_rt(rt, f);
}

static JSValue namespace_get(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Namespace *n = JS_GetOpaque2(ctx, self, namespace_class.id);
  if (!n || !need(ctx, argc, 1, "get")) return JS_EXCEPTION;
  JSValue name = JS_ToString(ctx, argv[0]);
  if (JS_IsException(name)) return name;
  JSValue options = options_json(ctx, argument(argc, argv, 1), argument(argc, argv, 2));
  if (JS_IsException(options)) {
    JS_FreeValue(ctx, name);
    return options;
  }
  return fetcher_new(ctx, n->binding, name, options);
}

static void namespace_finalize(JSRuntime *rt, JSValueConst value) {
  js_free_rt(rt, JS_GetOpaque(value, namespace_class.id));
}

JSValue fetcher_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t binding;
  if (JS_ToInt32(ctx, &binding, argument(argc, argv, 0)) < 0) return JS_EXCEPTION;
  return fetcher_new(ctx, binding, JS_UNDEFINED, JS_UNDEFINED);
}

JSValue dispatch_namespace_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t binding;
  if (JS_ToInt32(ctx, &binding, argument(argc, argv, 0)) < 0) return JS_EXCEPTION;
  Namespace *n = js_malloc(ctx, sizeof *n);
  JSValue object = n ? class_new(ctx, &namespace_class, JS_UNDEFINED, n) : JS_EXCEPTION;
  if (JS_IsException(object))
    js_free(ctx, n);
  else
    n->binding = binding;
  return object;
}

static const JSCFunctionListEntry fetcher_members[] = {
    METHOD("fetch", 1, fetcher_fetch),
    TAG("Fetcher"),
};

static const JSCFunctionListEntry namespace_members[] = {
    METHOD("get", 1, namespace_get),
    TAG("DispatchNamespace"),
};

void fetcher_define(void) {
  static const ClassSpec fetcher = {.name = "Fetcher", .finalizer = fetcher_finalize, MEMBERS(fetcher_members)};
  static const ClassSpec namespace = {
      .name = "DispatchNamespace", .finalizer = namespace_finalize, MEMBERS(namespace_members)};
  class_define(&fetcher_class, &fetcher);
  class_define(&namespace_class, &namespace);
}
