// headerlist.h: headers as they travel, in one flat block (../../abi/head.go):
//
//   u32 name length, u32 value length, name (lower case), value (Latin-1)     … repeated, unaligned
//
// A list is a view of a counted block, which other lists and heads may share; a write makes the
// block its own first. So Request, Response and Headers hand lists around without copying bytes.
#ifndef SW_HEADERLIST_H
#define SW_HEADERLIST_H

#include "text.h"

typedef struct {
  uint32_t refs, len, cap;
  char data[];
} Block;

typedef struct {
  Block *block;  // NULL: no headers
  uint32_t from; // the list is block->data[from .. block->len)
} HeaderList;

typedef struct {
  const char *name, *value;
  uint32_t name_len, value_len;
} Header;

// block_new copies the bytes, or leaves room for them when they are NULL. It throws and returns NULL.
Block *block_new(JSContext *, const char *, size_t);
void block_free(Block *);

HeaderList list_share(const HeaderList *);
void list_free(HeaderList *);
uint32_t list_count(const HeaderList *);
const char *list_bytes(const HeaderList *, uint32_t *len);

// list_next steps through the list: start with *at = 0; false at the end.
bool list_next(const HeaderList *, uint32_t *at, Header *);
bool list_find(const HeaderList *, const char *name, size_t len, Header *);

// Writers. Names are lower-cased on the way in. False: out of memory, thrown.
bool list_append(JSContext *, HeaderList *, const char *name, size_t name_len, const char *value, size_t value_len);
bool list_delete(JSContext *, HeaderList *, const char *name, size_t len);

// list_replace sets the first header of that name and deletes the others.
bool list_replace(JSContext *, HeaderList *, const char *name, size_t name_len, const char *value, size_t value_len);

// Sorted view, as iteration shows headers: by name, values of one name joined with ", ", each
// set-cookie on its own. The caller frees *headers with js_free.
bool list_sorted(JSContext *, const HeaderList *, Header **headers, uint32_t *count);

#endif
