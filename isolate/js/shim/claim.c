#include "claim.h"

#include "frame.h"
#include "job.h"

static List aside = {&aside, &aside};

static void promise_made(JSContext *ctx, int type, JSValueConst promise, JSValueConst parent, void *opaque) {
  if (type != PROMISE_HOOK_INIT) return;
  uint8_t *mark = job_mark(promise);
  if (mark) {
    mark[0] = vm.current;
    mark[1] = vm.current >> 8;
    mark[2] = vm.current >> 16;
  }
  frame_keep(ctx, promise);
}

void claim_start(void) { JS_SetPromiseHook(vm.rt, promise_made, NULL); }

static uint32_t claim_of(const Job *job) {
  const uint8_t *mark = job_mark(job_promise(job));
  return mark ? mark[0] | mark[1] << 8 | (uint32_t)mark[2] << 16 : 0;
}

static bool foreign(const Job *job) {
  uint32_t claim = claim_of(job);
  return claim != 0 && claim != (vm.current & CLAIM_MASK);
}

void claim_next_job(void) {
  for (Job *job = job_first(); job && foreign(job); job = job_first()) {
    if (host(HOST_WAKE, claim_of(job), 0, 0, 0) == REFUSED) {
      job_void(job);
      return;
    }
    job_move(job, &aside);
  }
}

void claim_return(void) {
  for (List *link = aside.next, *next; link != &aside; link = next) {
    next = link->next;
    if (!foreign((Job *)link)) job_return((Job *)link);
  }
}

void claim_drop(uint32_t req) {
  for (List *link = aside.next, *next; link != &aside; link = next) {
    next = link->next;
    if (claim_of((Job *)link) != (req & CLAIM_MASK)) continue;
    job_void((Job *)link);
    job_return((Job *)link);
  }
}
