// encoding.h: the encodings of the Encoding standard that the shim decodes itself, without JavaScript's classes.
#ifndef SW_ENCODING_H
#define SW_ENCODING_H

#include "vm.h"

typedef struct {
  const char *name;  // what TextDecoder.encoding says
  const char *mark;  // the byte order mark
  uint8_t mark_len;
  size_t (*whole)(const char *, size_t);           // the length without an incomplete character at the end
  bool (*valid)(const char *, size_t);             // nothing in it would be replaced
  JSValue (*text)(JSContext *, const char *, size_t);  // a string of it, errors replaced by U+FFFD
} Encoding;

extern const Encoding utf8_encoding, utf16le_encoding, utf16be_encoding;

// encoding_labelled finds an encoding by one of its labels; NULL: the shim has none of that label.
const Encoding *encoding_labelled(const char *label, size_t len);

#endif
