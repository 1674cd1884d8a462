// convert.h: the last step of reading a body: bytes to what text(), json() and so on resolve to.
#ifndef SW_CONVERT_H
#define SW_CONVERT_H

#include "body.h"

// convert_bytes makes the value of bytes that nobody else will use. type is the content type.
JSValue convert_bytes(JSContext *, Consume, const char *, size_t, JSValueConst type);

// convert_text is convert_bytes for a string body.
JSValue convert_text(JSContext *, Consume, JSValueConst string, JSValueConst type);

// convert_array is convert_bytes for a Uint8Array that the body owned.
JSValue convert_array(JSContext *, Consume, JSValueConst array, JSValueConst type);

#endif
