// heap.h: the heap as a snapshot finds it.
#ifndef SW_HEAP_H
#define SW_HEAP_H

// heap_settle is GC: it collects garbage, then readies the heap for the requests of all clones.
void heap_settle(void);

#endif
