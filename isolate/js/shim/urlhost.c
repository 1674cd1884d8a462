#include "urlhost.h"

#include <string.h>

#include "protocol.h"
#include "text.h"
#include "urlencode.h"
#include "vm.h"

// ---- code points

enum { IN_HOST = 1, IN_DOMAIN = 2, IN_BOTH = 3 };

// What may not be in a host, and what not in a domain besides.
static const uint8_t forbidden[256] = {
    [0] = IN_BOTH,    [1 ... 8] = IN_DOMAIN, ['\t'] = IN_BOTH, ['\n'] = IN_BOTH, [11 ... 12] = IN_DOMAIN,
    ['\r'] = IN_BOTH, [14 ... 31] = IN_DOMAIN, [' '] = IN_BOTH, ['#'] = IN_BOTH,  ['%'] = IN_DOMAIN,
    ['/'] = IN_BOTH,  [':'] = IN_BOTH,       ['<'] = IN_BOTH,  ['>'] = IN_BOTH,  ['?'] = IN_BOTH,
    ['@'] = IN_BOTH,  ['['] = IN_BOTH,       ['\\'] = IN_BOTH, [']'] = IN_BOTH,  ['^'] = IN_BOTH,
    ['|'] = IN_BOTH,  [0x7F] = IN_DOMAIN,
};

static bool any_forbidden(Slice s, int where) {
  int found = 0;
  for (uint32_t i = 0; i < s.len; i++) found |= forbidden[(uint8_t)s.data[i]];
  return found & where;
}

// ---- IPv4

enum { MAX_IPV4_PARTS = 4 };

// number_of reads an IPv4 part: decimal, 0octal or 0xhex. -1: not a number. Values stop growing
// at 2^40, which is too large anyway.
static int64_t number_of(Slice s) {
  int radix = 10;
  if (s.len == 0) return -1;
  if (s.len >= 2 && s.data[0] == '0') {
    bool hex = (s.data[1] | 32) == 'x';
    radix = hex ? 16 : 8;
    s.data += hex ? 2 : 1;
    s.len -= hex ? 2 : 1;
  }
  int64_t value = 0;
  for (uint32_t i = 0; i < s.len; i++) {
    int digit = hex_value(s.data[i]);
    if (digit < 0 || digit >= radix) return -1;
    if (value < (int64_t)1 << 40) value = value * radix + digit;
  }
  return value;
}

static Slice last_label(Slice s) {
  if (s.len > 0 && s.data[s.len - 1] == '.') s.len--;
  uint32_t start = s.len;
  while (start > 0 && s.data[start - 1] != '.') start--;
  return (Slice){s.data + start, s.len - start};
}

static bool all_digits(Slice s) {
  for (uint32_t i = 0; i < s.len; i++)
    if (!is_digit(s.data[i])) return false;
  return s.len > 0;
}

static bool ends_in_number(Slice s) {
  Slice last = last_label(s);
  return all_digits(last) || number_of(last) >= 0;
}

// split_ipv4 reads the dotted numbers; the count, or -1.
static int split_ipv4(Slice s, int64_t parts[MAX_IPV4_PARTS]) {
  int count = 0;
  if (s.len > 0 && s.data[s.len - 1] == '.') s.len--;
  for (uint32_t start = 0; start <= s.len;) {
    uint32_t end = start;
    while (end < s.len && s.data[end] != '.') end++;
    if (count == MAX_IPV4_PARTS) return -1;
    parts[count] = number_of((Slice){s.data + start, end - start});
    if (parts[count++] < 0) return -1;
    start = end + 1;
  }
  return count;
}

static Slice write_ipv4(Arena *a, uint32_t address) {
  char *to = arena_take(a, 15), *at = to;
  for (int shift = 24; shift >= 0; shift -= 8) {
    uint32_t byte = address >> shift & 255;
    if (byte >= 100) *at++ = '0' + byte / 100;
    if (byte >= 10) *at++ = '0' + byte / 10 % 10;
    *at++ = '0' + byte % 10;
    if (shift > 0) *at++ = '.';
  }
  a->at = at;
  return (Slice){to, at - to};
}

static bool parse_ipv4(Slice s, Arena *a, Slice *host) {
  int64_t parts[MAX_IPV4_PARTS];
  int count = split_ipv4(s, parts);
  if (count <= 0) return false;
  for (int i = 0; i < count - 1; i++)
    if (parts[i] > 255) return false;
  // The last part fills all bytes that are left.
  if (parts[count - 1] >= (int64_t)1 << (8 * (5 - count))) return false;
  uint32_t address = parts[count - 1];
  for (int i = 0; i < count - 1; i++) address |= (uint32_t)parts[i] << (8 * (3 - i));
  *host = write_ipv4(a, address);
  return true;
}

// ---- IPv6

enum { PIECES = 8 };

typedef struct {
  const char *at, *end;
  uint16_t pieces[PIECES];
  int index, compress;  // compress: where "::" stands, -1 for nowhere
} V6;

static bool more(const V6 *v) { return v->at < v->end; }

// read_v4_tail reads "1.2.3.4" into the next two pieces.
static bool read_v4_tail(V6 *v) {
  if (v->index > PIECES - 2) return false;
  for (int seen = 0; seen < 4; seen++) {
    if (seen > 0 && (!more(v) || *v->at++ != '.')) return false;
    int value = -1;
    for (; more(v) && is_digit(*v->at); v->at++) {
      if (value == 0) return false;  // a leading zero
      value = (value < 0 ? 0 : value * 10) + (*v->at - '0');
      if (value > 255) return false;
    }
    if (value < 0) return false;
    v->pieces[v->index] = v->pieces[v->index] << 8 | value;
    if (seen == 1 || seen == 3) v->index++;
  }
  return !more(v);
}

