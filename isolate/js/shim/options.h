// options.h: what a dispatch namespace's get() is given besides the name.
#ifndef SW_OPTIONS_H
#define SW_OPTIONS_H

#include "vm.h"

// options_json checks args and options and returns the JSON that travels with every fetch of the
// stub, undefined when they say nothing:
//
//   {"args":…,"limits":{"cpuMs":N,"subRequests":N},"outbound":…}
JSValue options_json(JSContext *, JSValueConst args, JSValueConst options);

#endif
