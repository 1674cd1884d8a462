// operation.h: what the guest has asked of the host and waits for.
//
// An operation id is slot + 1 in the low 16 bits and the slot's generation above, so that a late
// RESOLVE for something stopped or dropped finds nothing. Ids live in linear memory only.
#ifndef SW_OPERATION_H
#define SW_OPERATION_H

#include "body.h"

enum { MAX_OPERATIONS = 16 << 10 };

// operation_promise registers an operation of the current request that resolves a promise. The
// id is 0 when it threw.
typedef enum { WAIT_FETCH, WAIT_READ, WAIT_WRITE, WAIT_TIMER, WAIT_COLLECT, WAIT_SERVICE, WAIT_GONE } Wait;
JSValue operation_promise(JSContext *, Wait, uint32_t *id);

// operation_callback registers a timer's callback; 0 when it threw.
uint32_t operation_callback(JSContext *, JSValueConst callback);

// operation_refused drops the operation and returns the host's text as an exception.
JSValue operation_refused(JSContext *, uint32_t id);

// operation_settle settles its promise at once with the value, or with what was thrown.
void operation_settle(JSContext *, uint32_t id, JSValue);

// operation_done drops it because the host answered at once.
void operation_done(uint32_t id);

// operation_collect reads a host body to its end and resolves to what `how` makes of it.
JSValue operation_collect(JSContext *, uint32_t req, uint32_t handle, Consume how, JSValueConst type);

// operation_stop forgets a pending operation; false: there is none of that id.
bool operation_stop(uint32_t id);

// operation_resolve is RESOLVE: it makes the operation's request the current one and settles.
void operation_resolve(uint32_t id, uint32_t status, const uint8_t *payload);

// operation_drop forgets every operation of a request.
void operation_drop(uint32_t req);

#endif
