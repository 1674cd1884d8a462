#include "job.h"

#include "object.h"

// The engine's hooks tell of promises, but an await makes none: what it leaves behind is a job
// that resumes an async function. So the promise is found through the job. The frame that an
// async function was called in is the one that it goes on in: nothing changes a frame but for
// the time of a call. An async generator goes on in the frame of the next() it works for.
//
// All here is the layout of the one binary that build.mjs accepts.
//
//   runtime ─► Job ─ argv ┬ [0] a promise's resolve function, or a promise ───────────────────► promise
//                         └ [2] resumption of an async function ─► its resolve function ──────► promise
//                               resumption of a generator ─► generator ─► first of its queue ─► promise
//
//   promise ─► state u32 │ 2 lists of reactions, 16 bytes │ is handled u8 │ 3 bytes unused │ result u64

enum {
  CLASS_FUNCTION_DATA = 15,
  CLASS_PROMISE = 52,
  CLASS_PROMISE_RESOLVE = 53,
  CLASS_ASYNC_RESOLVE = 56,
  CLASS_ASYNC_REJECT = 57,
  CLASS_ASYNC_GENERATOR = 60,
  JOBS_AT = 692,  // in the runtime: a list
  QUEUE_AT = 72,  // in a generator: a list
  MARK_AT = 21,   // in a promise
};

struct Job {
  List link;
  JSContext *ctx;
  JSValue (*function)(JSContext *, int argc, JSValueConst *argv);
  int argc;
  JSValue argv[];
};

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

static List *list_at(void *holder, size_t at) { return (List *)((char *)holder + at); }

static List *first(void *holder, size_t at) {
  List *list = list_at(holder, at);
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

Job *job_first(void) { return (Job *)first(vm.rt, JOBS_AT); }

JSValueConst job_promise(const Job *job) {
  if (job->argc < 3) return JS_UNDEFINED;
  if (JS_IsPromise(job->argv[0])) return job->argv[0];
  JSValueConst promise = of_resolve(job->argv[0]);
  return JS_IsUndefined(promise) ? of_resumption(job->argv[2]) : promise;
}

void job_move(Job *job, List *list) {
  List *link = &job->link;
  link->prev->next = link->next;
  link->next->prev = link->prev;
  link->prev = list->prev;
  link->next = list;
  list->prev->next = link;
  list->prev = link;
}

void job_return(Job *job) { job_move(job, list_at(vm.rt, JOBS_AT)); }

static JSValue nothing(JSContext *ctx, int argc, JSValueConst *argv) { return JS_UNDEFINED; }

void job_void(Job *job) { job->function = nothing; }

uint8_t *job_mark(JSValueConst promise) {
  uint8_t *data = opaque_of(promise, CLASS_PROMISE);
  return data ? data + MARK_AT : NULL;
}
