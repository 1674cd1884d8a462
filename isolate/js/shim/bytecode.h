// bytecode.h: code compiled in one runtime and run in another.
//
// The prelude's compiler needs several times the memory that its result does, and a function keeps
// its text, and that of the functions in it, for toString(). So it is compiled in a runtime of its
// own, whose memory the lasting one takes over, and its text stays behind.
#ifndef SW_BYTECODE_H
#define SW_BYTECODE_H

#include "vm.h"

// Bytecode is malloc's, and trusted: only what bytecode_compile made may be run.
typedef struct {
  uint8_t *data;
  size_t len;
} Bytecode;

// bytecode_compile compiles a script. 0, or FAILED with the text in the I/O buffer.
int bytecode_compile(const char *source, uint32_t len, const char *file, Bytecode *);

// bytecode_run returns the script's value.
JSValue bytecode_run(JSContext *, const Bytecode *);

#endif
