// job.h: the engine's queue of jobs, and what each works for.
#ifndef SW_JOB_H
#define SW_JOB_H

#include "vm.h"

// List is a link of one of the engine's lists, or its head.
typedef struct List {
  struct List *prev, *next;
} List;

typedef struct Job Job;

// job_first is the job that runs next; NULL: there is none.
Job *job_first(void);

// job_promise is the promise that a job works for, undefined when it is none's.
JSValueConst job_promise(const Job *);

// job_move takes a job out of the list that it is in, to the end of another.
void job_move(Job *, List *);

// job_return puts the job at the end of the engine's queue.
void job_return(Job *);

// job_void makes a job do nothing when it runs.
void job_void(Job *);

// job_mark is where a promise has room for 24 bits of ours; NULL: no promise.
uint8_t *job_mark(JSValueConst promise);

#endif
