#include "operation.h"

#include <string.h>

#include "convert.h"
#include "frame.h"
#include "hooks.h"
#include "report.h"
#include "response.h"

typedef struct {
  uint32_t req;
  uint16_t generation;
  uint8_t wait;
  bool taken;
  JSValue resolve, reject;  // of the promise; resolve alone is a timer's callback
  JSValue frame;            // that a timer's callback runs in
  // WAIT_COLLECT only:
  uint32_t handle;
  Consume how;
  JSValue type;
  Buffer bytes;
} Operation;

static Operation *table;
static uint32_t table_len, table_cap, lowest_free;

static uint32_t id_of(const Operation *op) { return (uint32_t)(op - table + 1) | (uint32_t)op->generation << 16; }

static Operation *find(uint32_t id) {
  uint32_t slot = (id & 0xFFFF) - 1;
  if (slot >= table_len) return NULL;
  Operation *op = &table[slot];
  return op->taken && op->generation == id >> 16 ? op : NULL;
}

static bool grow(JSContext *ctx) {
  if (table_len < table_cap) return true;
  if (table_cap >= MAX_OPERATIONS) {
    JS_ThrowRangeError(ctx, "too many operations are pending (limit %d)", MAX_OPERATIONS);
    return false;
  }
  uint32_t cap = table_cap ? table_cap * 2 : 16;
  Operation *larger = js_realloc(ctx, table, cap * sizeof *larger);
  if (!larger) return false;
  table = larger;
  table_cap = cap;
  return true;
}

static Operation *take(JSContext *ctx, Wait wait) {
  while (lowest_free < table_len && table[lowest_free].taken) lowest_free++;
  if (lowest_free == table_len) {
    if (!grow(ctx)) return NULL;
    table[table_len++] = (Operation){0};
  }
  Operation *op = &table[lowest_free];
  *op = (Operation){.req = vm.current,
                    .generation = (op->generation + 1) & 0x7FFF,
                    .wait = wait,
                    .taken = true,
                    .resolve = JS_UNDEFINED,
                    .reject = JS_UNDEFINED,
                    .frame = JS_UNDEFINED,
                    .type = JS_UNDEFINED};
  return op;
}

// release frees the slot and gives the caller what it held.
static Operation release(Operation *op) {
  Operation held = *op;
  op->taken = false;
  if (op < table + lowest_free) lowest_free = op - table;
  return held;
}

static void discard(Operation held) {
  JS_FreeValue(vm.ctx, held.resolve);
  JS_FreeValue(vm.ctx, held.reject);
  JS_FreeValue(vm.ctx, held.frame);
  JS_FreeValue(vm.ctx, held.type);
  buffer_free(&held.bytes);
}

static JSValue promise_for(JSContext *ctx, Operation *op) {
  JSValue functions[2];
  JSValue promise = JS_NewPromiseCapability(ctx, functions);
  if (JS_IsException(promise)) {
    discard(release(op));
    return promise;
  }
  op->resolve = functions[0];
  op->reject = functions[1];
  return promise;
}

JSValue operation_promise(JSContext *ctx, Wait wait, uint32_t *id) {
  *id = 0;
  Operation *op = take(ctx, wait);
  if (!op) return JS_EXCEPTION;
  JSValue promise = promise_for(ctx, op);
  if (!JS_IsException(promise)) *id = id_of(op);
  return promise;
}

uint32_t operation_callback(JSContext *ctx, JSValueConst callback) {
  Operation *op = take(ctx, WAIT_TIMER);
  if (!op) return 0;
  op->resolve = JS_DupValue(ctx, callback);
  op->frame = frame_current(ctx);
  return id_of(op);
}

void operation_done(uint32_t id) {
  Operation *op = find(id);
  if (op) discard(release(op));
}

JSValue operation_refused(JSContext *ctx, uint32_t id) {
  operation_done(id);
  return JS_Throw(ctx, error_from(ctx, vm.io));
}

bool operation_stop(uint32_t id) {
  Operation *op = find(id);
  if (!op) return false;
  host(HOST_STOP, op->req, id, 0, 0);
  discard(release(op));
  return true;
}

void operation_drop(uint32_t req) {
  for (uint32_t i = 0; i < table_len; i++)
    if (table[i].taken && table[i].req == req) discard(release(&table[i]));
}

static void call(JSContext *ctx, JSValueConst function, int argc, JSValueConst *argv) {
  JSValue result = JS_Call(ctx, function, JS_UNDEFINED, argc, argv);
  if (JS_IsException(result)) report_exception(ctx);
  JS_FreeValue(ctx, result);
}

