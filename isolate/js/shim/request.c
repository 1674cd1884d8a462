#include "request.h"

#include <string.h>

#include "atoms.h"
#include "headers.h"
#include "owner.h"
#include "url.h"

Class request_class;

static Request *request_alloc(JSContext *ctx) {
  Request *r = js_malloc(ctx, sizeof *r);
  if (!r) return NULL;
  *r = (Request){.method = JS_UNDEFINED,
                 .url = JS_UNDEFINED,
                 .headers = JS_UNDEFINED,
                 .signal = JS_UNDEFINED,
                 .cf = JS_UNDEFINED,
                 .body = body_none()};
  return r;
}

static void request_free(JSRuntime *rt, Request *r) {
  JS_FreeValueRT(rt, r->method);
  JS_FreeValueRT(rt, r->url);
  JS_FreeValueRT(rt, r->headers);
  JS_FreeValueRT(rt, r->signal);
  JS_FreeValueRT(rt, r->cf);
  list_free(&r->list);
  body_free(rt, &r->body);
  js_free_rt(rt, r);
}

static JSValue wrap(JSContext *ctx, JSValueConst new_target, Request *r) {
  JSValue object = class_new(ctx, &request_class, new_target, r);
  if (JS_IsException(object)) request_free(vm.rt, r);
  return object;
}

const HeaderList *request_list(const Request *r) {
  return JS_IsUndefined(r->headers) ? &r->list : headers_list(r->headers);
}

// ---- the event's request: everything stays in the head until somebody asks

static bool set_event_body(JSContext *ctx, Request *r, const EventBlock *event, const char *inline_body) {
  if (!(event->flags & EVENT_HAS_BODY)) return true;
  r->event_body = event->body;
  if (!(event->flags & EVENT_INLINE)) {
    r->body = body_of_handle(event->body, -1);
    return true;
  }
  r->body = body_of_bytes(ctx, inline_body, event->inline_len);
  return r->body.kind != BODY_KIND_NONE;
}

JSValue request_of_event(JSContext *ctx, const EventBlock *event, const char *head, const char *inline_body) {
  Request *r = request_alloc(ctx);
  if (!r) return JS_EXCEPTION;
  HeadBlock fixed;
  memcpy(&fixed, head, sizeof fixed);
  r->list.block = block_new(ctx, head, event->head_len);
  r->list.from = sizeof fixed + fixed.method_len + fixed.url_len;
  r->method_len = fixed.method_len;
  r->url_len = fixed.url_len;
  r->redirect = REDIRECT_MANUAL;
  r->event = vm.current;
  if (r->list.block && set_event_body(ctx, r, event, inline_body)) return wrap(ctx, JS_UNDEFINED, r);
  request_free(vm.rt, r);
  return JS_EXCEPTION;
}

static const char *method_in_head(const Request *r) { return r->list.block->data + sizeof(HeadBlock); }

static JSValue method_of(JSContext *ctx, Request *r) {
  if (JS_IsUndefined(r->method)) r->method = new_ascii(ctx, method_in_head(r), r->method_len);
  return r->method;
}

static JSValue url_of(JSContext *ctx, Request *r) {
  if (JS_IsUndefined(r->url)) r->url = new_text(ctx, method_in_head(r) + r->method_len, r->url_len);
  return r->url;
}

// ---- construction

static bool is_bodyless(JSContext *ctx, JSValueConst method) {
  Text text;
  if (!usv_text(ctx, method, &text)) return false;
  bool yes = text_is(text.data, text.len, "GET") || text_is(text.data, text.len, "HEAD");
  text_free(ctx, &text);
  return yes;
}

// Method names are case-sensitive, but these are upper-cased: by tradition, and patch as in Workers.
static const char *normal_method(const char *s, size_t n) {
  static const struct {
    const char *lower, *upper;
  } known[] = {{"get", "GET"},       {"post", "POST"},       {"put", "PUT"},    {"head", "HEAD"},
               {"delete", "DELETE"}, {"options", "OPTIONS"}, {"patch", "PATCH"}};
  for (int i = 0; i < COUNT(known); i++)
    if (text_is_nocase(s, n, known[i].lower)) return known[i].upper;
  return NULL;
}

