// fetch.h: fetch(), by whichever way a request leaves.
#ifndef SW_FETCH_H
#define SW_FETCH_H

#include "object.h"

// A Route is where a fetch goes: a binding, and of a dispatch namespace the script's name and the
// options that travel with the call as JSON; undefined where there are none. It borrows its values.
typedef struct {
  int32_t binding;
  JSValueConst name, options;
  uint32_t kind;
} Route;

// fetch_by is fetch(input, init) -> Promise<Response> by a route. What is wrong with the arguments
// rejects the promise.
JSValue fetch_by(JSContext *, const Route *, int argc, JSValueConst *argv);

// fetch_call is sw.fetch(binding, request, name?, options?): no signal is looked at.
JSCFunction fetch_call;

// fetch_last is the operation id of the latest fetch, 0 when it failed at once.
extern uint32_t fetch_last;

// fetch_define makes the global fetch().
void fetch_define(void);

#endif
