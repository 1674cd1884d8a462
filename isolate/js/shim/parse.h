// parse.h: JSON.parse (ECMA-262, 25.5.1) without a reviver.
//
// The parser takes well-formed text only. What is not, and the few things that UTF-8 cannot say (lone
// surrogates), it leaves to the engine's, which begins from the start: errors are the engine's own.
#ifndef SW_PARSE_H
#define SW_PARSE_H

#include "object.h"

// The most levels that arrays and objects may nest in each other. The engine's parser recurses on
// the native stack with next to nothing on the one it checks, so that a short hostile text would end
// in a trap, which costs the whole isolate, before the RangeError comes.
enum { MAX_JSON_DEPTH = 2000 };

// parse_json makes the value of a text that ends in a NUL, or throws: a SyntaxError that names file,
// a RangeError when it nests too deeply.
JSValue parse_json(JSContext *, const char *terminated, size_t, const char *file);

void parse_define(void);

#endif
