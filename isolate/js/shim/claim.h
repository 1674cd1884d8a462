// claim.h: which request a promise belongs to. Code that waits for a promise goes on as the request
// that it began in, whoever settles the promise: with its limits, its handles, its log.
//
// A job of another request is set aside and the host told, which enters for that request. What a
// request left behind that is over does not go on.
#ifndef SW_CLAIM_H
#define SW_CLAIM_H

#include "vm.h"

// A claim is the low 24 bits of a request's id; 0 is module scope's, and nobody's.
enum { CLAIM_MASK = 0xFFFFFF };

// claim_start makes every promise from now on belong to the request that it is made in.
void claim_start(void);

// claim_next_job sets the next jobs aside that belong to other requests.
void claim_next_job(void);

// claim_return puts the jobs of request vm.current that were set aside back into the queue.
void claim_return(void);

// claim_drop forgets the jobs of a request that is over.
void claim_drop(uint32_t req);

#endif
