#include "fetch.h"

#include "operation.h"
#include "request.h"

uint32_t fetch_last;

// What a FETCH block points to while the host copies it.
typedef struct {
  FetchBlock block;
  Outgoing body;
  Buffer head;
  Text name, options;
} Fetch;

// The event's own request, unread, is passed on by handle: head and body stay outside.
static bool is_untouched(const Request *r, const Outgoing *body) {
  if (!r->event || r->event != vm.current) return false;
  if (!r->event_body) return body->kind == BODY_NONE;
  if (body->kind == BODY_HANDLE) return body->body == r->event_body;
  return body->kind == BODY_BYTES && r->body.kind == BODY_KIND_BYTES;
}

static bool start_stream(JSContext *ctx, Fetch *f) {
  int32_t id = 0;
  if (!hook_int(ctx, HOOK_SEND_REQUEST_STREAM, f->body.stream, &id)) return false;
  f->block.body = id;
  return true;
}

static bool describe(JSContext *ctx, Request *r, Fetch *f) {
  f->block.redirect = r->redirect;
  if (is_untouched(r, &f->body)) {
    f->block.request_kind = REQUEST_UNTOUCHED;
    return true;
  }
  if (!request_head(ctx, r, &f->head)) return false;
  f->block.head = address(f->head.data);
  f->block.head_len = f->head.len;
  f->block.body_kind = f->body.kind;
  f->block.body = f->body.body;
  f->block.body_len = f->body.length;
  return f->body.kind != BODY_STREAM || start_stream(ctx, f);
}

static bool read_text(JSContext *ctx, JSValueConst value, Text *text, uint32_t *ptr, uint32_t *len) {
  if (is_nullish(value)) return true;
  if (!usv_text(ctx, value, text)) return false;
  *ptr = address(text->data);
  *len = text->len;
  return true;
}

static bool prepare(JSContext *ctx, Request *r, int argc, JSValueConst *argv, Fetch *f) {
  FetchBlock *block = &f->block;
  return JS_ToInt32(ctx, &block->binding, argv[0]) == 0 &&
         read_text(ctx, argument(argc, argv, 2), &f->name, &block->name, &block->name_len) &&
         read_text(ctx, argument(argc, argv, 3), &f->options, &block->options, &block->options_len) &&
         body_send(ctx, &r->body, &f->body) && describe(ctx, r, f);
}

static JSValue start(JSContext *ctx, Fetch *f) {
  uint32_t id;
  JSValue promise = operation_promise(ctx, WAIT_FETCH, &id);
  if (!id) return rejected(ctx);
  if (host(HOST_FETCH, vm.current, address(&f->block), id, 0) == REFUSED) {
    JS_FreeValue(ctx, promise);
    operation_refused(ctx, id);
    return rejected(ctx);
  }
  fetch_last = id;
  return promise;
}

static void finish(JSContext *ctx, Fetch *f) {
  body_sent(ctx, &f->body);
  buffer_free(&f->head);
  text_free(ctx, &f->name);
  text_free(ctx, &f->options);
}

static JSValue fetch_request(JSContext *ctx, JSValueConst request, int argc, JSValueConst *argv) {
  Fetch f = {.body = {.array = JS_UNDEFINED, .stream = JS_UNDEFINED}};
  fetch_last = 0;
  bool ok = prepare(ctx, request_of(request), argc, argv, &f);
  JSValue promise = ok ? start(ctx, &f) : rejected(ctx);
  finish(ctx, &f);
  return promise;
}

JSValue fetch_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (!need(ctx, argc, 2, "fetch")) return rejected(ctx);
  if (request_of(argv[1])) return fetch_request(ctx, argv[1], argc, argv);
  JSValue request = request_from(ctx, 1, &argv[1]);
  if (JS_IsException(request)) return rejected(ctx);
  JSValue promise = fetch_request(ctx, request, argc, argv);
  JS_FreeValue(ctx, request);
  return promise;
}