static bool is_forbidden_method(const char *s, size_t n) {
  return text_is_nocase(s, n, "connect") || text_is_nocase(s, n, "trace") || text_is_nocase(s, n, "track");
}

static bool set_method(JSContext *ctx, Request *r, JSValueConst value) {
  Text text;
  if (!byte_text(ctx, value, &text)) return false;
  bool ok = is_token(text.data, text.len) && !is_forbidden_method(text.data, text.len);
  if (ok) {
    const char *known = normal_method(text.data, text.len);
    JS_FreeValue(ctx, r->method);
    r->method = known ? new_ascii(ctx, known, strlen(known)) : new_ascii(ctx, text.data, text.len);
  } else {
    JS_ThrowTypeError(ctx, "Invalid HTTP method string: %.64s", text.len < 64 ? text.borrowed : "(too long)");
  }
  text_free(ctx, &text);
  return ok;
}

static bool set_redirect(JSContext *ctx, Request *r, JSValueConst value) {
  Text text;
  if (!usv_text(ctx, value, &text)) return false;
  bool ok = true;
  if (text_is(text.data, text.len, "follow"))
    r->redirect = REDIRECT_FOLLOW;
  else if (text_is(text.data, text.len, "manual"))
    r->redirect = REDIRECT_MANUAL;
  else if (text_is(text.data, text.len, "error"))
    r->redirect = REDIRECT_ERROR;
  else
    ok = false;
  if (!ok) JS_ThrowTypeError(ctx, "Invalid redirect value, must be one of \"follow\", \"manual\" or \"error\".");
  text_free(ctx, &text);
  return ok;
}

static bool set_headers(JSContext *ctx, Request *r, JSValueConst value) {
  HeaderList list = {0};
  if (!headers_fill(ctx, &list, value)) {
    list_free(&list);
    return false;
  }
  list_free(&r->list);
  r->list = list;
  return true;
}

static bool set_body(JSContext *ctx, Request *r, JSValueConst value) {
  if (is_bodyless(ctx, r->method)) {
    JS_ThrowTypeError(ctx, "Request with a GET or HEAD method cannot have a body.");
    return false;
  }
  JSValue type;
  bool plain;
  return body_extract(ctx, value, &r->body, &type, &plain) && owner_imply(ctx, &r->list, type, plain);
}

static bool is_signal(JSContext *ctx, JSValueConst value) {
  return JS_IsObject(value) && (!hook_exists(HOOK_IS_SIGNAL) || hook_true(ctx, HOOK_IS_SIGNAL, value));
}

static bool set_signal(JSContext *ctx, Request *r, JSValueConst value) {
  if (!JS_IsNull(value) && !is_signal(ctx, value)) {
    JS_ThrowTypeError(ctx, "Incorrect type for the 'signal' field on 'RequestInitializerDict': the provided value is not of type 'AbortSignal'.");
    return false;
  }
  JS_FreeValue(ctx, r->signal);
  r->follows = 0;
  r->signal = JS_IsNull(value) ? JS_UNDEFINED : JS_DupValue(ctx, value);
  return true;
}

static bool set_cf(JSContext *ctx, Request *r, JSValueConst value) {
  JS_FreeValue(ctx, r->cf);
  r->cf = JS_DupValue(ctx, value);
  return true;
}

typedef bool Setter(JSContext *, Request *, JSValueConst);

// member feeds one member of init to its setter when it is there.
static bool member(JSContext *ctx, JSValueConst init, JSAtom name, Setter *set, Request *r) {
  JSValue value = JS_GetProperty(ctx, init, name);
  bool ok = !JS_IsException(value) && (JS_IsUndefined(value) || set(ctx, r, value));
  JS_FreeValue(ctx, value);
  return ok;
}

// The body comes last: it needs the method, and its content type needs the headers.
static bool read_init(JSContext *ctx, JSValueConst init, Request *r) {
  if (!JS_IsObject(init)) {
    JS_ThrowTypeError(ctx, "Request init is not an object");
    return false;
  }
  return member(ctx, init, atom.method, set_method, r) && member(ctx, init, atom.headers, set_headers, r) &&
         member(ctx, init, atom.redirect, set_redirect, r) && member(ctx, init, atom.signal, set_signal, r) &&
         member(ctx, init, atom.cf, set_cf, r);
}

