#include "text.h"

#include <string.h>

bool is_ascii(const char *s, size_t n) {
  uint64_t bits = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t word;
    memcpy(&word, s + i, 8);
    bits |= word;
  }
  for (; i < n; i++) bits |= (uint8_t)s[i];
  return (bits & 0x8080808080808080) == 0;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_is_nocase(const char *data, size_t len, const char *lower) {
  if (strlen(lower) != len) return false;
  for (size_t i = 0; i < len; i++)
    if (to_lower(data[i]) != lower[i]) return false;
  return true;
}

// What a lead byte announces: how many bytes follow and the range of the first of them. The
// ranges keep out overlong forms, surrogates and code points above U+10FFFF.
typedef struct {
  uint8_t follow, low, high;
} Lead;

static Lead lead_of(uint8_t b) {
  if (b >= 0xC2 && b <= 0xDF) return (Lead){1, 0x80, 0xBF};
  if (b == 0xE0) return (Lead){2, 0xA0, 0xBF};
  if (b == 0xED) return (Lead){2, 0x80, 0x9F};
  if (b >= 0xE1 && b <= 0xEF) return (Lead){2, 0x80, 0xBF};
  if (b == 0xF0) return (Lead){3, 0x90, 0xBF};
  if (b == 0xF4) return (Lead){3, 0x80, 0x8F};
  if (b >= 0xF1 && b <= 0xF3) return (Lead){3, 0x80, 0xBF};
  return (Lead){0, 0, 0};
}

int32_t utf8_decode(const uint8_t *p, size_t n, size_t *taken) {
  *taken = 1;
  if (p[0] < 0x80) return p[0];
  Lead lead = lead_of(p[0]);
  if (lead.follow == 0) return -1;
  int32_t code_point = p[0] & (0x3F >> lead.follow);
  for (size_t i = 1; i <= lead.follow; i++) {
    if (i >= n || p[i] < lead.low || p[i] > lead.high) return -1;
    code_point = code_point << 6 | (p[i] & 0x3F);
    lead.low = 0x80, lead.high = 0xBF;
    *taken = i + 1;
  }
  return code_point;
}

size_t utf8_whole(const char *data, size_t len) {
  size_t back = len < 3 ? len : 3;
  for (size_t i = 1; i <= back; i++) {
    uint8_t b = data[len - i];
    if ((b & 0xC0) == 0x80) continue;
    Lead lead = lead_of(b);
    bool open = lead.follow >= i;
    if (open && i > 1) {
      uint8_t second = data[len - i + 1];
      open = second >= lead.low && second <= lead.high;
    }
    return open ? len - i : len;
  }
  return len;
}

bool utf8_valid(const char *s, size_t n) {
  if (is_ascii(s, n)) return true;
  for (size_t i = 0, taken; i < n; i += taken)
    if (utf8_decode((const uint8_t *)s + i, n - i, &taken) < 0) return false;
  return true;
}

bool utf8_has_replacement(const char *s, size_t n) {
  for (size_t i = 0; i + 2 < n; i++)
    if (memcmp(s + i, "\xEF\xBF\xBD", 3) == 0) return true;
  return false;
}

void utf8_put(Buffer *b, uint32_t c) {
  if (c < 0x80) {
    buffer_byte(b, c);
    return;
  }
  int follow = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static const uint8_t marks[] = {0, 0xC0, 0xE0, 0xF0};
  buffer_byte(b, marks[follow] | c >> (6 * follow));
  while (follow-- > 0) buffer_byte(b, 0x80 | (c >> (6 * follow) & 0x3F));
}

void utf8_repair(Buffer *out, const char *s, size_t n) {
  for (size_t i = 0, taken; i < n; i += taken) {
    if (utf8_decode((const uint8_t *)s + i, n - i, &taken) < 0)
      buffer_put(out, "\xEF\xBF\xBD", 3);
    else
      buffer_put(out, s + i, taken);
  }
}

JSValue new_text(JSContext *ctx, const char *s, size_t n) {
  if (utf8_valid(s, n)) return JS_NewStringLen(ctx, s, n);
  Buffer repaired = {0};
  utf8_repair(&repaired, s, n);
  if (!buffer_ok(ctx, &repaired)) return JS_EXCEPTION;
  JSValue text = JS_NewStringLen(ctx, repaired.data, repaired.len);
  buffer_free(&repaired);
  return text;
}

JSValue new_latin1(JSContext *ctx, const char *s, size_t n) {
  if (is_ascii(s, n)) return JS_NewStringLen(ctx, s, n);
  Buffer utf8 = {0};
  for (size_t i = 0; i < n; i++) utf8_put(&utf8, (uint8_t)s[i]);
  if (!buffer_ok(ctx, &utf8)) return JS_EXCEPTION;
  JSValue text = JS_NewStringLen(ctx, utf8.data, utf8.len);
  buffer_free(&utf8);
  return text;
}

static bool borrow(JSContext *ctx, JSValueConst value, Text *t) {
  *t = (Text){0};
  t->borrowed = JS_ToCStringLen2(ctx, &t->len, value, false);
  t->data = t->borrowed;
  return t->borrowed != NULL;
}

// The engine encodes lone surrogates as ED A0..BF xx: three bytes, as many as U+FFFD has. A string
// with any non-ASCII byte is a copy made for us, so it may be mended in place.
static void mend_surrogates(char *s, size_t n) {
  for (size_t i = 0; i + 2 < n; i++)
    if ((uint8_t)s[i] == 0xED && (uint8_t)s[i + 1] >= 0xA0) memcpy(s + i, "\xEF\xBF\xBD", 3);
}

bool usv_text(JSContext *ctx, JSValueConst value, Text *t) {
  if (!borrow(ctx, value, t)) return false;
  if (!is_ascii(t->data, t->len)) mend_surrogates((char *)t->borrowed, t->len);
  return true;
}

// narrow turns UTF-8 into Latin-1 in place (it only shrinks); false: a code point above 255.
static bool narrow(char *s, size_t *len) {
  size_t to = 0;
  for (size_t i = 0; i < *len; i++) {
    uint8_t b = s[i];
    if (b >= 0xC4) return false;
    s[to++] = b < 0x80 ? b : (char)(b << 6 | (s[++i] & 0x3F));
  }
  *len = to;
  return true;
}

bool byte_text(JSContext *ctx, JSValueConst value, Text *t) {
  if (!borrow(ctx, value, t)) return false;
  if (is_ascii(t->data, t->len)) return true;
  t->own = js_malloc(ctx, t->len);
  if (t->own) memcpy(t->own, t->data, t->len);
  t->data = t->own;
  if (t->own && narrow(t->own, &t->len)) return true;
  if (t->own) JS_ThrowTypeError(ctx, "value has a character above 255, which a header cannot carry");
  text_free(ctx, t);
  return false;
}

void text_free(JSContext *ctx, Text *t) {
  if (t->borrowed) JS_FreeCString(ctx, t->borrowed);
  js_free(ctx, t->own);
  *t = (Text){0};
}

bool utf8_has_lone(const char *s, size_t n) {
  for (const char *at = s; (at = memchr(at, 0xED, s + n - at)); at++)
    if (utf8_is_lone(at, s + n - at)) return true;
  return false;
}
