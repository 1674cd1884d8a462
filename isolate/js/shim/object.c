#include "object.h"

#include <string.h>

#include "shapes.h"

static JSValue refuse_construction(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_ThrowTypeError(ctx, "Illegal constructor");
}

void class_define(Class *class, const ClassSpec *spec) {
  JSContext *ctx = vm.ctx;
  JSClassDef definition = {.class_name = spec->name, .finalizer = spec->finalizer, .gc_mark = spec->mark};
  class->id = 0;
  JS_NewClassID(vm.rt, &class->id);
  JS_NewClass(vm.rt, class->id, &definition);
  class->proto = JS_NewObject(ctx);
  JS_SetPropertyFunctionList(ctx, class->proto, spec->members, spec->member_count);
  shape_keep(class->proto);
  JS_SetClassProto(ctx, class->id, JS_DupValue(ctx, class->proto));
  JSCFunction *constructor = spec->constructor ? spec->constructor : refuse_construction;
  class->constructor = JS_NewCFunction2(ctx, constructor, spec->name, spec->arguments, CALL_CONSTRUCTOR, 0);
  JS_SetConstructor(ctx, class->constructor, class->proto);
  JS_SetPropertyFunctionList(ctx, class->constructor, spec->statics, spec->static_count);
  if (spec->constructor) global_set(spec->name, JS_DupValue(ctx, class->constructor));
}

// A subclass's constructor is new_target, and its prototype is what the object must have.
static JSValue prototype_for(JSContext *ctx, const Class *class, JSValueConst new_target) {
  if (JS_IsUndefined(new_target) || new_target == class->constructor) return JS_DupValue(ctx, class->proto);
  JSValue proto = JS_GetPropertyStr(ctx, new_target, "prototype");
  if (JS_IsException(proto) || JS_IsObject(proto)) return proto;
  JS_FreeValue(ctx, proto);
  return JS_DupValue(ctx, class->proto);
}

JSValue class_new(JSContext *ctx, const Class *class, JSValueConst new_target, void *opaque) {
  JSValue proto = prototype_for(ctx, class, new_target);
  if (JS_IsException(proto)) return proto;
  JSValue object = JS_NewObjectProtoClass(ctx, proto, class->id);
  JS_FreeValue(ctx, proto);
  if (!JS_IsException(object)) JS_SetOpaque(object, opaque);
  return object;
}

void global_set(const char *name, JSValue value) {
  JSValue global = JS_GetGlobalObject(vm.ctx);
  JS_DefinePropertyValueStr(vm.ctx, global, name, value, CONFIGURABLE | WRITABLE);
  JS_FreeValue(vm.ctx, global);
}

JSValue global_get(const char *name) {
  JSValue global = JS_GetGlobalObject(vm.ctx);
  JSValue value = JS_GetPropertyStr(vm.ctx, global, name);
  JS_FreeValue(vm.ctx, global);
  return value;
}

JSValue prototype_of(const char *source) {
  JSValue object = JS_Eval(vm.ctx, source, strlen(source), "<prototype>", EVAL_GLOBAL);
  JSValue proto = JS_GetPrototype(vm.ctx, object);
  JS_FreeValue(vm.ctx, object);
  return proto;
}

void function_set(JSValueConst object, const char *name, JSCFunction *function, int arguments) {
  JSValue value = JS_NewCFunction2(vm.ctx, function, name, arguments, CALL_GENERIC, 0);
  JS_DefinePropertyValueStr(vm.ctx, object, name, value, CONFIGURABLE | WRITABLE);
}

JSValue resolved(JSContext *ctx, JSValue value) {
  if (JS_IsException(value)) return rejected(ctx);
  JSValue promise = JS_NewSettledPromise(ctx, false, value);
  JS_FreeValue(ctx, value);
  return promise;
}

JSValue rejected(JSContext *ctx) {
  JSValue reason = JS_GetException(ctx);
  JSValue promise = JS_NewSettledPromise(ctx, true, reason);
  JS_FreeValue(ctx, reason);
  return promise;
}

bool need(JSContext *ctx, int argc, int wanted, const char *what) {
  if (argc >= wanted) return true;
  JS_ThrowTypeError(ctx, "%s: %d argument%s required, but only %d present", what, wanted, wanted == 1 ? "" : "s", argc);
  return false;
}