// settle takes value; an exception rejects with what was thrown.
static void settle(JSContext *ctx, Operation held, JSValue value) {
  JSValue reason = JS_IsException(value) ? JS_GetException(ctx) : JS_UNDEFINED;
  if (JS_IsException(value))
    call(ctx, held.reject, 1, &reason);
  else
    call(ctx, held.resolve, 1, &value);
  JS_FreeValue(ctx, reason);
  JS_FreeValue(ctx, value);
  discard(held);
}

void operation_settle(JSContext *ctx, uint32_t id, JSValue value) {
  Operation *op = find(id);
  if (op) settle(ctx, release(op), value);
}

static JSValue bytes_payload(JSContext *ctx, const uint8_t *payload) {
  uint32_t len;
  memcpy(&len, payload, sizeof len);
  return JS_NewUint8ArrayCopy(ctx, payload + sizeof len, len);
}

static JSValue bytes_or_null(JSContext *ctx, const uint8_t *payload) {
  uint32_t len;
  memcpy(&len, payload, sizeof len);
  return len == 0 ? JS_NULL : bytes_payload(ctx, payload);
}

static JSValue payload_value(JSContext *ctx, Wait wait, const uint8_t *payload) {
  if (wait == WAIT_FETCH) return response_fetched(ctx, payload);
  if (wait == WAIT_READ) return bytes_or_null(ctx, payload);
  if (wait == WAIT_SERVICE) return bytes_payload(ctx, payload);
  return JS_UNDEFINED;
}

static void ask_for_more(JSContext *ctx, Operation *op) {
  uint32_t id = id_of(op);
  if (host(HOST_READ, op->req, op->handle, id, 0) != REFUSED) return;
  JSValue error = JS_Throw(ctx, error_from(ctx, vm.io));
  settle(ctx, release(op), error);
}

// collect takes one piece of a body that is being read whole.
static void collect(JSContext *ctx, Operation *op, const uint8_t *payload) {
  uint32_t len;
  memcpy(&len, payload, sizeof len);
  buffer_put(&op->bytes, payload + sizeof len, len);
  if (op->bytes.failed) {
    host(HOST_CANCEL, op->req, op->handle, 0, 0);
    settle(ctx, release(op), JS_ThrowOutOfMemory(ctx));
  } else if (len > 0) {
    ask_for_more(ctx, op);
  } else {
    Operation held = release(op);
    settle(ctx, held, convert_bytes(ctx, held.how, held.bytes.data, held.bytes.len, held.type));
  }
}

JSValue operation_collect(JSContext *ctx, uint32_t req, uint32_t handle, Consume how, JSValueConst type) {
  Operation *op = take(ctx, WAIT_COLLECT);
  if (!op) return rejected(ctx);
  op->req = req;
  op->handle = handle;
  op->how = how;
  op->type = JS_DupValue(ctx, type);
  JSValue promise = promise_for(ctx, op);
  if (!JS_IsException(promise)) ask_for_more(ctx, op);
  return promise;
}

// remote_error is the exception that another Worker threw, made again of its text.
static JSValue remote_error(JSContext *ctx, const uint8_t *payload) {
  uint32_t len;
  memcpy(&len, payload, sizeof len);
  JSValue text = new_text(ctx, (const char *)payload + sizeof len, len);
  JSValue error = hook_call1(ctx, HOOK_REMOTE_ERROR, text);
  JS_FreeValue(ctx, text);
  return JS_IsException(error) ? JS_GetException(ctx) : error;
}

void operation_resolve(uint32_t id, uint32_t status, const uint8_t *payload) {
  JSContext *ctx = vm.ctx;
  Operation *op = find(id);
  if (!op) return;
  vm.current = op->req;
  if (status != RESOLVE_OK) {
    settle(ctx, release(op), JS_Throw(ctx, status == RESOLVE_THROWN ? remote_error(ctx, payload) : error_from(ctx, payload)));
  } else if (op->wait == WAIT_COLLECT) {
    collect(ctx, op, payload);
  } else if (op->wait == WAIT_TIMER) {
    Operation held = release(op);
    JS_FreeValue(ctx, frame_swap(JS_DupValue(ctx, held.frame)));
    call(ctx, held.resolve, 0, NULL);
    discard(held);
  } else {
    Wait wait = op->wait;
    Operation held = release(op);
    settle(ctx, held, payload_value(ctx, wait, payload));
  }
}
