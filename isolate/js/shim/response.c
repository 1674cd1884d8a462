#include "response.h"

#include <string.h>

#include "atoms.h"
#include "headers.h"
#include "owner.h"
#include "reason.h"
#include "report.h"
#include "stringify.h"
#include "url.h"

Class response_class;

static Response *response_alloc(JSContext *ctx) {
  Response *r = js_malloc(ctx, sizeof *r);
  if (!r) return NULL;
  *r = (Response){.status = 200,
                  .status_text = JS_UNDEFINED,
                  .url = JS_UNDEFINED,
                  .headers = JS_UNDEFINED,
                  .body = body_none(),
                  .head_here = true};
  return r;
}

static void response_free(JSRuntime *rt, Response *r) {
  JS_FreeValueRT(rt, r->status_text);
  JS_FreeValueRT(rt, r->url);
  JS_FreeValueRT(rt, r->headers);
  list_free(&r->list);
  body_free(rt, &r->body);
  js_free_rt(rt, r);
}

// wrap makes the object; it owns r, and frees it when that fails.
static JSValue wrap(JSContext *ctx, JSValueConst new_target, Response *r) {
  JSValue object = class_new(ctx, &response_class, new_target, r);
  if (JS_IsException(object)) response_free(vm.rt, r);
  return object;
}

// head_block copies a fetched response's head in: through the I/O buffer when it fits, as nearly
// all do.
static Block *head_block(JSContext *ctx, const Response *r) {
  int len = host(HOST_HEAD, r->req, r->handle, address(vm.io), IO_BYTES);
  if (len < (int)sizeof(HeadBlock)) {
    JS_ThrowPlainError(ctx, "The response's headers are gone: its request is over.");
    return NULL;
  }
  Block *block = block_new(ctx, len <= IO_BYTES ? (char *)vm.io : NULL, len);
  if (block && len > IO_BYTES) host(HOST_HEAD, r->req, r->handle, address(block->data), len);
  return block;
}

static bool fetch_head(JSContext *ctx, Response *r) {
  Block *block = head_block(ctx, r);
  if (!block) return false;
  r->list = (HeaderList){block, sizeof(HeadBlock)};
  r->head_here = true;
  return true;
}

HeaderList *response_list(JSContext *ctx, Response *r) {
  if (!JS_IsUndefined(r->headers)) return headers_list(r->headers);
  if (!r->head_here && !fetch_head(ctx, r)) return NULL;
  return &r->list;
}

// ---- construction

static bool read_status(JSContext *ctx, JSValueConst init, Response *r) {
  JSValue value = JS_GetProperty(ctx, init, atom.status);
  int32_t status = 200;
  bool ok = !JS_IsException(value) && (JS_IsUndefined(value) || JS_ToInt32(ctx, &status, value) == 0);
  JS_FreeValue(ctx, value);
  if (ok && (status < 200 || status > 599)) {
    JS_ThrowRangeError(ctx, "Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
    ok = false;
  }
  r->status = status;
  return ok;
}

// RFC 9112's reason-phrase: tab, space, visible and obsolete characters.
static bool is_reason(const char *s, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint8_t c = s[i];
    if ((c < ' ' && c != '\t') || c == 0x7F) return false;
  }
  return true;
}

static bool read_status_text(JSContext *ctx, JSValueConst init, Response *r) {
  JSValue value = JS_GetProperty(ctx, init, atom.statusText);
  if (JS_IsException(value)) return false;
  if (JS_IsUndefined(value)) return true;
  Text text;
  bool ok = byte_text(ctx, value, &text);
  JS_FreeValue(ctx, value);
  if (!ok) return false;
  if (is_reason(text.data, text.len))
    r->status_text = new_latin1(ctx, text.data, text.len);
  else
    JS_ThrowTypeError(ctx, "Invalid statusText");
  text_free(ctx, &text);
  return JS_IsString(r->status_text);
}

static bool read_headers(JSContext *ctx, JSValueConst init, HeaderList *list) {
  JSValue value = JS_GetProperty(ctx, init, atom.headers);
  bool ok = !JS_IsException(value) && (is_nullish(value) || headers_fill(ctx, list, value));
  JS_FreeValue(ctx, value);
  return ok;
}

