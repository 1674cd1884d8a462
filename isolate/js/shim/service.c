#include "service.h"

#include <string.h>

#include "bytes.h"
#include "object.h"
#include "operation.h"
#include "text.h"

// Parts are a request's block and what its parts borrow.
typedef struct {
  ServiceBlock block;
  Text texts[MAX_PARTS];
  int32_t numbers[MAX_PARTS];
} Parts;

static bool part_of(JSContext *ctx, Parts *p, uint32_t i, JSValueConst value) {
  Bytes bytes = {0};
  if (JS_IsString(value)) {
    if (!usv_text(ctx, value, &p->texts[i])) return false;
    bytes = (Bytes){(uint8_t *)p->texts[i].data, p->texts[i].len};
  } else if (JS_IsNumber(value)) {
    JS_ToInt32(ctx, &p->numbers[i], value);
    bytes = (Bytes){(uint8_t *)&p->numbers[i], sizeof p->numbers[i]};
  } else if (!is_nullish(value) && !bytes_of(ctx, value, &bytes)) {
    JS_ThrowTypeError(ctx, "part %d is no buffer, string or number", i);
    return false;
  }
  p->block.parts[i].ptr = address(bytes.data);
  p->block.parts[i].len = bytes.len;
  return true;
}

static void parts_free(JSContext *ctx, Parts *p) {
  for (uint32_t i = 0; i < p->block.count; i++) text_free(ctx, &p->texts[i]);
}

static bool parts_of(JSContext *ctx, Parts *p, int argc, JSValueConst *argv) {
  int32_t head[3] = {0};
  for (int i = 0; i < 3; i++)
    if (JS_ToInt32(ctx, &head[i], argument(argc, argv, i)) < 0) return false;
  p->block = (ServiceBlock){.service = head[0], .method = head[1], .object = head[2]};
  uint32_t count = argc > 3 ? argc - 3 : 0;
  if (count > MAX_PARTS) {
    JS_ThrowRangeError(ctx, "a service takes %d parts", MAX_PARTS);
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    p->texts[i] = (Text){0};
    p->block.count = i + 1;
    if (!part_of(ctx, p, i, argv[3 + i])) {
      parts_free(ctx, p);
      return false;
    }
  }
  return true;
}

// ask sends the request as operation id; 0 is one that is answered at once.
static bool ask(JSContext *ctx, int argc, JSValueConst *argv, uint32_t id, int *answer) {
  Parts p;
  if (!parts_of(ctx, &p, argc, argv)) return false;
  *answer = host(HOST_SERVICE, vm.current, address(&p.block), id, 0);
  parts_free(ctx, &p);
  return true;
}

void answer_copy(char *to, uint32_t len) {
  if (len <= IO_BYTES)
    memcpy(to, vm.io, len);
  else
    host(HOST_TAKE, vm.current, address(to), len, 0);
}

// result makes the answer's bytes.
static JSValue result(JSContext *ctx, uint32_t len) {
  if (len <= IO_BYTES) return JS_NewUint8ArrayCopy(ctx, vm.io, len);
  JSValue length = JS_NewInt32(len), array = JS_NewTypedArray(ctx, 1, &length, TYPED_ARRAY_UINT8);
  if (JS_IsException(array)) return array;
  size_t size;
  host(HOST_TAKE, vm.current, address(JS_GetUint8Array(ctx, &size, array)), len, 0);
  return array;
}

// answer_take is the answer's bytes where they are, or where there is room for them.
static bool answer_take(JSContext *ctx, uint32_t len, Answer *answer) {
  *answer = (Answer){(char *)vm.io, len, NULL};
  if (len <= IO_BYTES) return true;
  answer->data = answer->own = js_malloc(ctx, len);
  if (!answer->own) return false;
  host(HOST_TAKE, vm.current, address(answer->own), len, 0);
  return true;
}

void answer_free(JSContext *ctx, Answer *answer) { js_free(ctx, answer->own); }

static JSValue result_text(JSContext *ctx, uint32_t len) {
  Answer answer;
  if (!answer_take(ctx, len, &answer)) return JS_EXCEPTION;
  JSValue text = new_text(ctx, answer.data, answer.len);
  answer_free(ctx, &answer);
  return text;
}

static JSValue refused(JSContext *ctx) { return JS_Throw(ctx, error_from(ctx, vm.io)); }

bool service_ask(JSContext *ctx, ServiceBlock *block, Answer *answer) {
  int len = host(HOST_SERVICE, vm.current, address(block), 0, 0);
  if (len != REFUSED) return answer_take(ctx, len, answer);
  refused(ctx);
  return false;
}

JSValue service_bytes(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int answer;
  if (!ask(ctx, argc, argv, 0, &answer)) return JS_EXCEPTION;
  return answer == REFUSED ? refused(ctx) : result(ctx, answer);
}

JSValue service_text(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int answer;
  if (!ask(ctx, argc, argv, 0, &answer)) return JS_EXCEPTION;
  return answer == REFUSED ? refused(ctx) : result_text(ctx, answer);
}

JSValue service_async(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  uint32_t id;
  int answer;
  JSValue promise = operation_promise(ctx, WAIT_SERVICE, &id);
  if (!id) return promise;
  if (!ask(ctx, argc, argv, id, &answer)) {
    operation_done(id);
    JS_FreeValue(ctx, promise);
    return JS_EXCEPTION;
  }
  if (answer != PENDING) operation_settle(ctx, id, answer == REFUSED ? refused(ctx) : result(ctx, answer));
  return promise;
}
