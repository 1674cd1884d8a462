#include "atoms.h"

Atoms atom;

void atoms_intern(void) {
#define X(name) atom.name = JS_NewAtom(vm.ctx, #name);
  ATOMS(X)
#undef X
}
