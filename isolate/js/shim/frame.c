#include "frame.h"

#include "job.h"
#include "object.h"

static JSValue current = JS_UNDEFINED;
static bool used;      // since the first frame: until then nothing here costs anything
static JSAtom symbol;  // a promise's property: the frame that it was made in

JSValue frame_swap(JSValue frame) {
  JSValue before = current;
  current = frame;
  return before;
}

JSValue frame_current(JSContext *ctx) { return JS_DupValue(ctx, current); }

void frame_end(JSContext *ctx) { JS_FreeValue(ctx, frame_swap(JS_UNDEFINED)); }

// ---- a promise's frame

void frame_keep(JSContext *ctx, JSValueConst promise) {
  if (JS_IsUndefined(current)) return;
  if (JS_DefinePropertyValue(ctx, promise, symbol, JS_DupValue(ctx, current), 0) < 0)
    JS_FreeValue(ctx, JS_GetException(ctx));  // out of memory, which the next allocation tells
}

static void use(JSContext *ctx) {
  if (used) return;
  used = true;
  JSValue unique = JS_NewPrivateSymbol(ctx, "frame");
  symbol = JS_ValueToAtom(ctx, unique);
  JS_FreeValue(ctx, unique);
}

static JSValue frame_of(JSContext *ctx, JSValueConst promise) {
  JSPropertyDescriptor property;
  if (!JS_IsPromise(promise) || JS_GetOwnProperty(ctx, &property, promise, symbol) <= 0) return JS_UNDEFINED;
  JS_FreeValue(ctx, property.getter);
  JS_FreeValue(ctx, property.setter);
  return property.value;
}

void frame_next_job(JSContext *ctx) {
  if (!used) return;
  const Job *job = job_first();
  JS_FreeValue(ctx, frame_swap(job ? frame_of(ctx, job_promise(job)) : JS_UNDEFINED));
}

// ---- for the prelude

JSValue frame_get(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return frame_current(ctx); }

JSValue frame_set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  use(ctx);
  JS_FreeValue(ctx, frame_swap(JS_DupValue(ctx, argument(argc, argv, 0))));
  return JS_UNDEFINED;
}
