// report.h: errors on their way to the host: a failed handler, unhandled rejections, exceptions
// that nobody could catch.
#ifndef SW_REPORT_H
#define SW_REPORT_H

#include "vm.h"

// report_text writes "TypeError: message" and says where the stack begins; the stack is appended
// right behind the message. A thrown value that is no Error is made a string. Takes nothing.
void report_text(JSContext *, JSValueConst error, Buffer *, uint32_t *message_len);

// report_failure leaves message, "\n", stack of the pending exception as text in the I/O buffer.
// It returns FAILED.
int report_failure(JSContext *);

// report_exception sends the pending exception to the log: nobody can catch it any more.
void report_exception(JSContext *);

// report_start begins to track rejections; report_rejections sends those still unhandled.
void report_start(void);
void report_rejections(void);

#endif
