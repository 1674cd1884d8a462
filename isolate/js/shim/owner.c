#include "owner.h"

#include "request.h"
#include "response.h"

// The header block of every response made from a string: shared, so that such a response
// allocates none.
static HeaderList plain_text;

static const char CONTENT_TYPE[] = "content-type";

void owner_define(void) {
  static const char PLAIN[] = "text/plain;charset=UTF-8";
  list_append(vm.ctx, &plain_text, CONTENT_TYPE, sizeof CONTENT_TYPE - 1, PLAIN, sizeof PLAIN - 1);
}

Body *owner_body(JSContext *ctx, JSValueConst self) {
  Response *response = response_of(self);
  if (response) return &response->body;
  Request *request = request_of(self);
  if (request) return &request->body;
  JS_ThrowTypeError(ctx, "Illegal invocation");
  return NULL;
}

static const HeaderList *owner_list(JSContext *ctx, JSValueConst self) {
  Response *response = response_of(self);
  return response ? response_list(ctx, response) : request_list(request_of(self));
}

static JSValue content_type(JSContext *ctx, JSValueConst self) {
  const HeaderList *list = owner_list(ctx, self);
  Header h;
  if (!list || !list_find(list, CONTENT_TYPE, sizeof CONTENT_TYPE - 1, &h)) return JS_NULL;
  return new_latin1(ctx, h.value, h.value_len);
}

static bool append_type(JSContext *ctx, HeaderList *list, JSValueConst type) {
  Text text;
  if (!byte_text(ctx, type, &text)) return false;
  bool ok = list_append(ctx, list, CONTENT_TYPE, sizeof CONTENT_TYPE - 1, text.data, text.len);
  text_free(ctx, &text);
  return ok;
}

bool owner_imply(JSContext *ctx, HeaderList *list, JSValue type, bool plain) {
  Header h;
  bool ok = true;
  if (plain && !list->block)
    *list = list_share(&plain_text);
  else if (!list_find(list, CONTENT_TYPE, sizeof CONTENT_TYPE - 1, &h)) {
    uint32_t at = 0;
    if (plain && list_next(&plain_text, &at, &h)) ok = list_append(ctx, list, h.name, h.name_len, h.value, h.value_len);
    if (JS_IsString(type)) ok = append_type(ctx, list, type);
  }
  JS_FreeValue(ctx, type);
  return ok;
}

JSValue owner_get_body(JSContext *ctx, JSValueConst self) {
  Body *body = owner_body(ctx, self);
  return body ? body_stream(ctx, self, body) : JS_EXCEPTION;
}

JSValue owner_get_used(JSContext *ctx, JSValueConst self) {
  Body *body = owner_body(ctx, self);
  return body ? JS_NewBool(body_used(ctx, body)) : JS_EXCEPTION;
}

JSValue owner_consume(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int how) {
  Body *body = owner_body(ctx, self);
  if (!body) return rejected(ctx);
  bool wants_type = how == CONSUME_BLOB || how == CONSUME_FORM;
  return body_consume(ctx, body, how, wants_type ? content_type(ctx, self) : JS_UNDEFINED);
}
