// callee.h: what the code that runs is about to call, for the words of an error.
#ifndef SW_CALLEE_H
#define SW_CALLEE_H

#include "vm.h"

// callee_put_complaint puts what is called or constructed as its author wrote it: "env.KV.get is
// not a function". False: that cannot be told.
bool callee_put_complaint(Buffer *);

// callee_put_function puts the name of the function that runs. False: it has none.
bool callee_put_function(Buffer *);

// callee_assigns_constant says that the instruction that runs is there for an assignment to a constant.
bool callee_assigns_constant(void);

#endif
