// fetch.h: fetch() as the prelude calls it.
#ifndef SW_FETCH_H
#define SW_FETCH_H

#include "object.h"

// fetch_call is sw.fetch(binding, request, name?, options?) -> Promise<Response>.
JSCFunction fetch_call;

// fetch_last is the operation id of the latest fetch, 0 when it failed at once.
extern uint32_t fetch_last;

#endif
