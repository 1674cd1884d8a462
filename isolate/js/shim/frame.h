// frame.h: the asynchronous context: one value, undefined outside of any AsyncLocalStorage.run(),
// which what is started keeps and what follows from it finds again.
#ifndef SW_FRAME_H
#define SW_FRAME_H

#include "vm.h"

// frame_swap makes frame the current one and returns the one before; it takes and gives ownership.
JSValue frame_swap(JSValue frame);

// frame_current borrows.
JSValueConst frame_current(void);

// sw.frame() and sw.setFrame(frame).
JSValue frame_get(JSContext *, JSValueConst self, int argc, JSValueConst *argv);
JSValue frame_set(JSContext *, JSValueConst self, int argc, JSValueConst *argv);

#endif
