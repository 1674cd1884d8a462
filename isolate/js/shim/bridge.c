#include "bridge.h"

#include <string.h>

#include "bytes.h"
#include "event.h"
#include "fetch.h"
#include "fetcher.h"
#include "frame.h"
#include "hooks.h"
#include "module.h"
#include "operation.h"
#include "report.h"
#include "service.h"
#include "text.h"
#include "wasm.h"

static bool int_argument(JSContext *ctx, int argc, JSValueConst *argv, int i, int32_t *value) {
  return JS_ToInt32(ctx, value, argument(argc, argv, i)) == 0;
}

// started returns the promise of an operation that the host has taken on, or throws its refusal.
static JSValue started(JSContext *ctx, JSValue promise, uint32_t id, int answer) {
  if (answer != REFUSED) return promise;
  JS_FreeValue(ctx, promise);
  return operation_refused(ctx, id);
}

// ---- bodies

static JSValue sw_read(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t handle;
  uint32_t id;
  if (!int_argument(ctx, argc, argv, 0, &handle)) return JS_EXCEPTION;
  JSValue promise = operation_promise(ctx, WAIT_READ, &id);
  if (!id) return promise;
  return started(ctx, promise, id, host(HOST_READ, vm.current, handle, id, 0));
}

static JSValue sw_cancel(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t handle;
  if (!int_argument(ctx, argc, argv, 0, &handle)) return JS_EXCEPTION;
  host(HOST_CANCEL, vm.current, handle, 0, 0);
  return JS_UNDEFINED;
}

static JSValue gone(JSContext *ctx) { return JS_ThrowTypeError(ctx, "The reader of this stream has gone."); }

// written is what write() and write2() return: undefined when the host has room, else a promise.
static JSValue written(JSContext *ctx, JSValue promise, uint32_t id, int answer) {
  if (answer == PENDING) return promise;
  JS_FreeValue(ctx, promise);
  operation_done(id);
  return answer == REFUSED ? gone(ctx) : JS_UNDEFINED;
}

static bool chunk_argument(JSContext *ctx, int argc, JSValueConst *argv, int i, Bytes *chunk) {
  if (bytes_of(ctx, argument(argc, argv, i), chunk)) return true;
  JS_ThrowTypeError(ctx, "a chunk must be a buffer");
  return false;
}

// sw_gone is fulfilled when nobody waits for the response any more.
static JSValue sw_gone(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  uint32_t id;
  JSValue promise = operation_promise(ctx, WAIT_GONE, &id);
  if (!id) return promise;
  return started(ctx, promise, id, host(HOST_GONE, vm.current, id, 0, 0));
}

static JSValue sw_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Bytes chunk;
  uint32_t id;
  if (!chunk_argument(ctx, argc, argv, 0, &chunk)) return JS_EXCEPTION;
  JSValue promise = operation_promise(ctx, WAIT_WRITE, &id);
  if (!id) return promise;
  return written(ctx, promise, id, host(HOST_WRITE, vm.current, address(chunk.data), chunk.len, id));
}

static JSValue sw_write2(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t stream;
  Bytes chunk;
  uint32_t id;
  if (!int_argument(ctx, argc, argv, 0, &stream) || !chunk_argument(ctx, argc, argv, 1, &chunk)) return JS_EXCEPTION;
  JSValue promise = operation_promise(ctx, WAIT_WRITE, &id);
  if (!id) return promise;
  Write2Block block = {stream, address(chunk.data), chunk.len, id};
  return written(ctx, promise, id, host(HOST_WRITE2, vm.current, address(&block), 0, 0));
}

// end_message reads an optional failure message; an empty one still has to say failure.
static bool end_message(JSContext *ctx, JSValueConst value, Text *message) {
  *message = (Text){0};
  if (is_nullish(value)) return true;
  if (!usv_text(ctx, value, message)) return false;
  if (message->len > 0) return true;
  message->data = "Error";
  message->len = 5;
  return true;
}

static JSValue sw_end(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Text message;
  if (!end_message(ctx, argument(argc, argv, 0), &message)) return JS_EXCEPTION;
  host(HOST_END, vm.current, address(message.data), message.len, 0);
  text_free(ctx, &message);
  return JS_UNDEFINED;
}

static JSValue sw_end2(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t stream;
  Text message;
  if (!int_argument(ctx, argc, argv, 0, &stream) || !end_message(ctx, argument(argc, argv, 1), &message))
    return JS_EXCEPTION;
  host(HOST_END2, vm.current, stream, address(message.data), message.len);
  text_free(ctx, &message);
  return JS_UNDEFINED;
}

static JSValue sw_new_stream(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int id = host(HOST_STREAM, vm.current, 0, 0, 0);
  return id > 0 ? JS_NewInt32(id) : JS_Throw(ctx, error_from(ctx, vm.io));
}

// ---- time, randomness, log

static JSValue sw_timer(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t milliseconds;
  if (!int_argument(ctx, argc, argv, 0, &milliseconds)) return JS_EXCEPTION;
  uint32_t id = operation_callback(ctx, argument(argc, argv, 1));
  if (!id) return JS_EXCEPTION;
  if (host(HOST_TIMER, vm.current, id, milliseconds, 0) == REFUSED) return operation_refused(ctx, id);
  return JS_NewInt32(id);
}

