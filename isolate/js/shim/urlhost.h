// urlhost.h: the URL standard's host parser.
#ifndef SW_URLHOST_H
#define SW_URLHOST_H

#include "urlparts.h"

// host_parse makes the serialised host: a domain, an IPv4 or IPv6 address, or, for schemes that
// are not special, an opaque host. False: failure.
bool host_parse(Slice input, bool opaque, Arena *, Slice *host);

#endif
