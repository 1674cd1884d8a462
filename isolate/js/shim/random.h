// random.h: Math.random on the host's randomness. The engine seeds its own once, so that every
// clone of a snapshot would draw the same numbers.
#ifndef SW_RANDOM_H
#define SW_RANDOM_H

#include "object.h"

void random_define(void);

// random_reseed makes the next draw take a fresh seed. Every request begins with it.
void random_reseed(void);

#endif
