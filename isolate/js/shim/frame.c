#include "frame.h"

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

static void promise_made(JSContext *ctx, int type, JSValueConst promise, JSValueConst parent, void *opaque) {
  if (type != PROMISE_HOOK_INIT || JS_IsUndefined(current)) return;
  if (JS_DefinePropertyValue(ctx, promise, symbol, JS_DupValue(ctx, current), 0) < 0)
    JS_FreeValue(ctx, JS_GetException(ctx));  // out of memory, which the next allocation tells
}

static void use(JSContext *ctx) {
  if (used) return;
  used = true;
  JSValue unique = JS_NewPrivateSymbol(ctx, "frame");
  symbol = JS_ValueToAtom(ctx, unique);
  JS_FreeValue(ctx, unique);
  JS_SetPromiseHook(vm.rt, promise_made, NULL);
}

static JSValue frame_of(JSContext *ctx, JSValueConst promise) {
  JSPropertyDescriptor property;
  if (!JS_IsPromise(promise) || JS_GetOwnProperty(ctx, &property, promise, symbol) <= 0) return JS_UNDEFINED;
  JS_FreeValue(ctx, property.getter);
  JS_FreeValue(ctx, property.setter);
  return property.value;
}

// ---- the promise that a job works for
//
// The engine's hooks tell of promises, but an await makes none: what it leaves behind is a job
// that resumes an async function. So the promise is found through the job. The frame that an
// async function was called in is the one that it goes on in: nothing changes a frame but for
// the time of a call. An async generator goes on in the frame of the next() it works for.
//
// All below is the layout of the one binary that build.mjs accepts.
//
//   runtime ─► Job ─ argv ┬ [0] a promise's resolve function, or a promise ───────────────────► promise
//                         └ [2] resumption of an async function ─► its resolve function ──────► promise
//                               resumption of a generator ─► generator ─► first of its queue ─► promise

enum {
  CLASS_FUNCTION_DATA = 15,
  CLASS_PROMISE_RESOLVE = 53,
  CLASS_ASYNC_RESOLVE = 56,
  CLASS_ASYNC_REJECT = 57,
  CLASS_ASYNC_GENERATOR = 60,
  JOBS_AT = 692,   // in the runtime: a list
  QUEUE_AT = 72,   // in a generator: a list
};

typedef struct List {
  struct List *prev, *next;
} List;

typedef struct {
  List link;
  JSContext *ctx;
  void *function;
  int argc;
  JSValue argv[];
} Job;

typedef struct {
  List link;
  JSValue resolve, reject;
} AsyncFunction;

typedef struct {
  void *function;
  uint8_t length, count;
  uint16_t magic;
  JSValue data[];
} FunctionData;

typedef struct {
  List link;
  int completion;
  JSValue result, promise;
} GeneratorRequest;

static List *first(void *holder, size_t at) {
  List *list = (List *)((char *)holder + at);
  return list->next == list ? NULL : list->next;
}

static void *opaque_of(JSValueConst value, JSClassID class) {
  return JS_IsObject(value) ? JS_GetOpaque(value, class) : NULL;
}

static JSValueConst of_resolve(JSValueConst function) {
  const JSValue *promise = opaque_of(function, CLASS_PROMISE_RESOLVE);
  return promise ? *promise : JS_UNDEFINED;
}

static JSValueConst of_generator(const FunctionData *resumption) {
  void *generator = resumption->count > 0 ? opaque_of(resumption->data[0], CLASS_ASYNC_GENERATOR) : NULL;
  const GeneratorRequest *request = generator ? (GeneratorRequest *)first(generator, QUEUE_AT) : NULL;
  return request ? request->promise : JS_UNDEFINED;
}

static JSValueConst of_resumption(JSValueConst handler) {
  const AsyncFunction *function = opaque_of(handler, CLASS_ASYNC_RESOLVE);
  if (!function) function = opaque_of(handler, CLASS_ASYNC_REJECT);
  if (function) return of_resolve(function->resolve);
  const FunctionData *data = opaque_of(handler, CLASS_FUNCTION_DATA);
  return data ? of_generator(data) : JS_UNDEFINED;
}

static JSValueConst promise_of(const Job *job) {
  if (job->argc < 3) return JS_UNDEFINED;
  if (JS_IsPromise(job->argv[0])) return job->argv[0];
  JSValueConst promise = of_resolve(job->argv[0]);
  return JS_IsUndefined(promise) ? of_resumption(job->argv[2]) : promise;
}

void frame_next_job(JSContext *ctx) {
  if (!used) return;
  const Job *job = (Job *)first(vm.rt, JOBS_AT);
  JS_FreeValue(ctx, frame_swap(job ? frame_of(ctx, promise_of(job)) : JS_UNDEFINED));
}

// ---- for the prelude

JSValue frame_get(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) { return frame_current(ctx); }

JSValue frame_set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  use(ctx);
  JS_FreeValue(ctx, frame_swap(JS_DupValue(ctx, argument(argc, argv, 0))));
  return JS_UNDEFINED;
}
