#include "atoms.h"

Atoms atom;

void atoms_intern(void) {
  atom.default_ = JS_NewAtom(vm.ctx, "default");
#define X(name) atom.name = JS_NewAtom(vm.ctx, #name);
  ATOMS(X)
#undef X
}