static void copy_input(JSContext *ctx, Request *from, Request *r) {
  r->method = JS_DupValue(ctx, method_of(ctx, from));
  r->url = JS_DupValue(ctx, url_of(ctx, from));
  r->signal = JS_DupValue(ctx, from->signal);
  r->follows = from->event ? from->event : from->follows;
  r->cf = JS_DupValue(ctx, from->cf);
  r->redirect = from->redirect;
  r->list = list_share(request_list(from));
}

static bool parse_input(JSContext *ctx, JSValueConst input, Request *r) {
  r->method = new_ascii(ctx, "GET", 3);
  JSValue url = url_parse_value(ctx, input, JS_UNDEFINED);
  if (JS_IsException(url)) return false;
  r->url = url;
  return true;
}

// read_body takes init.body, or else the input request's own, which is used up by that.
static bool read_body(JSContext *ctx, JSValueConst init, Request *from, Request *r) {
  JSValue value = JS_IsObject(init) ? JS_GetProperty(ctx, init, atom.body) : JS_UNDEFINED;
  if (JS_IsException(value)) return false;
  bool ok;
  if (!is_nullish(value))
    ok = set_body(ctx, r, value);
  else if (from && !JS_IsNull(value))
    ok = body_take(ctx, &from->body, &r->body);
  else
    ok = true;
  JS_FreeValue(ctx, value);
  if (!ok || r->body.kind == BODY_KIND_NONE || !is_bodyless(ctx, r->method)) return ok;
  JS_ThrowTypeError(ctx, "Request with a GET or HEAD method cannot have a body.");
  return false;
}

static JSValue construct(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
  if (!need(ctx, argc, 1, "Request constructor")) return JS_EXCEPTION;
  Request *r = request_alloc(ctx), *from = request_of(argv[0]);
  if (!r) return JS_EXCEPTION;
  JSValueConst init = argument(argc, argv, 1);
  bool ok = from || parse_input(ctx, argv[0], r);
  if (from) copy_input(ctx, from, r);
  if (ok && !is_nullish(init)) ok = read_init(ctx, init, r);
  if (ok && read_body(ctx, init, from, r)) return wrap(ctx, new_target, r);
  request_free(vm.rt, r);
  return JS_EXCEPTION;
}

JSValue request_from(JSContext *ctx, int argc, JSValueConst *argv) { return construct(ctx, JS_UNDEFINED, argc, argv); }

// ---- members

static Request *self_of(JSContext *ctx, JSValueConst self) { return JS_GetOpaque2(ctx, self, request_class.id); }

enum { GET_METHOD, GET_URL, GET_REDIRECT, GET_CF, GET_FETCHER, GET_INTEGRITY, GET_KEEPALIVE };

static JSValue redirect_text(JSContext *ctx, Redirect redirect) {
  static const char *const names[] = {"follow", "error", "manual"};
  return new_ascii(ctx, names[redirect], strlen(names[redirect]));
}

static JSValue get(JSContext *ctx, JSValueConst self, int which) {
  Request *r = self_of(ctx, self);
  if (!r) return JS_EXCEPTION;
  switch (which) {
    case GET_METHOD:
      return JS_DupValue(ctx, method_of(ctx, r));
    case GET_URL:
      return JS_DupValue(ctx, url_of(ctx, r));
    case GET_REDIRECT:
      return redirect_text(ctx, r->redirect);
    case GET_CF:
      return JS_DupValue(ctx, r->cf);
    case GET_INTEGRITY:
      return JS_NewStringLen(ctx, "", 0);
    case GET_KEEPALIVE:
      return JS_FALSE;
    default:
      return JS_NULL;
  }
}

