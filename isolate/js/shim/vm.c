#include "vm.h"

#include <string.h>

VM vm;

static bool buffer_grow(Buffer *b, size_t more) {
  if (b->failed) return false;
  if (more <= b->cap - b->len) return true;
  size_t cap = (b->len + more) * 3 / 2 + 16;
  char *data = cap > INT32_MAX ? NULL : js_realloc_rt(vm.rt, b->data, cap);
  if (!data) {
    b->failed = true;
    return false;
  }
  b->data = data;
  b->cap = cap;
  return true;
}

void buffer_put(Buffer *b, const void *bytes, size_t n) {
  if (n == 0 || !buffer_grow(b, n)) return;
  memcpy(b->data + b->len, bytes, n);
  b->len += n;
}

void buffer_byte(Buffer *b, char c) {
  if (!buffer_grow(b, 1)) return;
  b->data[b->len++] = c;
}

void buffer_text(Buffer *b, const char *s) { buffer_put(b, s, strlen(s)); }

void buffer_number(Buffer *b, uint32_t n) {
  char digits[10];
  int at = sizeof digits;
  do digits[--at] = '0' + n % 10;
  while (n /= 10);
  buffer_put(b, digits + at, sizeof digits - at);
}

void buffer_free(Buffer *b) {
  js_free_rt(vm.rt, b->data);
  *b = (Buffer){0};
}

bool buffer_ok(JSContext *ctx, Buffer *b) {
  if (!b->failed) return true;
  buffer_free(b);
  JS_ThrowOutOfMemory(ctx);
  return false;
}

// The engine's own limit is behind the reserve and the allocator's own headers: pages.c is the
// one that refuses.
void heap_limit(uint32_t bytes) {
  vm.heap_limit = bytes;
  JS_SetMemoryLimit(vm.rt, bytes + 2 * HEAP_RESERVE);
}

void text_out(const char *s, size_t n) {
  uint32_t len = n > MAX_TEXT ? MAX_TEXT : n;
  memcpy(vm.io, &len, sizeof len);
  memcpy(vm.io + sizeof len, s, len);
}

JSValue error_from(JSContext *ctx, const uint8_t *text) {
  uint32_t len;
  memcpy(&len, text, sizeof len);
  JSValue error = JS_NewError(ctx);
  JSValue message = JS_NewStringLen(ctx, (const char *)text + sizeof len, len);
  if (JS_IsException(message) || JS_IsException(error)) return error;
  JS_DefinePropertyValueStr(ctx, error, "message", message, CONFIGURABLE | WRITABLE);
  return error;
}
