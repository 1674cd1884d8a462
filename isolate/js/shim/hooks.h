// hooks.h: the functions that the prelude puts into sw.hooks.
#ifndef SW_HOOKS_H
#define SW_HOOKS_H

#include "vm.h"

typedef enum {
  HOOK_EXTRACT_BODY,
  HOOK_BODY_STREAM,
  HOOK_CONSUME,
  HOOK_CONSUME_AS,
  HOOK_IS_DISTURBED,
  HOOK_IS_LOCKED,
  HOOK_HANDLE_OF,
  HOOK_TEE,
  HOOK_SEND_STREAM,
  HOOK_SEND_REQUEST_STREAM,
  HOOK_SET_ENV,
  HOOK_LAY_ENV,
  HOOK_DISPATCH_FETCH,
  HOOK_HAS_LISTENER,
  HOOK_SCOPE_ERROR,
  HOOK_FETCH_ABORTABLE,
  HOOK_NEW_SIGNAL,
  HOOK_LENGTH_OF,
  HOOK_SOURCE_OF,
  HOOK_RELEASE,
  HOOK_NODE_GLOBALS,
  HOOK_WASM_MODULE,
  HOOK_WASM_ERROR,
  HOOK_WASM_HANDLE,
  HOOK_WASM_FUNCTION,
  HOOK_WASM_LIST,
  HOOK_IS_SIGNAL,
  HOOK_UNHANDLED,
  HOOK_HANDLED_LATER,
  HOOK_LOAD_INTL,
  HOOK_CALL_EVENT,
  HOOK_REMOTE_ERROR,
  HOOK_COUNT,
} Hook;

// hooks_take keeps the functions of sw.hooks; a missing one stays undefined.
void hooks_take(JSValueConst sw);

bool hook_exists(Hook);

// hook_call throws a TypeError when the prelude does not have the hook.
JSValue hook_call(JSContext *, Hook, int argc, JSValueConst *argv);
JSValue hook_call1(JSContext *, Hook, JSValueConst);

// hook_module returns the exports object of a built-in module; undefined when there is none.
JSValue hook_module(JSContext *, const char *name);

// hook_int is hook_call1 as an integer. False: it threw.
bool hook_int(JSContext *, Hook, JSValueConst, int32_t *);

// hook_true is hook_call1 as a boolean; an exception is dropped and counts as true.
bool hook_true(JSContext *, Hook, JSValueConst);

#endif
