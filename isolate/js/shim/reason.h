// reason.h: the reason phrases of RFC 9110, for responses that come without one.
#ifndef SW_REASON_H
#define SW_REASON_H

const char *reason_phrase(int status);  // "" when there is none

#endif
