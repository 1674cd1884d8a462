#include "body.h"

#include <string.h>

#include "bytes.h"
#include "convert.h"
#include "operation.h"
#include "urlsearchparams.h"

Body body_none(void) { return (Body){.kind = BODY_KIND_NONE, .value = JS_UNDEFINED, .length = -1}; }

static Body body_of(BodyKind kind, JSValue value) {
  Body body = body_none();
  if (JS_IsException(value)) return body;
  body.kind = kind;
  body.value = value;
  body.req = vm.current;
  return body;
}

Body body_of_handle(uint32_t handle, int32_t length) {
  return (Body){.kind = BODY_KIND_HANDLE, .value = JS_UNDEFINED, .handle = handle, .req = vm.current, .length = length};
}

Body body_of_bytes(JSContext *ctx, const char *data, size_t len) {
  return body_of(BODY_KIND_BYTES, JS_NewUint8ArrayCopy(ctx, (const uint8_t *)data, len));
}

void body_free(JSRuntime *rt, Body *body) {
  JS_FreeValueRT(rt, body->value);
  *body = body_none();
}

void body_mark(JSRuntime *rt, Body *body, JS_MarkFunc *mark) { JS_MarkValue(rt, body->value, mark); }

static bool extract_text(JSContext *ctx, JSValueConst init, Body *body, bool *plain) {
  *plain = true;
  *body = body_of(BODY_KIND_TEXT, JS_ToString(ctx, init));
  return body->kind != BODY_KIND_NONE;
}

static bool extract_bytes(JSContext *ctx, Bytes bytes, Body *body) {
  *body = body_of_bytes(ctx, (const char *)bytes.data, bytes.len);
  return body->kind != BODY_KIND_NONE;
}

static bool extract_params(JSContext *ctx, JSValueConst init, Body *body, JSValue *type) {
  static const char FORM[] = "application/x-www-form-urlencoded;charset=UTF-8";
  *body = body_of(BODY_KIND_TEXT, params_text(ctx, init));
  *type = new_ascii(ctx, FORM, sizeof FORM - 1);
  return body->kind != BODY_KIND_NONE;
}

// adopt takes what the extractBody hook returned: string | Uint8Array | ReadableStream.
static Body adopt(JSContext *ctx, JSValue value) {
  if (JS_IsString(value)) return body_of(BODY_KIND_TEXT, value);
  if (JS_GetTypedArrayType(value) == TYPED_UINT8) return body_of(BODY_KIND_BYTES, value);
  return body_of(BODY_KIND_STREAM, value);
}

static bool unusable_stream(JSContext *ctx, const Body *body) {
  if (body->kind != BODY_KIND_STREAM) return false;
  if (!hook_true(ctx, HOOK_IS_DISTURBED, body->value) && !hook_true(ctx, HOOK_IS_LOCKED, body->value)) return false;
  JS_ThrowTypeError(ctx, "This ReadableStream is disturbed (has already been read from), and cannot be used as a body.");
  return true;
}

static bool extract_by_hook(JSContext *ctx, JSValueConst init, Body *body, JSValue *type) {
  JSValue extracted = hook_call1(ctx, HOOK_EXTRACT_BODY, init);
  if (JS_IsException(extracted)) return false;
  *body = adopt(ctx, JS_GetPropertyUint32(ctx, extracted, 0));
  JSValue implied = JS_GetPropertyUint32(ctx, extracted, 1);
  JS_FreeValue(ctx, extracted);
  if (JS_IsString(implied))
    *type = implied;
  else
    JS_FreeValue(ctx, implied);
  return !unusable_stream(ctx, body);
}

bool body_extract(JSContext *ctx, JSValueConst init, Body *body, JSValue *type, bool *plain) {
  *body = body_none();
  *type = JS_UNDEFINED;
  *plain = false;
  if (is_nullish(init)) return true;
  if (!JS_IsObject(init)) return extract_text(ctx, init, body, plain);
  if (is_params(init)) return extract_params(ctx, init, body, type);
  Bytes bytes;
  if (bytes_of(ctx, init, &bytes)) return extract_bytes(ctx, bytes, body);
  return extract_by_hook(ctx, init, body, type);
}

bool body_used(JSContext *ctx, const Body *body) {
  if (body->kind != BODY_KIND_STREAM) return body->used;
  return body->used || hook_true(ctx, HOOK_IS_DISTURBED, body->value);
}