static JSValue get_headers(JSContext *ctx, JSValueConst self) {
  Request *r = self_of(ctx, self);
  if (!r) return JS_EXCEPTION;
  if (JS_IsUndefined(r->headers)) {
    JSValue headers = headers_new(ctx, list_share(&r->list), r->event != 0);
    if (JS_IsException(headers)) return headers;
    r->headers = headers;
    // An event's list stays: the view of the head is where method and URL are read from.
    if (!r->event) list_free(&r->list);
  }
  return JS_DupValue(ctx, r->headers);
}

// A request always has a signal; one that nobody asks for is never made.
static JSValue get_signal(JSContext *ctx, JSValueConst self) {
  Request *r = self_of(ctx, self);
  if (!r) return JS_EXCEPTION;
  if (JS_IsUndefined(r->signal) && hook_exists(HOOK_NEW_SIGNAL)) {
    uint32_t id = r->event ? r->event : r->follows;
    JSValue signal = hook_call1(ctx, HOOK_NEW_SIGNAL, JS_NewBool(id != 0 && id == vm.current));
    if (JS_IsException(signal)) return signal;
    r->signal = signal;
  }
  return JS_IsUndefined(r->signal) ? JS_NULL : JS_DupValue(ctx, r->signal);
}

static JSValue clone(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Request *from = self_of(ctx, self), *r = from ? request_alloc(ctx) : NULL;
  if (!r) return JS_EXCEPTION;
  copy_input(ctx, from, r);
  if (body_clone(ctx, self, &from->body, &r->body)) return wrap(ctx, JS_UNDEFINED, r);
  request_free(vm.rt, r);
  return JS_EXCEPTION;
}

// ---- sending

static bool put_string(JSContext *ctx, JSValueConst value, Buffer *b, uint32_t *len) {
  Text text;
  if (!usv_text(ctx, value, &text)) return false;
  buffer_put(b, text.data, text.len);
  *len = text.len;
  text_free(ctx, &text);
  return true;
}

bool request_head(JSContext *ctx, Request *r, Buffer *b) {
  HeadBlock fixed = {0};
  const HeaderList *list = request_list(r);
  const char *headers = list_bytes(list, &fixed.headers_len);
  fixed.header_count = list_count(list);
  buffer_put(b, &fixed, sizeof fixed);
  if (!put_string(ctx, method_of(ctx, r), b, &fixed.method_len)) return false;
  if (!put_string(ctx, url_of(ctx, r), b, &fixed.url_len)) return false;
  buffer_put(b, headers, fixed.headers_len);
  if (!buffer_ok(ctx, b)) return false;
  memcpy(b->data, &fixed, sizeof fixed);
  return true;
}

static void finalize(JSRuntime *rt, JSValueConst value) {
  Request *r = request_of(value);
  if (r) request_free(rt, r);
}

static void mark(JSRuntime *rt, JSValueConst value, JS_MarkFunc *mark) {
  Request *r = request_of(value);
  if (!r) return;
  JS_MarkValue(rt, r->headers, mark);
  JS_MarkValue(rt, r->signal, mark);
  JS_MarkValue(rt, r->cf, mark);
  body_mark(rt, &r->body, mark);
}

static const JSCFunctionListEntry members[] = {
    ACCESSOR_MAGIC("method", get, NULL, GET_METHOD),
    ACCESSOR_MAGIC("url", get, NULL, GET_URL),
    ACCESSOR("headers", get_headers, NULL),
    ACCESSOR_MAGIC("redirect", get, NULL, GET_REDIRECT),
    ACCESSOR("signal", get_signal, NULL),
    ACCESSOR_MAGIC("cf", get, NULL, GET_CF),
    ACCESSOR_MAGIC("fetcher", get, NULL, GET_FETCHER),
    ACCESSOR_MAGIC("integrity", get, NULL, GET_INTEGRITY),
    ACCESSOR_MAGIC("keepalive", get, NULL, GET_KEEPALIVE),
    METHOD("clone", 0, clone),
    OWNER_MEMBERS,
    TAG("Request"),
};

void request_define(void) {
  static const ClassSpec spec = {.name = "Request",
                                 .finalizer = finalize,
                                 .mark = mark,
                                 .constructor = construct,
                                 .arguments = 1,
                                 MEMBERS(members)};
  class_define(&request_class, &spec);
}
