// bridge.h: the `sw` object, which the prelude sees and tenants never do.
#ifndef SW_BRIDGE_H
#define SW_BRIDGE_H

#include "bytecode.h"
#include "object.h"

// bridge_run evaluates the prelude, a function expression, and calls it with sw. 0, or FAILED.
int bridge_run(const Bytecode *);

#endif
