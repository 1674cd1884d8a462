// urlencode.h: percent-encode sets and percent-coding.
#ifndef SW_URLENCODE_H
#define SW_URLENCODE_H

#include "urlparts.h"

typedef enum {
  SET_C0 = 1 << 0,
  SET_FRAGMENT = 1 << 1,
  SET_QUERY = 1 << 2,
  SET_SPECIAL_QUERY = 1 << 3,
  SET_PATH = 1 << 4,
  SET_USERINFO = 1 << 5,
} EncodeSet;

char *arena_take(Arena *, size_t);
Slice arena_copy(Arena *, Slice);

// encode_to appends to the arena; encode makes a slice, which is the input itself when nothing
// had to be encoded.
void encode_to(Arena *, Slice, EncodeSet);
Slice encode(Arena *, Slice, EncodeSet);

Slice percent_decode(Arena *, Slice);

#endif
