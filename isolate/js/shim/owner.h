// owner.h: the Fetch standard's Body mixin: what Request and Response share.
#ifndef SW_OWNER_H
#define SW_OWNER_H

#include "body.h"
#include "headerlist.h"

// owner_body borrows the body of a Request or Response; anything else throws.
Body *owner_body(JSContext *, JSValueConst self);

// owner_imply adds the content type that a body implies when there is none yet. It owns type.
bool owner_imply(JSContext *, HeaderList *, JSValue type, bool plain);

JSValue owner_get_body(JSContext *, JSValueConst self);
JSValue owner_get_used(JSContext *, JSValueConst self);
JSValue owner_consume(JSContext *, JSValueConst self, int argc, JSValueConst *argv, int how);

void owner_define(void);

#define OWNER_MEMBERS                                      \
  ACCESSOR("body", owner_get_body, NULL),                  \
  ACCESSOR("bodyUsed", owner_get_used, NULL),              \
  METHOD_MAGIC("text", 0, owner_consume, CONSUME_TEXT),    \
  METHOD_MAGIC("json", 0, owner_consume, CONSUME_JSON),    \
  METHOD_MAGIC("bytes", 0, owner_consume, CONSUME_BYTES),  \
  METHOD_MAGIC("blob", 0, owner_consume, CONSUME_BLOB),    \
  METHOD_MAGIC("formData", 0, owner_consume, CONSUME_FORM), \
  METHOD_MAGIC("arrayBuffer", 0, owner_consume, CONSUME_BUFFER)

#endif
