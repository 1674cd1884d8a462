// headers.h: the Fetch standard's Headers class.
#ifndef SW_HEADERS_H
#define SW_HEADERS_H

#include "headerlist.h"
#include "object.h"

extern Class headers_class;
void headers_define(void);

// headers_new wraps a list, which it owns from then on. Immutable ones refuse every write.
JSValue headers_new(JSContext *, HeaderList, bool immutable);

// headers_list borrows the list of a Headers object; NULL when value is none.
HeaderList *headers_list(JSValueConst);

// is_token tells RFC 9110 tokens: header names, methods.
bool is_token(const char *, size_t);

// headers_fill appends what a HeadersInit holds: a Headers, a sequence of pairs or a record.
bool headers_fill(JSContext *, HeaderList *, JSValueConst init);

// headers_pair makes the index-th pair of the sorted view: 1 made, 0 past the end, -1 thrown.
int headers_pair(JSContext *, JSValueConst headers, uint32_t index, JSValue pair[2]);

#endif
