// json.h: a ceiling on how deeply parsed JSON may nest. The engine's parser recurses on the native
// stack with next to nothing on the one it checks, so that a short hostile text would end in a
// trap, which costs the whole isolate, before the RangeError comes.
#ifndef SW_JSON_H
#define SW_JSON_H

#include "object.h"

enum { MAX_JSON_DEPTH = 2000 };

void json_define(void);

// json_shallow throws a RangeError when the text nests more deeply than MAX_JSON_DEPTH.
bool json_shallow(JSContext *, const char *, size_t);

#endif
