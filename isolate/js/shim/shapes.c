#include "shapes.h"

#include "object.h"

// Step is one property on the way to a finished object: the engine looks for the shape of each.
typedef struct {
  const char *name;
  int flags;
} Step;

// keep keeps the shape that objects of the prototype have after the first `count` steps.
static void keep(JSValueConst proto, const Step *steps, int count) {
  JSValue object = JS_NewObjectProto(vm.ctx, proto);
  for (int i = 0; i < count; i++) JS_DefinePropertyValueStr(vm.ctx, object, steps[i].name, JS_UNDEFINED, steps[i].flags);
}

static void keep_steps(JSValueConst proto, const Step *steps, int count) {
  for (int i = 0; i <= count; i++) keep(proto, steps, i);
}

void shape_keep(JSValueConst proto) { keep(proto, NULL, 0); }

static void keep_global(const char *name) {
  JSValue constructor = global_get(name), proto = JS_GetPropertyStr(vm.ctx, constructor, "prototype");
  shape_keep(proto);
  JS_FreeValue(vm.ctx, proto);
  JS_FreeValue(vm.ctx, constructor);
}

// A promise alone makes two functions, and an await two more.
static void keep_function(const char *source) {
  static const Step steps[] = {{"length", CONFIGURABLE}, {"name", CONFIGURABLE}, {"prototype", WRITABLE}};
  JSValue proto = prototype_of(source);
  keep_steps(proto, steps, COUNT(steps));
  JS_FreeValue(vm.ctx, proto);
}

void shapes_keep(void) {
  static const char *const classes[] = {"Object", "Promise", "ArrayBuffer", "Uint8Array", "Map", "Set", "Date", "RegExp"};
  for (int i = 0; i < COUNT(classes); i++) keep_global(classes[i]);
  keep_function("(function () {})");
  keep_function("(async function () {})");
}
