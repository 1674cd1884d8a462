#include "urlencode.h"

#include <string.h>

#include "text.h"

// The sets nest: each adds to an earlier one. Control and non-ASCII bytes are in all of them.
#define IN_FRAGMENT (SET_FRAGMENT)
#define IN_QUERY (SET_QUERY | SET_SPECIAL_QUERY | SET_PATH | SET_USERINFO)
#define IN_PATH (SET_PATH | SET_USERINFO)

static const uint8_t sets[128] = {
    [' '] = IN_FRAGMENT | IN_QUERY,
    ['"'] = IN_FRAGMENT | IN_QUERY,
    ['<'] = IN_FRAGMENT | IN_QUERY,
    ['>'] = IN_FRAGMENT | IN_QUERY,
    ['`'] = IN_FRAGMENT | IN_PATH,
    ['#'] = IN_QUERY,
    ['\''] = SET_SPECIAL_QUERY,
    ['?'] = IN_PATH,
    ['^'] = IN_PATH,
    ['{'] = IN_PATH,
    ['}'] = IN_PATH,
    ['/'] = SET_USERINFO,
    [':'] = SET_USERINFO,
    [';'] = SET_USERINFO,
    ['='] = SET_USERINFO,
    ['@'] = SET_USERINFO,
    ['['] = SET_USERINFO,
    ['\\'] = SET_USERINFO,
    [']'] = SET_USERINFO,
    ['|'] = SET_USERINFO,
};

static bool must_encode(uint8_t c, EncodeSet set) { return c < 0x20 || c > 0x7E || (sets[c] & set); }

size_t arena_bytes(size_t input, size_t other) { return 4 * input + other + 2048; }

char *arena_take(Arena *a, size_t n) {
  if ((size_t)(a->end - a->at) < n) __builtin_trap();  // BUG: arena_bytes is wrong
  char *taken = a->at;
  a->at += n;
  return taken;
}

Slice arena_copy(Arena *a, Slice s) {
  char *to = arena_take(a, s.len);
  if (s.len > 0) memcpy(to, s.data, s.len);
  return (Slice){to, s.len};
}

void encode_to(Arena *a, Slice s, EncodeSet set) {
  static const char HEX[] = "0123456789ABCDEF";
  char *to = arena_take(a, 3 * (size_t)s.len), *at = to;
  for (uint32_t i = 0; i < s.len; i++) {
    uint8_t c = s.data[i];
    if (must_encode(c, set)) {
      *at++ = '%';
      *at++ = HEX[c >> 4];
      *at++ = HEX[c & 15];
    } else {
      *at++ = c;
    }
  }
  a->at = at;
}

Slice encode(Arena *a, Slice s, EncodeSet set) {
  uint32_t clean = 0;
  while (clean < s.len && !must_encode(s.data[clean], set)) clean++;
  if (clean == s.len) return s;
  char *start = a->at;
  encode_to(a, s, set);
  return (Slice){start, a->at - start};
}

Slice percent_decode(Arena *a, Slice s) {
  char *to = arena_take(a, s.len), *at = to;
  for (uint32_t i = 0; i < s.len; i++) {
    bool coded = s.data[i] == '%' && i + 2 < s.len && hex_value(s.data[i + 1]) >= 0 && hex_value(s.data[i + 2]) >= 0;
    *at++ = coded ? hex_value(s.data[i + 1]) << 4 | hex_value(s.data[i + 2]) : s.data[i];
    if (coded) i += 2;
  }
  return (Slice){to, at - to};
}
