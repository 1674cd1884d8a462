// url.h: the URL class.
#ifndef SW_URL_H
#define SW_URL_H

#include "object.h"
#include "text.h"
#include "urlparts.h"

// Url owns its serialisation; the parts are slices of it.
typedef struct {
  char *href;
  uint32_t len;
  UrlParts parts;
  JSValue params;  // the URLSearchParams once somebody asked for it
} Url;

extern Class url_class;
void url_define(void);

// url_parse_value parses what a caller passed as a URL and returns its serialisation, or throws
// a TypeError. base may be JS_UNDEFINED.
JSValue url_parse_value(JSContext *, JSValueConst input, JSValueConst base);

// url_put_query replaces the query after its URLSearchParams changed. False: out of memory.
bool url_put_query(JSContext *, Url *, const char *, size_t);

#endif
