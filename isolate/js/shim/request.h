// request.h: the Fetch standard's Request class.
#ifndef SW_REQUEST_H
#define SW_REQUEST_H

#include "body.h"
#include "headerlist.h"

typedef enum { REDIRECT_FOLLOW, REDIRECT_ERROR, REDIRECT_MANUAL } Redirect;

typedef struct {
  JSValue method, url;  // of an event's request, undefined until somebody asks: they are in the head
  JSValue headers;      // the Headers object once somebody asked for it; it has the list then
  JSValue signal, cf;   // undefined when not given
  HeaderList list;      // of an event's request, a view of its whole head
  Body body;
  Redirect redirect;
  uint32_t event;        // request id when this is an event's own request, whose head nobody can change
  uint32_t follows;      // a copy: id of the event's request, whose client may leave; 0: no signal follows it
  uint32_t event_body;   // handle of its body; 0: none
  uint32_t method_len, url_len;  // in the head's block, from HeadBlock's end
} Request;

extern Class request_class;
void request_define(void);

static inline Request *request_of(JSValueConst value) { return JS_GetOpaque(value, request_class.id); }
const HeaderList *request_list(const Request *);

// request_of_event makes the Request of an EVENT block.
JSValue request_of_event(JSContext *, const EventBlock *, const char *head, const char *inline_body);

// request_from is the constructor called by natives: input and init as in JavaScript.
JSValue request_from(JSContext *, int argc, JSValueConst *argv);

// request_head writes a flat request head.
bool request_head(JSContext *, Request *, Buffer *);

#endif
