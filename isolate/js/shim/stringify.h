// stringify.h: JSON.stringify (ECMA-262, 25.5.2) for plain data, which is most of it.
//
// The walk runs no code of the guest's: what could (a getter, toJSON, a proxy, a replacer) or is
// rare (boxed primitives, BigInt, holes, other classes) makes it give up, and the engine's own
// stringify begins from the start. So the result is the same, always, and mostly ten times sooner.
// The walk keeps its own stack: nesting ends in a RangeError where the engine's would in a trap.
#ifndef SW_STRINGIFY_H
#define SW_STRINGIFY_H

#include "object.h"

enum { MAX_STRINGIFY_DEPTH = 5000 };

// stringify is JSON.stringify(value, replacer, space): a string, undefined or an exception.
JSValue stringify(JSContext *, JSValueConst value, JSValueConst replacer, JSValueConst space);

void stringify_define(void);

#endif
