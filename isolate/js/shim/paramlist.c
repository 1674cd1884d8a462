#include "paramlist.h"

#include <string.h>

#include "text.h"

bool param_next(const ParamList *list, uint32_t *at, Param *p) {
  if (*at >= list->bytes.len) return false;
  const char *start = list->bytes.data + *at;
  memcpy(&p->name_len, start, 4);
  memcpy(&p->value_len, start + 4, 4);
  p->name = start + 8;
  p->value = p->name + p->name_len;
  *at += 8 + p->name_len + p->value_len;
  return true;
}

bool param_is(const Param *p, const char *name, size_t len) {
  return p->name_len == len && (len == 0 || memcmp(p->name, name, len) == 0);
}

bool param_has_value(const Param *p, const char *value, size_t len) {
  return p->value_len == len && (len == 0 || memcmp(p->value, value, len) == 0);
}

uint32_t param_count(const ParamList *list) {
  uint32_t count = 0, at = 0;
  for (Param p; param_next(list, &at, &p);) count++;
  return count;
}

static void put_lengths(Buffer *b, uint32_t name_len, uint32_t value_len) {
  uint32_t lengths[2] = {name_len, value_len};
  buffer_put(b, lengths, sizeof lengths);
}

void param_append(ParamList *list, const char *name, size_t name_len, const char *value, size_t value_len) {
  put_lengths(&list->bytes, name_len, value_len);
  buffer_put(&list->bytes, name, name_len);
  buffer_put(&list->bytes, value, value_len);
}

// ---- application/x-www-form-urlencoded

// put_decoded appends s with '+' and "%XX" decoded, invalid UTF-8 replaced.
static uint32_t put_decoded(Buffer *to, const char *s, size_t n) {
  uint32_t start = to->len;
  Buffer raw = {0};
  for (size_t i = 0; i < n; i++) {
    bool coded = s[i] == '%' && i + 2 < n && hex_value(s[i + 1]) >= 0 && hex_value(s[i + 2]) >= 0;
    buffer_byte(&raw, coded ? hex_value(s[i + 1]) << 4 | hex_value(s[i + 2]) : s[i] == '+' ? ' ' : s[i]);
    if (coded) i += 2;
  }
  to->failed |= raw.failed;
  if (utf8_valid(raw.data, raw.len))
    buffer_put(to, raw.data, raw.len);
  else
    utf8_repair(to, raw.data, raw.len);
  buffer_free(&raw);
  return to->len - start;
}

static void parse_pair(ParamList *list, const char *s, size_t n) {
  const char *equals = memchr(s, '=', n);
  size_t name_len = equals ? (size_t)(equals - s) : n;
  Buffer *b = &list->bytes;
  uint32_t at = b->len, lengths[2];
  put_lengths(b, 0, 0);
  lengths[0] = put_decoded(b, s, name_len);
  lengths[1] = equals ? put_decoded(b, equals + 1, n - name_len - 1) : 0;
  if (!b->failed) memcpy(b->data + at, lengths, sizeof lengths);
}

void param_parse(ParamList *list, const char *form, size_t len) {
  for (size_t start = 0; start < len;) {
    const char *ampersand = memchr(form + start, '&', len - start);
    size_t end = ampersand ? (size_t)(ampersand - form) : len;
    if (end > start) parse_pair(list, form + start, end - start);
    start = end + 1;
  }
}

static void put_encoded(Buffer *b, const char *s, uint32_t n) {
  static const char HEX[] = "0123456789ABCDEF";
  for (uint32_t i = 0; i < n; i++) {
    uint8_t c = s[i];
    if (is_alpha(c) || is_digit(c) || c == '*' || c == '-' || c == '.' || c == '_') {
      buffer_byte(b, c);
    } else if (c == ' ') {
      buffer_byte(b, '+');
    } else {
      char coded[3] = {'%', HEX[c >> 4], HEX[c & 15]};
      buffer_put(b, coded, 3);
    }
  }
}