// A body belongs to the request that it was made in; one that was made at module scope to all.
static bool is_foreign(JSContext *ctx, const Body *body) {
  if (body->req == 0 || body->req == vm.current) return false;
  JS_ThrowPlainError(ctx, "Cannot perform I/O on behalf of a different request. I/O objects (such as streams, "
                          "request/response bodies, and others) created in the context of one request handler "
                          "cannot be accessed from a different request's handler.");
  return true;
}

static bool unusable(JSContext *ctx, Body *body) {
  if (is_foreign(ctx, body)) return true;
  if (body_used(ctx, body)) {
    JS_ThrowTypeError(ctx, "Body has already been used. It can only be used once. Use tee() first if you need to "
                           "read it twice.");
    return true;
  }
  if (body->kind != BODY_KIND_STREAM || !hook_true(ctx, HOOK_IS_LOCKED, body->value)) return false;
  JS_ThrowTypeError(ctx, "This ReadableStream is currently locked to a reader.");
  return true;
}

// release marks the stream of a body that has been read or passed on: it is locked for good.
static void release(JSContext *ctx, JSValueConst stream) {
  JSValue result = hook_call1(ctx, HOOK_RELEASE, stream);
  if (JS_IsException(result)) JS_FreeValue(ctx, JS_GetException(ctx));
  JS_FreeValue(ctx, result);
}

JSValue body_stream(JSContext *ctx, JSValueConst owner, Body *body) {
  if (body->kind == BODY_KIND_NONE) return JS_NULL;
  if (body->kind == BODY_KIND_STREAM) return JS_DupValue(ctx, body->value);
  JSValue source = body->kind == BODY_KIND_HANDLE ? JS_NewInt32(body->handle) : body->value;
  JSValueConst arguments[2] = {owner, source};
  uint32_t current = vm.current;
  // The stream of a handle belongs to the request that has the handle, whoever asks for it.
  if (body->kind == BODY_KIND_HANDLE) vm.current = body->req;
  JSValue stream = hook_call(ctx, HOOK_BODY_STREAM, 2, arguments);
  vm.current = current;
  if (JS_IsException(stream)) return stream;
  if (body->used) release(ctx, stream);
  JS_FreeValue(ctx, body->value);
  body->value = JS_DupValue(ctx, stream);
  body->kind = BODY_KIND_STREAM;
  return stream;
}

static JSValue converted_later(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int how,
                               JSValueConst *data) {
  return convert_array(ctx, how, argument(argc, argv, 0), data[0]);
}

static JSValue consume_stream(JSContext *ctx, Body *body, Consume how, JSValueConst type) {
  JSValue whole = hook_call1(ctx, HOOK_CONSUME, body->value);
  if (JS_IsException(whole)) return rejected(ctx);
  JSValue then = JS_NewCFunctionData(ctx, converted_later, 1, how, 1, &type);
  JSValue promise = JS_PromiseThen(ctx, whole, then, JS_UNDEFINED);
  JS_FreeValue(ctx, then);
  JS_FreeValue(ctx, whole);
  return promise;
}

static JSValue consume(JSContext *ctx, Body *body, Consume how, JSValueConst type) {
  switch (body->kind) {
    case BODY_KIND_NONE:
      return resolved(ctx, convert_bytes(ctx, how, "", 0, type));
    case BODY_KIND_TEXT:
      return resolved(ctx, convert_text(ctx, how, body->value, type));
    case BODY_KIND_BYTES:
      return resolved(ctx, convert_array(ctx, how, body->value, type));
    case BODY_KIND_HANDLE:
      return operation_collect(ctx, body->req, body->handle, how, type);
    default:
      return consume_stream(ctx, body, how, type);
  }
}

JSValue body_consume(JSContext *ctx, Body *body, Consume how, JSValue type) {
  JSValue promise;
  if (unusable(ctx, body)) {
    promise = rejected(ctx);
  } else {
    body->used = body->kind != BODY_KIND_NONE;
    promise = consume(ctx, body, how, type);
  }
  JS_FreeValue(ctx, type);
  return promise;
}

bool body_take(JSContext *ctx, Body *from, Body *to) {
  if (from->kind == BODY_KIND_NONE) {
    *to = body_none();
    return true;
  }
  if (unusable(ctx, from)) return false;
  *to = *from;
  from->value = JS_DupValue(ctx, to->value);
  from->used = true;
  return true;
}