// read_piece reads up to four hexadecimal digits and what separates them from the next piece.
static bool read_piece(V6 *v) {
  const char *start = v->at;
  uint32_t value = 0;
  for (; more(v) && v->at - start < 4 && hex_value(*v->at) >= 0; v->at++) value = value << 4 | hex_value(*v->at);
  if (more(v) && *v->at == '.') {
    if (v->at == start) return false;
    v->at = start;
    return read_v4_tail(v);
  }
  if (more(v)) {
    if (*v->at++ != ':' || !more(v)) return false;
  }
  v->pieces[v->index++] = value;
  return true;
}

static void expand(V6 *v) {
  int moved = v->index - v->compress;
  for (int i = 0; i < moved; i++) {
    uint16_t piece = v->pieces[v->index - 1 - i];
    v->pieces[v->index - 1 - i] = 0;
    v->pieces[PIECES - 1 - i] = piece;
  }
}

static bool read_v6(V6 *v) {
  if (more(v) && *v->at == ':') {
    if (v->end - v->at < 2 || v->at[1] != ':') return false;
    v->at += 2;
    v->compress = 0;
  }
  while (more(v)) {
    if (v->index == PIECES) return false;
    if (*v->at == ':') {
      if (v->compress >= 0) return false;
      v->at++;
      v->compress = v->index;
      continue;
    }
    if (!read_piece(v)) return false;
  }
  if (v->compress < 0) return v->index == PIECES;
  if (v->index == PIECES) return false;
  expand(v);
  return true;
}

// longest_zeros finds the first longest run of two or more zero pieces: where, or -1.
static int longest_zeros(const uint16_t *pieces, int *length) {
  int best = -1;
  *length = 1;
  for (int i = 0; i < PIECES; i++) {
    int run = 0;
    while (i + run < PIECES && pieces[i + run] == 0) run++;
    if (run > *length) best = i, *length = run;
    i += run;
  }
  return best;
}

static char *write_hex(char *at, uint16_t value) {
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    int digit = value >> shift & 15;
    started = started || digit || shift == 0;
    if (started) *at++ = "0123456789abcdef"[digit];
  }
  return at;
}

static Slice write_v6(Arena *a, const uint16_t *pieces) {
  int length, zeros = longest_zeros(pieces, &length);
  char *to = arena_take(a, 41), *at = to;
  *at++ = '[';
  for (int i = 0; i < PIECES; i++) {
    if (i == zeros) {
      *at++ = ':';
      if (i == 0) *at++ = ':';
      i += length - 1;
      continue;
    }
    at = write_hex(at, pieces[i]);
    if (i < PIECES - 1) *at++ = ':';
  }
  *at++ = ']';
  a->at = at;
  return (Slice){to, at - to};
}

static bool parse_v6(Slice s, Arena *a, Slice *host) {
  V6 v = {.at = s.data, .end = s.data + s.len, .compress = -1};
  if (!read_v6(&v)) return false;
  *host = write_v6(a, v.pieces);
  return true;
}

// ---- domains

static bool has_punycode(Slice s) {
  for (uint32_t i = 0; i + 4 <= s.len; i++)
    if ((i == 0 || s.data[i - 1] == '.') && text_is_nocase(s.data + i, 4, "xn--")) return true;
  return false;
}

static Slice lower_case(Arena *a, Slice s) {
  Slice copy = arena_copy(a, s);
  char *data = (char *)copy.data;
  for (uint32_t i = 0; i < s.len; i++) data[i] = to_lower(data[i]);
  return copy;
}

// Unicode's mapping tables are the host's business; most domains do not need them.
static bool to_ascii(Slice s, Arena *a, Slice *domain) {
  if (is_ascii(s.data, s.len) && !has_punycode(s)) {
    *domain = lower_case(a, s);
    return true;
  }
  if (!utf8_valid(s.data, s.len)) return false;
  char *out = arena_take(a, MAX_IDNA);
  int len = host(HOST_IDNA, vm.current, address(s.data), s.len, address(out));
  if (len < 0) return false;
  *domain = (Slice){out, len};
  return true;
}

static bool contains(Slice s, char c) { return s.len > 0 && memchr(s.data, c, s.len) != NULL; }

static bool parse_domain(Slice input, Arena *a, Slice *domain) {
  Slice decoded = contains(input, '%') ? percent_decode(a, input) : input;
  if (!to_ascii(decoded, a, domain) || domain->len == 0) return false;
  if (any_forbidden(*domain, IN_DOMAIN)) return false;
  return !ends_in_number(*domain) || parse_ipv4(*domain, a, domain);
}

bool host_parse(Slice input, bool opaque, Arena *a, Slice *host) {
  if (input.len > 0 && input.data[0] == '[') {
    if (input.data[input.len - 1] != ']') return false;
    return parse_v6((Slice){input.data + 1, input.len - 2}, a, host);
  }
  if (!opaque) return parse_domain(input, a, host);
  if (any_forbidden(input, IN_HOST)) return false;
  *host = encode(a, input, SET_C0);
  return true;
}
