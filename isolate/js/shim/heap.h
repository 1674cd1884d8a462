// heap.h: the heap as a snapshot finds it.
#ifndef SW_HEAP_H
#define SW_HEAP_H

// heap_settle ends INIT: it collects garbage, clears free memory and readies the heap for what
// runs in all clones.
void heap_settle(void);

#endif
