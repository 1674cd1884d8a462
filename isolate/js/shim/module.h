// module.h: the Worker's modules: kept by name until something imports them, and the main one.
#ifndef SW_MODULE_H
#define SW_MODULE_H

#include "object.h"

void module_define(void);

// module_register is MODULE: a block of u32 name length, name, source, which it clears.
int module_register(char *block, uint32_t len, uint32_t kind);

// module_start is START. The main module's exports are the namespace, or undefined for a script.
int module_start(const char *name, uint32_t len, uint32_t kind);

// module_require is sw.require(name): the default export of a built-in module, evaluated at once.
JSValue module_require(JSContext *, JSValueConst self, int argc, JSValueConst *argv);

// module_export returns an export of the main module; undefined when there is none.
JSValue module_export(JSContext *, JSAtom name);
JSValueConst module_namespace(void);
bool module_is_script(void);

#endif
