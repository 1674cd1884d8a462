#include "frame.h"

#include "object.h"

static JSValue current = JS_UNDEFINED;

JSValue frame_swap(JSValue frame) {
  JSValue before = current;
  current = frame;
  return before;
}

JSValueConst frame_current(void) { return current; }

JSValue frame_get(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return JS_DupValue(ctx, current); }

JSValue frame_set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  JS_FreeValue(ctx, frame_swap(JS_DupValue(ctx, argument(argc, argv, 0))));
  return JS_UNDEFINED;
}