// Another response as init: its fields, without asking its getters.
static bool copy_init(JSContext *ctx, Response *from, Response *r) {
  HeaderList *list = response_list(ctx, from);
  if (!list) return false;
  r->list = list_share(list);
  r->status = from->status;
  r->status_text = JS_DupValue(ctx, from->status_text);
  r->manual = from->manual;
  return true;
}

static bool read_encode_body(JSContext *ctx, JSValueConst init, Response *r) {
  JSValue value = JS_GetProperty(ctx, init, atom.encodeBody);
  if (JS_IsException(value)) return false;
  if (JS_IsUndefined(value)) return true;
  Text text;
  bool ok = usv_text(ctx, value, &text);
  JS_FreeValue(ctx, value);
  if (!ok) return false;
  r->manual = text_is(text.data, text.len, "manual");
  ok = r->manual || text_is(text.data, text.len, "automatic");
  if (!ok) JS_ThrowTypeError(ctx, "encodeBody: unexpected value: %.40s", text.data);
  text_free(ctx, &text);
  return ok;
}

static bool read_init(JSContext *ctx, JSValueConst init, Response *r) {
  if (is_nullish(init)) return true;
  if (!JS_IsObject(init)) {
    JS_ThrowTypeError(ctx, "Response init is not an object");
    return false;
  }
  Response *from = response_of(init);
  if (from && from->status >= 200) return copy_init(ctx, from, r);
  return read_status(ctx, init, r) && read_status_text(ctx, init, r) && read_headers(ctx, init, &r->list) &&
         read_encode_body(ctx, init, r);
}

static bool has_null_body(int status) {
  return status == 101 || status == 103 || status == 204 || status == 205 || status == 304;
}

static bool read_body(JSContext *ctx, JSValueConst init, Response *r) {
  JSValue type;
  bool plain;
  if (!body_extract(ctx, init, &r->body, &type, &plain)) return false;
  // An empty text is no body: Workers take it, though the standard does not.
  if (has_null_body(r->status) && r->body.kind == BODY_KIND_TEXT && !JS_ToBool(ctx, r->body.value)) {
    JS_FreeValue(ctx, r->body.value);
    r->body = body_none();
  }
  if (r->body.kind != BODY_KIND_NONE && has_null_body(r->status)) {
    JS_FreeValue(ctx, type);
    JS_ThrowTypeError(ctx, "Response with null body status (101, 204, 205, or 304) cannot have a body.");
    return false;
  }
  return owner_imply(ctx, &r->list, type, plain);
}

static JSValue construct(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
  Response *r = response_alloc(ctx);
  if (!r) return JS_EXCEPTION;
  if (read_init(ctx, argument(argc, argv, 1), r) && read_body(ctx, argument(argc, argv, 0), r))
    return wrap(ctx, new_target, r);
  response_free(vm.rt, r);
  return JS_EXCEPTION;
}

static JSValue make_error(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Response *r = response_alloc(ctx);
  if (!r) return JS_EXCEPTION;
  r->error = true;
  r->status = 0;
  r->headers = headers_new(ctx, (HeaderList){0}, true);
  return wrap(ctx, JS_UNDEFINED, r);
}

static bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool set_location(JSContext *ctx, Response *r, JSValueConst value) {
  Text href;
  JSValue serialised = url_parse_value(ctx, value, JS_UNDEFINED);
  if (JS_IsException(serialised) || !usv_text(ctx, serialised, &href)) return false;
  bool ok = list_append(ctx, &r->list, "location", 8, href.data, href.len);
  text_free(ctx, &href);
  JS_FreeValue(ctx, serialised);
  return ok;
}

static JSValue make_redirect(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t status = 302;
  if (!need(ctx, argc, 1, "Response.redirect")) return JS_EXCEPTION;
  if (argc > 1 && !JS_IsUndefined(argv[1]) && JS_ToInt32(ctx, &status, argv[1]) < 0) return JS_EXCEPTION;
  if (!is_redirect(status)) return JS_ThrowRangeError(ctx, "Invalid redirect status: must be 301, 302, 303, 307 or 308");
  Response *r = response_alloc(ctx);
  if (!r) return JS_EXCEPTION;
  r->status = status;
  if (!set_location(ctx, r, argv[0])) {
    response_free(vm.rt, r);
    return JS_EXCEPTION;
  }
  r->headers = headers_new(ctx, list_share(&r->list), true);
  return wrap(ctx, JS_UNDEFINED, r);
}

