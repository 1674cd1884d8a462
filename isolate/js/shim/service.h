// service.h: what JavaScript has the host compute: sw.service(number, method, object, …parts).
//
// A part is a buffer, a string (sent as UTF-8), a number (an i32) or nullish (empty).
#ifndef SW_SERVICE_H
#define SW_SERVICE_H

#include "protocol.h"
#include "vm.h"

// The shim's own requests, answered at once. The parts are what the block's parts point to. The answer is the host's
// own memory or, when big, memory to free. False: it threw.
typedef struct {
  const char *data;
  size_t len;
  char *own;
} Answer;
bool service_ask(JSContext *, ServiceBlock *, Answer *);
void answer_free(JSContext *, Answer *);

// The answer at once: a Uint8Array, or a string of UTF-8.
JSValue service_bytes(JSContext *, JSValueConst self, int argc, JSValueConst *argv);
JSValue service_text(JSContext *, JSValueConst self, int argc, JSValueConst *argv);

// The answer as a promise of a Uint8Array, which is settled already when the host answered at once.
JSValue service_async(JSContext *, JSValueConst self, int argc, JSValueConst *argv);

// answer_copy copies an answer of len bytes, which is in the I/O buffer or waits to be taken.
void answer_copy(char *to, uint32_t len);

#endif
