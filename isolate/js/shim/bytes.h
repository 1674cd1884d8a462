// bytes.h: the memory behind an ArrayBuffer or a view of one.
#ifndef SW_BYTES_H
#define SW_BYTES_H

#include "vm.h"

typedef struct {
  uint8_t *data;
  size_t len;
} Bytes;

// bytes_of borrows the bytes of a BufferSource until anything else runs; false: it is none.
bool bytes_of(JSContext *, JSValueConst, Bytes *);

#endif