static bool json_body(JSContext *ctx, Response *r, JSValueConst data) {
  static const char TYPE[] = "application/json";
  JSValue text = stringify(ctx, data, JS_UNDEFINED, JS_UNDEFINED);
  if (JS_IsException(text)) return false;
  if (!JS_IsString(text)) {
    JS_ThrowTypeError(ctx, "The data is not JSON serializable");
    return false;
  }
  bool plain;
  JSValue type;
  bool ok = body_extract(ctx, text, &r->body, &type, &plain);
  JS_FreeValue(ctx, text);
  return ok && owner_imply(ctx, &r->list, new_ascii(ctx, TYPE, sizeof TYPE - 1), false);
}

static JSValue make_json(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (!need(ctx, argc, 1, "Response.json")) return JS_EXCEPTION;
  Response *r = response_alloc(ctx);
  if (!r) return JS_EXCEPTION;
  bool ok = read_init(ctx, argument(argc, argv, 1), r);
  if (ok && has_null_body(r->status)) {
    JS_ThrowTypeError(ctx, "Response with null body status (101, 204, 205, or 304) cannot have a body.");
    ok = false;
  }
  if (ok && json_body(ctx, r, argv[0])) return wrap(ctx, JS_UNDEFINED, r);
  response_free(vm.rt, r);
  return JS_EXCEPTION;
}

JSValue response_fetched(JSContext *ctx, const uint8_t *payload) {
  FetchedBlock block;
  memcpy(&block, payload, sizeof block);
  Response *r = response_alloc(ctx);
  if (!r) return JS_EXCEPTION;
  r->status = block.status;
  r->redirected = block.redirected != 0;
  r->url = new_text(ctx, (const char *)payload + sizeof block, block.url_len);
  if (block.text_len) r->status_text = new_latin1(ctx, (const char *)payload + sizeof block + block.url_len, block.text_len);
  r->handle = block.response;
  r->req = vm.current;
  r->head_here = false;
  r->fetched_body = block.body;
  if (block.body) r->body = body_of_handle(block.body, block.body_len);
  return wrap(ctx, JS_UNDEFINED, r);
}

// ---- members

static Response *self_of(JSContext *ctx, JSValueConst self) { return JS_GetOpaque2(ctx, self, response_class.id); }

enum { GET_STATUS, GET_OK, GET_STATUS_TEXT, GET_URL, GET_REDIRECTED, GET_TYPE };

static JSValue string_or_empty(JSContext *ctx, JSValueConst value) {
  return JS_IsUndefined(value) ? JS_NewStringLen(ctx, "", 0) : JS_DupValue(ctx, value);
}

static JSValue status_text(JSContext *ctx, Response *r) {
  if (JS_IsUndefined(r->status_text) && !r->error) {
    const char *reason = reason_phrase(r->status);
    return JS_NewStringLen(ctx, reason, strlen(reason));
  }
  return string_or_empty(ctx, r->status_text);
}

static JSValue get(JSContext *ctx, JSValueConst self, int which) {
  Response *r = self_of(ctx, self);
  if (!r) return JS_EXCEPTION;
  switch (which) {
    case GET_STATUS:
      return JS_NewInt32(r->status);
    case GET_OK:
      return JS_NewBool(r->status >= 200 && r->status <= 299);
    case GET_STATUS_TEXT:
      return status_text(ctx, r);
    case GET_URL:
      return string_or_empty(ctx, r->url);
    case GET_REDIRECTED:
      return JS_NewBool(r->redirected);
    default:
      return r->error ? new_ascii(ctx, "error", 5) : new_ascii(ctx, "default", 7);
  }
}

static JSValue get_headers(JSContext *ctx, JSValueConst self) {
  Response *r = self_of(ctx, self);
  if (!r) return JS_EXCEPTION;
  if (JS_IsUndefined(r->headers)) {
    HeaderList *list = response_list(ctx, r);
    if (!list) return JS_EXCEPTION;
    JSValue headers = headers_new(ctx, list_share(list), r->handle != 0);
    if (JS_IsException(headers)) return headers;
    list_free(&r->list);
    r->headers = headers;
  }
  return JS_DupValue(ctx, r->headers);
}

