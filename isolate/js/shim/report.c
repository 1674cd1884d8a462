#include "report.h"

#include <string.h>

#include "hooks.h"
#include "text.h"

typedef struct {
  JSValue promise, reason;
} Rejection;

enum { MAX_REJECTIONS = 64 };

// Only the first MAX_REJECTIONS of a drain are kept: past that the log has long made its point.
static Rejection pending[MAX_REJECTIONS];
static int pending_len;

static void put_string(JSContext *ctx, JSValueConst value, Buffer *b) {
  Text text;
  if (usv_text(ctx, value, &text)) {
    buffer_put(b, text.data, text.len);
    text_free(ctx, &text);
  } else {
    JS_FreeValue(ctx, JS_GetException(ctx));
    buffer_text(b, "(a value that cannot be made a string)");
  }
}

// put_frames puts the stack without the title it begins with: that is in b already.
static void put_frames(JSContext *ctx, JSValueConst stack, Buffer *b) {
  Text text;
  if (!usv_text(ctx, stack, &text)) {
    JS_FreeValue(ctx, JS_GetException(ctx));
    return;
  }
  uint32_t title = b->len;
  if (text.len < title || memcmp(text.data, b->data, title) != 0)
    title = 0;
  else if (title < text.len && text.data[title] == '\n')
    title++;
  buffer_put(b, text.data + title, text.len - title);
  text_free(ctx, &text);
}

static void put_stack(JSContext *ctx, JSValueConst error, Buffer *b) {
  JSValue stack = JS_GetPropertyStr(ctx, error, "stack");
  if (JS_IsException(stack)) JS_FreeValue(ctx, JS_GetException(ctx));
  if (JS_IsString(stack)) put_frames(ctx, stack, b);
  JS_FreeValue(ctx, stack);
}

enum { MAX_CAUSES = 4 };

static void put_error(JSContext *ctx, JSValueConst error, Buffer *b, uint32_t *message_len, int causes);

// put_cause puts what error says was its cause below its frames: title and frames again.
static void put_cause(JSContext *ctx, JSValueConst error, Buffer *b, int causes) {
  JSValue cause = JS_GetPropertyStr(ctx, error, "cause");
  if (JS_IsException(cause)) JS_FreeValue(ctx, JS_GetException(ctx));
  if (causes > 0 && !JS_IsException(cause) && !JS_IsUndefined(cause)) {
    Buffer of_cause = {0};
    uint32_t title_len;
    put_error(ctx, cause, &of_cause, &title_len, causes - 1);
    if (b->len > 0 && b->data[b->len - 1] != '\n') buffer_byte(b, '\n');
    buffer_text(b, "  [cause]: ");
    buffer_put(b, of_cause.data, title_len);
    if (of_cause.len > title_len) buffer_byte(b, '\n');
    buffer_put(b, of_cause.data + title_len, of_cause.len - title_len);
    buffer_free(&of_cause);
  }
  JS_FreeValue(ctx, cause);
}

static void put_error(JSContext *ctx, JSValueConst error, Buffer *b, uint32_t *message_len, int causes) {
  put_string(ctx, error, b);
  *message_len = b->len;
  if (!JS_IsObject(error)) return;
  put_stack(ctx, error, b);
  if (JS_IsError(error)) put_cause(ctx, error, b, causes);
}

void report_text(JSContext *ctx, JSValueConst error, Buffer *b, uint32_t *message_len) {
  put_error(ctx, error, b, message_len, MAX_CAUSES);
}

static void joined_text(JSContext *ctx, JSValueConst error, Buffer *b) {
  Buffer parts = {0};
  uint32_t message_len;
  report_text(ctx, error, &parts, &message_len);
  buffer_put(b, parts.data, message_len);
  if (parts.len > message_len) {
    buffer_byte(b, '\n');
    buffer_put(b, parts.data + message_len, parts.len - message_len);
  }
  buffer_free(&parts);
}

int report_failure(JSContext *ctx) {
  JSValue error = JS_GetException(ctx);
  Buffer b = {0};
  joined_text(ctx, error, &b);
  JS_FreeValue(ctx, error);
  text_out(b.data, b.len);
  buffer_free(&b);
  return FAILED;
}

static void send(JSContext *ctx, JSValueConst error) {
  Buffer b = {0};
  joined_text(ctx, error, &b);
  host(HOST_REJECTED, vm.current, address(b.data), b.len, 0);
  buffer_free(&b);
}

void report_exception(JSContext *ctx) {
  JSValue error = JS_GetException(ctx);
  send(ctx, error);
  JS_FreeValue(ctx, error);
}

static void forget(JSContext *ctx, int i) {
  JS_FreeValue(ctx, pending[i].promise);
  JS_FreeValue(ctx, pending[i].reason);
  pending_len--;
  for (; i < pending_len; i++) pending[i] = pending[i + 1];
}

static void track(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque) {
  if (!handled) {
    if (pending_len == MAX_REJECTIONS) return;
    pending[pending_len++] = (Rejection){JS_DupValue(ctx, promise), JS_DupValue(ctx, reason)};
    return;
  }
  for (int i = 0; i < pending_len; i++) {
    if (pending[i].promise != promise) continue;
    forget(ctx, i);
    return;
  }
  if (hook_exists(HOOK_HANDLED_LATER)) hook_true(ctx, HOOK_HANDLED_LATER, promise);
}

void report_start(void) { JS_SetHostPromiseRejectionTracker(vm.rt, track, NULL); }

// is_for_log asks the tenant's listeners first. Their own rejections wait for the next drain.
static bool is_for_log(Rejection r) {
  JSValueConst argv[] = {r.promise, r.reason};
  if (!hook_exists(HOOK_UNHANDLED)) return true;
  JSValue result = hook_call(vm.ctx, HOOK_UNHANDLED, 2, argv);
  if (JS_IsException(result)) report_exception(vm.ctx);
  bool yes = JS_IsException(result) || JS_ToBool(vm.ctx, result) > 0;
  JS_FreeValue(vm.ctx, result);
  return yes;
}

void report_rejections(void) {
  for (int left = pending_len; left > 0 && pending_len > 0; left--) {
    Rejection r = {JS_DupValue(vm.ctx, pending[0].promise), JS_DupValue(vm.ctx, pending[0].reason)};
    forget(vm.ctx, 0);
    if (is_for_log(r)) send(vm.ctx, r.reason);
    JS_FreeValue(vm.ctx, r.promise);
    JS_FreeValue(vm.ctx, r.reason);
  }
}
