// reason.h: the reason phrases that Workers have, for responses that come without one.
#ifndef SW_REASON_H
#define SW_REASON_H

const char *reason_phrase(int status);  // "" when there is none

#endif