static JSValue clone(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Response *from = self_of(ctx, self), *r = from ? response_alloc(ctx) : NULL;
  if (!r) return JS_EXCEPTION;
  if (!copy_init(ctx, from, r) || !body_clone(ctx, self, &from->body, &r->body)) {
    response_free(vm.rt, r);
    return JS_EXCEPTION;
  }
  if (from->handle && JS_IsUndefined(r->status_text)) r->status_text = status_text(ctx, from);
  r->url = JS_DupValue(ctx, from->url);
  r->redirected = from->redirected;
  r->error = from->error;
  return wrap(ctx, JS_UNDEFINED, r);
}

// ---- sending

// A fetched response whose body nobody read goes back as it came: neither head nor bytes enter.
static bool is_untouched(const Response *r, const Outgoing *out) {
  if (!r->handle || r->req != vm.current) return false;
  return r->fetched_body ? out->kind == BODY_HANDLE && out->body == r->fetched_body : out->kind == BODY_NONE;
}

static bool describe(JSContext *ctx, Response *r, const Outgoing *out, const Text *text, ResponseBlock *block) {
  if (is_untouched(r, out)) {
    block->flags = RESPONSE_UNTOUCHED;
    block->handle = r->handle;
    return true;
  }
  HeaderList *list = response_list(ctx, r);
  if (!list) return false;
  block->status = r->status;
  block->header_count = list_count(list);
  block->headers = address(list_bytes(list, &block->headers_len));
  block->body_kind = out->kind;
  block->body = out->body;
  block->body_len = out->length;
  block->flags = r->manual ? RESPONSE_MANUAL : 0;
  block->text = address(text->data);
  block->text_len = text->len;
  return true;
}

static void pump(JSContext *ctx, JSValueConst stream) {
  JSValue result = hook_call1(ctx, HOOK_SEND_STREAM, stream);
  if (JS_IsException(result)) {
    static const char FAILURE[] = "the response body cannot be sent";
    report_exception(ctx);
    host(HOST_END, vm.current, address(FAILURE), sizeof FAILURE - 1, 0);
  }
  JS_FreeValue(ctx, result);
}

bool response_send(JSContext *ctx, Response *r) {
  if (r->error) {
    JS_ThrowTypeError(ctx, "Return value from handler must not be an error response (like Response.error()).");
    return false;
  }
  Outgoing out;
  Text text = {0};
  ResponseBlock block = {0};
  if (!JS_IsUndefined(r->status_text) && !byte_text(ctx, r->status_text, &text)) return false;
  if (!body_send(ctx, &r->body, &out)) {
    text_free(ctx, &text);
    return false;
  }
  bool ok = describe(ctx, r, &out, &text, &block);
  if (ok) host(HOST_RESPOND, vm.current, address(&block), 0, 0);
  if (ok && out.kind == BODY_STREAM) pump(ctx, out.stream);
  body_sent(ctx, &out);
  text_free(ctx, &text);
  return ok;
}

static void finalize(JSRuntime *rt, JSValueConst value) {
  Response *r = response_of(value);
  if (r) response_free(rt, r);
}

static void mark(JSRuntime *rt, JSValueConst value, JS_MarkFunc *mark) {
  Response *r = response_of(value);
  if (!r) return;
  JS_MarkValue(rt, r->headers, mark);
  body_mark(rt, &r->body, mark);
}

static const JSCFunctionListEntry members[] = {
    ACCESSOR_MAGIC("status", get, NULL, GET_STATUS),
    ACCESSOR_MAGIC("ok", get, NULL, GET_OK),
    ACCESSOR_MAGIC("statusText", get, NULL, GET_STATUS_TEXT),
    ACCESSOR_MAGIC("url", get, NULL, GET_URL),
    ACCESSOR_MAGIC("redirected", get, NULL, GET_REDIRECTED),
    ACCESSOR_MAGIC("type", get, NULL, GET_TYPE),
    ACCESSOR("headers", get_headers, NULL),
    METHOD("clone", 0, clone),
    OWNER_MEMBERS,
    TAG("Response"),
};

static const JSCFunctionListEntry statics[] = {
    METHOD("error", 0, make_error),
    METHOD("redirect", 1, make_redirect),
    METHOD("json", 1, make_json),
};

void response_define(void) {
  static const ClassSpec spec = {.name = "Response",
                                 .finalizer = finalize,
                                 .mark = mark,
                                 .constructor = construct,
                                 MEMBERS(members),
                                 STATICS(statics)};
  class_define(&response_class, &spec);
}
