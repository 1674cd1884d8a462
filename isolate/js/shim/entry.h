// entry.h: the one export, and what happens at the end of every entry.
#ifndef SW_ENTRY_H
#define SW_ENTRY_H

// entry_drain runs microtasks until none is left and answers what has settled meanwhile.
void entry_drain(void);

#endif
