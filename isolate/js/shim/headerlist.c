#include "headerlist.h"

#include <string.h>

Block *block_new(JSContext *ctx, const char *bytes, size_t n) {
  Block *block = js_malloc(ctx, sizeof *block + n);
  if (!block) return NULL;
  *block = (Block){.refs = 1, .len = n, .cap = n};
  if (bytes) memcpy(block->data, bytes, n);
  return block;
}

void block_free(Block *block) {
  if (block && --block->refs == 0) js_free_rt(vm.rt, block);
}

HeaderList list_share(const HeaderList *list) {
  if (list->block) list->block->refs++;
  return *list;
}

void list_free(HeaderList *list) {
  block_free(list->block);
  *list = (HeaderList){0};
}

const char *list_bytes(const HeaderList *list, uint32_t *len) {
  *len = list->block ? list->block->len - list->from : 0;
  return list->block ? list->block->data + list->from : NULL;
}

bool list_next(const HeaderList *list, uint32_t *at, Header *h) {
  uint32_t len;
  const char *bytes = list_bytes(list, &len);
  if (*at >= len) return false;
  memcpy(&h->name_len, bytes + *at, 4);
  memcpy(&h->value_len, bytes + *at + 4, 4);
  h->name = bytes + *at + 8;
  h->value = h->name + h->name_len;
  *at += 8 + h->name_len + h->value_len;
  return true;
}

uint32_t list_count(const HeaderList *list) {
  uint32_t count = 0, at = 0;
  for (Header h; list_next(list, &at, &h);) count++;
  return count;
}

static bool same_name(const Header *h, const char *name, size_t len) {
  if (h->name_len != len) return false;
  for (size_t i = 0; i < len; i++)
    if (h->name[i] != to_lower(name[i])) return false;
  return true;
}

bool list_find(const HeaderList *list, const char *name, size_t len, Header *h) {
  for (uint32_t at = 0; list_next(list, &at, h);)
    if (same_name(h, name, len)) return true;
  return false;
}

// own makes the block this list's alone, starting at 0, with room for `more` bytes.
static bool own(JSContext *ctx, HeaderList *list, size_t more) {
  uint32_t len;
  const char *bytes = list_bytes(list, &len);
  Block *old = list->block;
  if (old && old->refs == 1 && list->from == 0 && old->cap - len >= more) return true;
  size_t cap = (len + more) * 3 / 2 + 64;
  Block *block = js_malloc(ctx, sizeof *block + cap);
  if (!block) return false;
  *block = (Block){.refs = 1, .len = len, .cap = cap};
  if (len > 0) memcpy(block->data, bytes, len);
  block_free(old);
  *list = (HeaderList){block, 0};
  return true;
}

bool list_append(JSContext *ctx, HeaderList *list, const char *name, size_t name_len, const char *value,
                 size_t value_len) {
  if (!own(ctx, list, 8 + name_len + value_len)) return false;
  char *to = list->block->data + list->block->len;
  uint32_t lengths[2] = {name_len, value_len};
  memcpy(to, lengths, sizeof lengths);
  to += sizeof lengths;
  for (size_t i = 0; i < name_len; i++) to[i] = to_lower(name[i]);
  if (value_len > 0) memcpy(to + name_len, value, value_len);
  list->block->len += 8 + name_len + value_len;
  return true;
}

// delete_from removes headers of that name at or after `at`.
static bool delete_from(JSContext *ctx, HeaderList *list, uint32_t at, const char *name, size_t len) {
  if (!own(ctx, list, 0)) return false;
  Block *block = list->block;
  uint32_t to = at;
  Header h;
  for (uint32_t start = at; list_next(list, &at, &h); start = at) {
    if (same_name(&h, name, len)) continue;
    memmove(block->data + to, block->data + start, at - start);
    to += at - start;
  }
  block->len = to;
  return true;
}

bool list_delete(JSContext *ctx, HeaderList *list, const char *name, size_t len) {
  Header h;
  return !list_find(list, name, len, &h) || delete_from(ctx, list, 0, name, len);
}

bool list_replace(JSContext *ctx, HeaderList *list, const char *name, size_t name_len, const char *value,
                  size_t value_len) {
  Header old;
  if (!list_find(list, name, name_len, &old)) return list_append(ctx, list, name, name_len, value, value_len);
  if (!own(ctx, list, value_len)) return false;
  list_find(list, name, name_len, &old);
  Block *block = list->block;
  char *at = (char *)old.value, *rest = at + old.value_len;
  memmove(at + value_len, rest, block->data + block->len - rest);
  if (value_len > 0) memcpy(at, value, value_len);
  block->len += value_len - old.value_len;
  uint32_t length = value_len;
  memcpy((char *)old.name - 4, &length, 4);
  return delete_from(ctx, list, at + value_len - block->data, name, name_len);
}

static int compare_names(const Header *a, const Header *b) {
  uint32_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
  int order = memcmp(a->name, b->name, shorter);
  return order != 0 ? order : (int)a->name_len - (int)b->name_len;
}

// Insertion keeps equal names in their order; lists are short and mostly sorted by nobody.
static void insert(Header *sorted, uint32_t count, Header h) {
  while (count > 0 && compare_names(&sorted[count - 1], &h) > 0) {
    sorted[count] = sorted[count - 1];
    count--;
  }
  sorted[count] = h;
}

bool list_sorted(JSContext *ctx, const HeaderList *list, Header **headers, uint32_t *count) {
  uint32_t total = list_count(list), at = 0;
  *count = 0;
  *headers = js_malloc(ctx, (total + 1) * sizeof(Header));
  if (!*headers) return false;
  for (Header h; list_next(list, &at, &h);) insert(*headers, (*count)++, h);
  return true;
}
