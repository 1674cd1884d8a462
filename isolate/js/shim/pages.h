// pages.h: an allocator under the engine's that gives it whole pages of the system.
//
// The engine cuts small blocks out of chunks of just under 4 KiB. Where those straddle two pages of
// the system, a write to one block after another makes twice the pages private to a clone, which
// a reset has to copy back. So chunks of about that size are pages here:
//
//   slab, one page of wasm:  ┌─ page ─┬─ page ─┬─ … 16 of them; free ones are in a list ─┐
//
// All else is the engine's own malloc.
#ifndef SW_PAGES_H
#define SW_PAGES_H

#include "vm.h"

// pages_runtime makes a runtime on this allocator. model is any runtime of the engine's own making.
JSRuntime *pages_runtime(JSRuntime *model);

#endif
