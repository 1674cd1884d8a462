// jsonerror.h: what is wrong with a JSON text, in V8's words and with the frames of who parsed it.
#ifndef SW_JSONERROR_H
#define SW_JSONERROR_H

#include "vm.h"

// json_reword replaces the SyntaxError that the engine's parser has thrown for the text. Any other
// exception stays.
JSValue json_reword(JSContext *, const char *text, size_t len);

#endif
