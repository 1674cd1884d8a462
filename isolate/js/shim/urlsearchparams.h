// urlsearchparams.h: the URLSearchParams class.
#ifndef SW_URLSEARCHPARAMS_H
#define SW_URLSEARCHPARAMS_H

#include "object.h"
#include "url.h"

void params_define(void);

bool is_params(JSValueConst);

// params_text serialises as application/x-www-form-urlencoded.
JSValue params_text(JSContext *, JSValueConst params);

// params_pair makes the index-th pair: 1 made, 0 past the end, -1 thrown.
int params_pair(JSContext *, JSValueConst params, uint32_t index, JSValue pair[2]);

// A URL and its searchParams show each other's changes. params_linked makes the object of a URL,
// params_reload replaces what it holds, params_unlink forgets a URL that is going away.
JSValue params_linked(JSContext *, Url *, const char *query, size_t len);
void params_reload(JSContext *, JSValueConst params, const char *query, size_t len);
void params_unlink(JSValueConst params);

#endif