static JSValue sw_stop(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t id;
  if (!int_argument(ctx, argc, argv, 0, &id)) return JS_EXCEPTION;
  return JS_NewBool(operation_stop(id));
}

static JSValue sw_now(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  double milliseconds = 0;
  host(HOST_NOW, vm.current, address(&milliseconds), 0, 0);
  return JS_NewNumber(ctx, milliseconds);
}

static JSValue sw_random(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Bytes bytes;
  if (!chunk_argument(ctx, argc, argv, 0, &bytes)) return JS_EXCEPTION;
  if (host(HOST_RANDOM, vm.current, address(bytes.data), bytes.len, 0) != REFUSED) return JS_DupValue(ctx, argv[0]);
  return JS_ThrowPlainError(ctx, "random values cannot be generated at global scope");
}

// log_message logs a line with the JSON of its arguments behind it.
static bool log_message(JSContext *ctx, int32_t level, const Text *line, JSValueConst message) {
  Text json;
  Buffer both = {0};
  if (!usv_text(ctx, message, &json)) return false;
  buffer_put(&both, line->data, line->len);
  buffer_put(&both, json.data, json.len);
  text_free(ctx, &json);
  bool ok = buffer_ok(ctx, &both);
  if (ok) host(HOST_LOG, vm.current, level | (int)(line->len << LOG_LINE_SHIFT), address(both.data), both.len);
  buffer_free(&both);
  return ok;
}

static JSValue sw_log(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t level;
  Text text;
  if (!int_argument(ctx, argc, argv, 0, &level) || !usv_text(ctx, argument(argc, argv, 1), &text)) return JS_EXCEPTION;
  JSValueConst message = argument(argc, argv, 2);
  bool ok = JS_IsUndefined(message) || log_message(ctx, level, &text, message);
  if (ok && JS_IsUndefined(message)) host(HOST_LOG, vm.current, level, address(text.data), text.len);
  text_free(ctx, &text);
  return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

// ---- requests

static JSValue sw_hold(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return event_hold(ctx, JS_DupValue(ctx, argument(argc, argv, 0))) ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue sw_module_scope(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_NewBool(vm.current == 0);
}

static JSValue sw_request(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_NewInt32(vm.current);
}

static JSValue sw_last_op(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return JS_NewInt32(fetch_last);
}

static JSValue sw_as_request(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t req;
  if (!int_argument(ctx, argc, argv, 0, &req)) return JS_EXCEPTION;
  uint32_t before = vm.current;
  vm.current = req;
  JSValue result = JS_Call(ctx, argument(argc, argv, 1), JS_UNDEFINED, 0, NULL);
  vm.current = before;
  return result;
}

static const JSCFunctionListEntry members[] = {
    METHOD("read", 1, sw_read),
    METHOD("cancel", 1, sw_cancel),
    METHOD("gone", 0, sw_gone),
    METHOD("write", 1, sw_write),
    METHOD("end", 1, sw_end),
    METHOD("newStream", 0, sw_new_stream),
    METHOD("write2", 2, sw_write2),
    METHOD("end2", 2, sw_end2),
    METHOD("timer", 2, sw_timer),
    METHOD("stop", 1, sw_stop),
    METHOD("now", 0, sw_now),
    METHOD("random", 1, sw_random),
    METHOD("log", 3, sw_log),
    METHOD("fetch", 4, fetch_call),
    METHOD("fetcher", 1, fetcher_call),
    METHOD("rpc", 2, fetcher_rpc),
    METHOD("dispatchNamespace", 1, dispatch_namespace_call),
    METHOD("lastOp", 0, sw_last_op),
    METHOD("hold", 1, sw_hold),
    METHOD("moduleScope", 0, sw_module_scope),
    METHOD("request", 0, sw_request),
    METHOD("asRequest", 2, sw_as_request),
    METHOD("service", 4, service_bytes),
    METHOD("serviceText", 4, service_text),
    METHOD("serviceAsync", 4, service_async),
    METHOD("require", 1, module_require),
    METHOD("frame", 0, frame_get),
    METHOD("setFrame", 1, frame_set),
    METHOD("wasm", 4, wasm_host),
    METHOD("wasmFunction", 4, wasm_function),
    METHOD("wasmImport", 2, wasm_import),
};

int bridge_run(const Bytecode *code) {
  JSContext *ctx = vm.ctx;
  JSValue sw = JS_NewObject(ctx);
  JS_SetPropertyFunctionList(ctx, sw, members, COUNT(members));
  JSValue function = bytecode_run(ctx, code);
  JSValue result = JS_IsException(function) ? function : JS_Call(ctx, function, JS_UNDEFINED, 1, &sw);
  if (!JS_IsException(function)) JS_FreeValue(ctx, function);
  if (JS_IsException(result)) {
    JS_FreeValue(ctx, sw);
    return report_failure(ctx);
  }
  JS_FreeValue(ctx, result);
  hooks_take(sw);
  JS_FreeValue(ctx, sw);
  return 0;
}
