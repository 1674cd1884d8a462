// event.h: a fetch event, from EVENT to RESPOND or THROWN.
#ifndef SW_EVENT_H
#define SW_EVENT_H

#include "object.h"

void event_define(void);

// event_env is ENV: it builds the base env from a JSON array.
int event_env(const char *json, uint32_t len);

// event_expose makes bindings global variables, as service-worker syntax has them.
void event_expose(void);

// event_run is EVENT: it calls the handler of request vm.current.
void event_run(const char *block);

// event_settle answers request vm.current when its handler's promise has settled, and has others woken;
// true when it did.
bool event_settle(void);

// event_drop forgets a request that waits for its handler.
void event_drop(uint32_t req);

// event_hold keeps request vm.current alive until the promise settles. It takes the value.
bool event_hold(JSContext *, JSValue promise);

int event_handlers(void);

#endif
