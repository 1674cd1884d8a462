// response.h: the Fetch standard's Response class.
#ifndef SW_RESPONSE_H
#define SW_RESPONSE_H

#include "body.h"
#include "headerlist.h"

typedef struct {
  uint16_t status;
  bool redirected, error;
  bool manual;          // encodeBody: the body is sent as it is, whatever content-encoding says
  JSValue status_text;  // undefined: the reason phrase of the status
  JSValue url;          // undefined: the empty string
  JSValue headers;      // the Headers object once somebody asked for it; it has the list then
  HeaderList list;
  Body body;
  // A response from a fetch: its head stays at the host until somebody looks.
  uint32_t handle, req, fetched_body;
  bool head_here;
} Response;

extern Class response_class;
void response_define(void);

// response_fetched makes a Response from RESOLVE's payload for a fetch.
JSValue response_fetched(JSContext *, const uint8_t *payload);

static inline Response *response_of(JSValueConst value) { return JS_GetOpaque(value, response_class.id); }

// response_list borrows the headers, which may have to be brought from the host; NULL: it threw.
HeaderList *response_list(JSContext *, Response *);

// response_send tells the host. False: it threw, and nothing was sent.
bool response_send(JSContext *, Response *);

#endif
