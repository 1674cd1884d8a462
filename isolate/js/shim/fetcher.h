// fetcher.h: bindings that requests leave by: Fetcher and DispatchNamespace.
#ifndef SW_FETCHER_H
#define SW_FETCHER_H

#include "object.h"

void fetcher_define(void);

// What the prelude puts into env: sw.fetcher(binding) and sw.dispatchNamespace(binding).
JSCFunction fetcher_call, dispatch_namespace_call;

// fetcher_rpc is sw.rpc(fetcher, request): a call of a method, which the request describes.
JSCFunction fetcher_rpc;

#endif
