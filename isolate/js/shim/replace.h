// replace.h: RegExp.prototype[Symbol.replace] (ECMA-262, 22.2.6.11) for the expressions that escaping
// is made of: /[&<>"]/g, /&/g. One character or a class of characters, all ASCII, global.
//
// The engine takes 2 us for a text without a match and 1 us more for each match: it asks for eight
// flags, then runs the expression's program at every character. Where nobody has changed what
// the standard would look at, such an expression is a scan. All else is the engine's.
#ifndef SW_REPLACE_H
#define SW_REPLACE_H

#include "object.h"

void replace_define(void);

#endif
