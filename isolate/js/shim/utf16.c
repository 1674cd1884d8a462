// UTF-16 in both byte orders.

#include "encoding.h"
#include "text.h"

static bool is_lead(uint32_t unit) { return (unit & 0xFC00) == 0xD800; }
static bool is_trail(uint32_t unit) { return (unit & 0xFC00) == 0xDC00; }

static uint32_t unit_at(const char *s, bool big) {
  uint8_t first = s[0], second = s[1];
  return big ? first << 8 | second : second << 8 | first;
}

static size_t whole(const char *s, size_t n, bool big) {
  n &= ~(size_t)1;
  return n > 0 && is_lead(unit_at(s + n - 2, big)) ? n - 2 : n;
}

// next reads one code point at s (n > 0 bytes left) and says how many bytes it took; -1 for an
// error. What is incomplete at the end is one error.
static int32_t next(const char *s, size_t n, bool big, size_t *taken) {
  *taken = n < 2 ? n : 2;
  if (n < 2) return -1;
  uint32_t unit = unit_at(s, big);
  if (is_trail(unit)) return -1;
  if (!is_lead(unit)) return unit;
  if (n < 4) {
    *taken = n;
    return -1;
  }
  uint32_t trail = unit_at(s + 2, big);
  if (!is_trail(trail)) return -1;
  *taken = 4;
  return 0x10000 + ((unit & 0x3FF) << 10) + (trail & 0x3FF);
}

static bool valid(const char *s, size_t n, bool big) {
  for (size_t taken; n > 0; s += taken, n -= taken)
    if (next(s, n, big, &taken) < 0) return false;
  return true;
}

static JSValue text(JSContext *ctx, const char *s, size_t n, bool big) {
  Buffer utf8 = {0};
  for (size_t taken; n > 0; s += taken, n -= taken) {
    int32_t code_point = next(s, n, big, &taken);
    utf8_put(&utf8, code_point < 0 ? 0xFFFD : code_point);
  }
  if (!buffer_ok(ctx, &utf8)) return JS_EXCEPTION;
  JSValue string = JS_NewStringLen(ctx, utf8.data, utf8.len);
  buffer_free(&utf8);
  return string;
}

static size_t whole_le(const char *s, size_t n) { return whole(s, n, false); }
static size_t whole_be(const char *s, size_t n) { return whole(s, n, true); }
static bool valid_le(const char *s, size_t n) { return valid(s, n, false); }
static bool valid_be(const char *s, size_t n) { return valid(s, n, true); }
static JSValue text_le(JSContext *ctx, const char *s, size_t n) { return text(ctx, s, n, false); }
static JSValue text_be(JSContext *ctx, const char *s, size_t n) { return text(ctx, s, n, true); }

const Encoding utf16le_encoding = {"utf-16le", "\xFF\xFE", 2, whole_le, valid_le, text_le};
const Encoding utf16be_encoding = {"utf-16be", "\xFE\xFF", 2, whole_be, valid_be, text_be};
