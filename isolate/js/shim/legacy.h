// legacy.h: the encodings of the Encoding standard that the host decodes (../../service/encoding).
#ifndef SW_LEGACY_H
#define SW_LEGACY_H

#include "bytes.h"
#include "vm.h"

typedef struct {
  char name[16];
  uint8_t state[4];  // between two chunks; the host keeps nothing
} Legacy;

// legacy_labelled finds an encoding by one of its labels. False: it threw a RangeError.
bool legacy_labelled(JSContext *, Legacy *, const char *label, size_t len);

// legacy_decode is the text of a chunk. What is not valid throws a TypeError when fatal.
JSValue legacy_decode(JSContext *, Legacy *, Bytes, bool stream, bool fatal);

#endif
