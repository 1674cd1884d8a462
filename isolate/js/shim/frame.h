// frame.h: the asynchronous context: one value, undefined outside of any AsyncLocalStorage.run(),
// which what is started keeps and what follows from it finds again.
//
// A promise keeps the frame that it was made in, a timer the one that it was set in. Every job and
// callback begins in its frame, and none is left to the next entry, which may be another request's.
#ifndef SW_FRAME_H
#define SW_FRAME_H

#include "vm.h"

// frame_swap makes frame the current one and returns the one before; it takes and gives ownership.
JSValue frame_swap(JSValue frame);
JSValue frame_current(JSContext *);

// frame_keep makes the current frame that of a new promise.
void frame_keep(JSContext *, JSValueConst promise);

// frame_next_job makes the frame of the next pending job the current one.
void frame_next_job(JSContext *);

// frame_end leaves all frames.
void frame_end(JSContext *);

// sw.frame() and sw.setFrame(frame).
JSValue frame_get(JSContext *, JSValueConst self, int argc, JSValueConst *argv);
JSValue frame_set(JSContext *, JSValueConst self, int argc, JSValueConst *argv);

#endif
