// wasm.h: WebAssembly's functions as JavaScript calls them, and JavaScript's as modules do.
//
// A module's instance runs in the host, in memory that is a stretch of ours. Arguments and results
// pass as slots of 8 bytes each; what a slot holds, one letter of the function's type says:
//
//   i i32   I i64   f f32   F f64   x externref: a JSValue that is never freed   r funcref: a number
#ifndef SW_WASM_H
#define SW_WASM_H

#include "vm.h"

// wasm_callback is CALL: arguments and results are at vm.io. FAILED: it threw, which is kept for the
// function that called into the host.
int wasm_callback(uint32_t import);

// sw.wasm, sw.wasmFunction and sw.wasmImport.
JSCFunction wasm_host, wasm_function, wasm_import;

#endif
