// object.h: how native classes and functions are made.
#ifndef SW_OBJECT_H
#define SW_OBJECT_H

#include "vm.h"

typedef struct {
  JSClassID id;
  JSValue proto, constructor;
} Class;

typedef struct {
  const char *name;
  JSClassFinalizer *finalizer;
  JSClassGCMark *mark;
  JSCFunction *constructor;  // NULL: no global; objects come from native code only
  int arguments;
  const JSCFunctionListEntry *members, *statics;
  int member_count, static_count;
} ClassSpec;

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define MEMBERS(table) .members = table, .member_count = COUNT(table)
#define STATICS(table) .statics = table, .static_count = COUNT(table)

// class_define registers the class and its global constructor. Called at INIT only.
void class_define(Class *, const ClassSpec *);

// class_new makes an object that owns `opaque`, with the prototype that new_target asks for
// (JS_UNDEFINED: the class's own). On failure it throws; `opaque` stays the caller's.
JSValue class_new(JSContext *, const Class *, JSValueConst new_target, void *opaque);

void global_set(const char *name, JSValue);
JSValue global_get(const char *name);

// prototype_of is the prototype of what source evaluates to, for those that have no global name.
// Called at INIT only.
JSValue prototype_of(const char *source);

// function_set gives object a hidden method.
void function_set(JSValueConst object, const char *name, JSCFunction *, int arguments);

// resolved takes the value and returns a promise of it; rejected one of the pending exception.
JSValue resolved(JSContext *, JSValue);
JSValue rejected(JSContext *);

// argument is the i-th argument, undefined when it was not given. It is borrowed.
static inline JSValueConst argument(int argc, JSValueConst *argv, int i) { return i < argc ? argv[i] : JS_UNDEFINED; }

// need throws when fewer than `wanted` arguments were given.
bool need(JSContext *, int argc, int wanted, const char *what);

#endif
