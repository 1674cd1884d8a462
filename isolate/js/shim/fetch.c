#include "fetch.h"

#include "hooks.h"
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

static bool prepare(JSContext *ctx, Request *r, const Route *route, Fetch *f) {
  FetchBlock *block = &f->block;
  block->binding = route->binding;
  block->kind = route->kind;
  return read_text(ctx, route->name, &f->name, &block->name, &block->name_len) &&
         read_text(ctx, route->options, &f->options, &block->options, &block->options_len) &&
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

static JSValue send(JSContext *ctx, const Route *route, Request *request) {
  Fetch f = {.body = {.array = JS_UNDEFINED, .stream = JS_UNDEFINED}};
  fetch_last = 0;
  bool ok = prepare(ctx, request, route, &f);
  JSValue promise = ok ? start(ctx, &f) : rejected(ctx);
  finish(ctx, &f);
  return promise;
}

// A signal may abort the fetch before or while it runs, which is the prelude's to arrange.
static JSValue send_abortable(JSContext *ctx, const Route *route, JSValueConst request, JSValueConst signal) {
  JSValueConst arguments[5] = {signal, JS_NewInt32(route->binding), request, route->name, route->options};
  JSValue promise = hook_call(ctx, HOOK_FETCH_ABORTABLE, 5, arguments);
  return JS_IsException(promise) ? rejected(ctx) : promise;
}

static JSValue refuse_module_scope(JSContext *ctx) {
  JSValue error = hook_call(ctx, HOOK_SCOPE_ERROR, 0, NULL);
  if (!JS_IsException(error)) JS_Throw(ctx, error);
  return rejected(ctx);
}

// request_for is the very Request when nothing is changed in it: an untouched one is passed on by
// handle.
static JSValue request_for(JSContext *ctx, int argc, JSValueConst *argv) {
  bool same = JS_IsUndefined(argument(argc, argv, 1)) && request_of(argv[0]);
  return same ? JS_DupValue(ctx, argv[0]) : request_from(ctx, argc, argv);
}

JSValue fetch_by(JSContext *ctx, const Route *route, int argc, JSValueConst *argv) {
  if (!need(ctx, argc, 1, "fetch")) return rejected(ctx);
  if (vm.current == 0) return refuse_module_scope(ctx);
  JSValue object = request_for(ctx, argc, argv);
  if (JS_IsException(object)) return rejected(ctx);
  Request *request = request_of(object);
  JSValue promise = JS_IsUndefined(request->signal) ? send(ctx, route, request)
                                                    : send_abortable(ctx, route, object, request->signal);
  JS_FreeValue(ctx, object);
  return promise;
}

JSValue fetch_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Route route = {.name = argument(argc, argv, 2), .options = argument(argc, argv, 3)};
  Request *request = request_of(argument(argc, argv, 1));
  if (!request) return JS_ThrowTypeError(ctx, "fetch: not a Request");
  if (JS_ToInt32(ctx, &route.binding, argv[0]) < 0) return JS_EXCEPTION;
  return send(ctx, &route, request);
}

static JSValue fetch_anywhere(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  static const Route route = {.binding = NO_BINDING, .name = JS_UNDEFINED, .options = JS_UNDEFINED};
  return fetch_by(ctx, &route, argc, argv);
}

void fetch_define(void) { global_set("fetch", JS_NewCFunction2(vm.ctx, fetch_anywhere, "fetch", 1, CALL_GENERIC, 0)); }
