package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"switchyard/isolate"
)

// loaded is a version that can run: its pool, and what its bindings mean. Calls enter it and
// leave it, so that it is closed only when nobody is between finding it and being inside it:
// a deploy makes no request fail.
//
//	state: number of calls entering « 1 | retired
type loaded struct {
	pool     pool
	targets  []target              // by Subrequest.Binding
	limits   isolate.Limits        // the script's own
	egress   *EgressPolicy         // the script's own; nil: none
	defaults *isolate.Limits       // where nobody says anything
	memory   int64                 // that the pool was made with
	rules    atomic.Pointer[rules] // what holds for its calls; pools.mu guards it against other writers
	observed observed

	state  atomic.Int64
	used   atomic.Uint64 // number of the request that used it last, about
	closed sync.Once
}

const retired = 1

// enter reports whether the pool may be used; then leave must follow.
func (l *loaded) enter(request uint64) bool {
	if l.state.Add(2)&retired != 0 {
		l.leave()
		return false
	}
	if request-l.used.Load() > usedGrain { // not on every call: the line is shared by all cores
		l.used.Store(request)
	}
	return true
}

const usedGrain = 64

func (l *loaded) leave() {
	if l.state.Add(-2) == retired {
		l.close()
	}
}

// retire lets nobody in any more and closes the pool when the last one has left; calls that
// run inside it end as they would.
func (l *loaded) retire() {
	if l.state.Or(retired) == 0 {
		l.close()
	}
}

func (l *loaded) close() { l.closed.Do(l.pool.Close) }

// settle makes calls go by t; false: the pool has another memory than t allows.
func (l *loaded) settle(t *terms) bool {
	r := newRules(l.limits, t, l.defaults)
	if r.egress = t.egress; !l.egress.IsZero() {
		r.egress = append(slices.Clip(r.egress), l.egress)
	}
	l.rules.Store(r)
	return r.alone.Memory == l.memory
}
