#include "entry.h"

#include <stdlib.h>
#include <string.h>

#include "atoms.h"
#include "bridge.h"
#include "claim.h"
#include "codec.h"
#include "event.h"
#include "fetch.h"
#include "fetcher.h"
#include "frame.h"
#include "globals.h"
#include "headers.h"
#include "heap.h"
#include "module.h"
#include "operation.h"
#include "owner.h"
#include "pages.h"
#include "pairs.h"
#include "parse.h"
#include "random.h"
#include "replace.h"
#include "report.h"
#include "request.h"
#include "response.h"
#include "shapes.h"
#include "stringify.h"
#include "url.h"
#include "urlsearchparams.h"
#include "wasm.h"

// The engine's own limit on its part of the shadow stack. A JavaScript call takes 6 to 12 KiB of
// native stack, so a RangeError comes well before 8 MiB of that are gone.
enum { STACK_BYTES = 256 << 10 };

static void run_jobs(void) {
  JSContext *ctx;
  int ran;
  do {
    claim_next_job();
    frame_next_job(vm.ctx);
    ran = JS_ExecutePendingJob(vm.rt, &ctx);
    if (ran < 0) report_exception(ctx);
  } while (ran != 0);
}

void entry_drain(void) {
  do {
    do {
      if (JS_IsJobPending(vm.rt)) run_jobs();
    } while (event_settle());
    report_rejections();
  } while (JS_IsJobPending(vm.rt)); // a listener of rejections may have queued some
}

static int leave(int result) {
  claim_return();
  entry_drain();
  frame_end(vm.ctx);
  vm.current = 0;
  return result;
}

static void define_classes(void) {
  atoms_intern();
  pairs_define();
  headers_define();
  owner_define();
  request_define();
  response_define();
  fetch_define();
  fetcher_define();
  url_define();
  params_define();
  codec_define();
  parse_define();
  stringify_define();
  random_define();
  replace_define();
  event_define();
  module_define();
}

static uint8_t *io_buffer(void) {
  if (!vm.io) vm.io = malloc(IO_BYTES);
  return vm.io;
}

static void open_engine(JSRuntime *rt, uint32_t limit) {
  vm.rt = rt;
  heap_limit(limit);
  JS_SetMaxStackSize(vm.rt, STACK_BYTES);
  vm.ctx = JS_NewContext(vm.rt);
}

static void close_engine(void) {
  JS_FreeContext(vm.ctx);
  JS_FreeRuntime(vm.rt);
}

// init is INIT: engine, classes, then the prelude, which sees native code only. Its text is cleared:
// it would lie in the snapshot.
static int init(char *prelude, uint32_t len, uint32_t limit) {
  Bytecode code;
  _initialize();
  if (!io_buffer()) return FAILED;
  open_engine(JS_NewRuntime(), limit);
  if (bytecode_compile(prelude, len, "prelude", &code) == FAILED) return FAILED;
  JSRuntime *lasting = pages_runtime(vm.rt);
  close_engine();
  open_engine(lasting, limit);
  report_start();
  claim_start();
  define_classes();
  shapes_keep();
  int result = bridge_run(&code);
  free(code.data);
  memset(prelude, 0, len);
  globals_seal();
  leave(result);
  heap_settle();
  return result;
}

static int event(uint32_t req, const char *block) {
  vm.current = req;
  event_run(block);
  return leave(0);
}

static int drop(uint32_t req) {
  event_drop(req);
  operation_drop(req);
  claim_drop(req);
  return 0;
}

__attribute__((export_name("sw_op"))) int sw_op(int op, int a, int b, int c) {
  const char *at = (const char *)(uintptr_t)(uint32_t)a;
  switch (op) {
    case OP_INIT:
      return init((char *)at, b, c);
    case OP_ALLOC:
      return address(malloc(a));
    case OP_FREE:
      free((void *)at);
      return 0;
    case OP_IO:
      return address(io_buffer());
    case OP_MODULE:
      return module_register((char *)at, b, c);
    case OP_START:
      return leave(module_start(at, b, c));
    case OP_ENV:
      return leave(event_env(at, b));
    case OP_EVENT:
      return event(a, (const char *)(uintptr_t)(uint32_t)b);
    case OP_RESOLVE:
      operation_resolve(a, b, (const uint8_t *)(uintptr_t)(uint32_t)c);
      return leave(0);
    case OP_TURN:
      vm.current = a;
      return leave(0);
    case OP_DROP:
      return drop(a);
    case OP_LIMIT:
      heap_limit(a);
      return 0;
    case OP_HANDLERS:
      return leave(event_handlers());
    case OP_GC:
      JS_RunGC(vm.rt);
      return 0;
    case OP_CALL:
      return wasm_callback(a);
    default:
      return FAILED;
  }
}