void param_serialise(const ParamList *list, Buffer *b) {
  uint32_t at = 0;
  for (Param p; param_next(list, &at, &p);) {
    if (b->len > 0) buffer_byte(b, '&');
    put_encoded(b, p.name, p.name_len);
    buffer_byte(b, '=');
    put_encoded(b, p.value, p.value_len);
  }
}

// ---- writing

// keep moves the pair at [start, at) down to *to.
static void keep(ParamList *list, uint32_t start, uint32_t at, uint32_t *to) {
  memmove(list->bytes.data + *to, list->bytes.data + start, at - start);
  *to += at - start;
}

void param_delete(ParamList *list, const char *name, size_t name_len, const char *value, size_t value_len,
                  bool by_value) {
  uint32_t at = 0, to = 0;
  Param p;
  for (uint32_t start = 0; param_next(list, &at, &p); start = at) {
    bool doomed = param_is(&p, name, name_len) && (!by_value || param_has_value(&p, value, value_len));
    if (!doomed) keep(list, start, at, &to);
  }
  list->bytes.len = to;
}

void param_set(ParamList *list, const char *name, size_t name_len, const char *value, size_t value_len) {
  ParamList changed = {0};
  uint32_t at = 0;
  bool done = false;
  for (Param p; param_next(list, &at, &p);) {
    bool match = param_is(&p, name, name_len);
    if (!match)
      param_append(&changed, p.name, p.name_len, p.value, p.value_len);
    else if (!done)
      param_append(&changed, name, name_len, value, value_len);
    done = done || match;
  }
  if (!done) param_append(&changed, name, name_len, value, value_len);
  buffer_free(&list->bytes);
  *list = changed;
}

// unit_order makes UTF-8 lead bytes compare as UTF-16 does: surrogates, that is four-byte
// sequences, come before U+E000 to U+FFFF.
static int unit_order(uint8_t b) { return b >= 0xF0 ? 0xED * 2 + 1 : b * 2; }

static int compare(const Param *a, const Param *b) {
  uint32_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
  for (uint32_t i = 0; i < shorter; i++) {
    uint8_t x = a->name[i], y = b->name[i];
    if (x == y) continue;
    int order = unit_order(x) - unit_order(y);
    return order != 0 ? order : (int)x - (int)y;
  }
  return (int)a->name_len - (int)b->name_len;
}

static void merge(Param *into, const Param *left, uint32_t lefts, const Param *right, uint32_t rights) {
  while (lefts > 0 && rights > 0) {
    if (compare(right, left) < 0)
      *into++ = *right++, rights--;
    else
      *into++ = *left++, lefts--;
  }
  memcpy(into, left, lefts * sizeof *left);
  memcpy(into + lefts, right, rights * sizeof *right);
}

// merge_sort is stable; spare is as large as params.
static void merge_sort(Param *params, Param *spare, uint32_t n) {
  if (n < 2) return;
  uint32_t half = n / 2;
  merge_sort(params, spare, half);
  merge_sort(params + half, spare, n - half);
  merge(spare, params, half, params + half, n - half);
  memcpy(params, spare, n * sizeof *params);
}

void param_sort(ParamList *list) {
  uint32_t count = param_count(list), at = 0;
  Param *params = js_realloc_rt(vm.rt, NULL, (2 * count + 1) * sizeof *params);
  if (!params) {
    list->bytes.failed = true;
    return;
  }
  for (uint32_t i = 0; i < count; i++) param_next(list, &at, &params[i]);
  merge_sort(params, params + count, count);
  ParamList sorted = {0};
  for (uint32_t i = 0; i < count; i++)
    param_append(&sorted, params[i].name, params[i].name_len, params[i].value, params[i].value_len);
  js_free_rt(vm.rt, params);
  buffer_free(&list->bytes);
  *list = sorted;
}
