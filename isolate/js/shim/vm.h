// vm.h: what there is one of: the runtime, its context, the request being run, the I/O buffer.
// All of it lives in linear memory, so a snapshot of the memory is a snapshot of the isolate.
#ifndef SW_VM_H
#define SW_VM_H

#include "engine.h"
#include "protocol.h"

typedef struct {
  JSRuntime *rt;
  JSContext *ctx;
  uint8_t *io;       // IO_BYTES, written by the host or by us, never kept
  uint32_t current;  // request id of the entry being run; 0 is module scope
  uint32_t heap_limit;
} VM;

extern VM vm;

// Growable bytes, counted against the heap limit. A failed growth sticks in `failed` and drops
// what follows, so that writers check once, at the end.
typedef struct {
  char *data;
  uint32_t len, cap;
  bool failed;
} Buffer;

void buffer_put(Buffer *, const void *, size_t);
void buffer_byte(Buffer *, char);
void buffer_text(Buffer *, const char *terminated);
void buffer_number(Buffer *, uint32_t);
void buffer_free(Buffer *);

// Throws out-of-memory and frees the buffer when a write to it failed.
bool buffer_ok(JSContext *, Buffer *);

// heap_limit sets the limit of the heap. Behind it is a reserve for telling that it is reached.
enum { HEAP_RESERVE = 1 << 20 };
void heap_limit(uint32_t bytes);

// text_out leaves a text in the I/O buffer: u32 length, bytes, cut at MAX_TEXT.
void text_out(const char *, size_t);

// text_in makes an Error from the text that the host left in the I/O buffer or at ptr.
JSValue error_from(JSContext *, const uint8_t *text);

#endif