static bool tee(JSContext *ctx, JSValueConst owner, Body *from, Body *to) {
  JSValue stream = body_stream(ctx, owner, from);
  if (JS_IsException(stream)) return false;
  JSValue branches = hook_call1(ctx, HOOK_TEE, stream);
  JS_FreeValue(ctx, stream);
  if (JS_IsException(branches)) return false;
  body_free(vm.rt, from);
  *from = body_of(BODY_KIND_STREAM, JS_GetPropertyUint32(ctx, branches, 0));
  *to = body_of(BODY_KIND_STREAM, JS_GetPropertyUint32(ctx, branches, 1));
  JS_FreeValue(ctx, branches);
  return true;
}

bool body_clone(JSContext *ctx, JSValueConst owner, Body *from, Body *to) {
  *to = body_none();
  if (from->kind == BODY_KIND_NONE) return true;
  if (unusable(ctx, from)) return false;
  if (from->kind == BODY_KIND_HANDLE || from->kind == BODY_KIND_STREAM) return tee(ctx, owner, from, to);
  if (from->kind == BODY_KIND_TEXT) {
    *to = body_of(BODY_KIND_TEXT, JS_DupValue(ctx, from->value));
    return true;
  }
  size_t len;
  const uint8_t *data = JS_GetUint8Array(ctx, &len, from->value);
  *to = body_of_bytes(ctx, (const char *)data, len);
  return to->kind != BODY_KIND_NONE;
}

static void send_handle(uint32_t handle, int32_t length, Outgoing *out) {
  out->kind = BODY_HANDLE;
  out->body = handle;
  out->length = length;
}

static bool send_text(JSContext *ctx, JSValueConst value, Outgoing *out) {
  if (!usv_text(ctx, value, &out->text)) return false;
  out->kind = BODY_BYTES;
  out->body = address(out->text.data);
  out->length = out->text.len;
  return true;
}

// send_array takes the array.
static bool send_array(JSContext *ctx, JSValue array, Outgoing *out) {
  size_t len;
  const uint8_t *data = JS_GetUint8Array(ctx, &len, array);
  out->array = array;
  out->kind = BODY_BYTES;
  out->body = address(data);
  out->length = len;
  return true;
}

// send_source sends the bytes that an untouched stream of ours was made from: no pump for them.
// 1 it did, 0 there are none, -1 it threw.
static int send_source(JSContext *ctx, JSValueConst stream, Outgoing *out) {
  JSValue bytes = hook_exists(HOOK_SOURCE_OF) ? hook_call1(ctx, HOOK_SOURCE_OF, stream) : JS_UNDEFINED;
  if (JS_IsException(bytes)) return -1;
  if (JS_GetTypedArrayType(bytes) != TYPED_UINT8) {
    JS_FreeValue(ctx, bytes);
    return 0;
  }
  release(ctx, stream);
  return send_array(ctx, bytes, out);
}

// A stream that wraps an untouched host body is passed on by its handle: the bytes stay outside.
static bool send_stream(JSContext *ctx, Body *body, Outgoing *out) {
  int32_t handle = 0;
  if (!hook_int(ctx, HOOK_HANDLE_OF, body->value, &handle)) return false;
  if (handle > 0) {
    release(ctx, body->value);
    send_handle(handle, body->length, out);
    return true;
  }
  int sent = send_source(ctx, body->value, out);
  if (sent != 0) return sent > 0;
  out->kind = BODY_STREAM;
  out->stream = body->value;
  out->length = -1;
  return !hook_exists(HOOK_LENGTH_OF) || hook_int(ctx, HOOK_LENGTH_OF, body->value, &out->length);
}

bool body_send(JSContext *ctx, Body *body, Outgoing *out) {
  *out = (Outgoing){.kind = BODY_NONE, .array = JS_UNDEFINED, .stream = JS_UNDEFINED};
  if (body->kind == BODY_KIND_NONE) return true;
  if (unusable(ctx, body)) return false;
  body->used = true;
  switch (body->kind) {
    case BODY_KIND_TEXT:
      return send_text(ctx, body->value, out);
    case BODY_KIND_BYTES:
      return send_array(ctx, JS_DupValue(ctx, body->value), out);
    case BODY_KIND_HANDLE:
      send_handle(body->handle, body->length, out);
      return true;
    default:
      return send_stream(ctx, body, out);
  }
}

void body_sent(JSContext *ctx, Outgoing *out) {
  text_free(ctx, &out->text);
  JS_FreeValue(ctx, out->array);
}
