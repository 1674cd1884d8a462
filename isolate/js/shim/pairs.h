// pairs.h: Web IDL's "pair iterable": the iterators and forEach that Headers and URLSearchParams
// share. Both are live: a step looks up the index-th pair of what is there now.
#ifndef SW_PAIRS_H
#define SW_PAIRS_H

#include "object.h"

typedef enum { PAIRS_HEADERS, PAIRS_PARAMS } PairSource;
enum { PAIR_KEYS, PAIR_VALUES, PAIR_ENTRIES };

void pairs_define(void);
JSValue pairs_iterator(JSContext *, PairSource, JSValueConst target, int kind);
JSValue pairs_for_each(JSContext *, PairSource, JSValueConst target, int argc, JSValueConst *argv);

// PairSink takes one pair of an initialiser; false: it threw.
typedef bool PairSink(JSContext *, void *into, JSValueConst name, JSValueConst value);

// pairs_read feeds the pairs of a sequence (of sequences of two) to the one sink, or the members of a record to the other.
bool pairs_read(JSContext *, JSValueConst init, PairSink *pair, PairSink *member, void *into);

#endif
