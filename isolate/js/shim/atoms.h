// atoms.h: property names that natives read on every request, interned once.
#ifndef SW_ATOMS_H
#define SW_ATOMS_H

#include "vm.h"

#define ATOMS(X) \
  X(status) X(statusText) X(headers) X(method) X(body) X(redirect) X(signal) X(cf) X(fetch) X(then) X(stream) \
  X(fatal) X(ignoreBOM) X(prototype) X(limits) X(outbound) X(cpuMs) X(subRequests) X(encodeBody) X(name)

typedef struct {
  JSAtom default_;
#define X(name) JSAtom name;
  ATOMS(X)
#undef X
} Atoms;

extern Atoms atom;
void atoms_intern(void);

#endif
