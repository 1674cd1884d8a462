package engine

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"switchyard/isolate"
)

// RateLimit is what a ratelimit binding allows for each key.
type RateLimit struct {
	Limit  int `json:"limit"`  // calls in a period, 1 to 1,000,000,000
	Period int `json:"period"` // seconds: 10 or 60
}

const (
	maxRateLimit   = 1_000_000_000
	maxRateKey     = 1 << 10 // bytes: a subrequest's name has no more
	maxLimiterID   = 64
	maxRateKeys    = 64 << 10 // keys counted one by one in a window of one limiter
	maxAllRateKeys = 1 << 20  // of all limiters together
	sharedCounters = 1 << 10
)

var (
	errRateKey  = errors.New("A rate limit's key has at most 1024 bytes.")
	errRateCall = errors.New("ratelimit: only its limit() can be asked")
)

// limiters count for ratelimit bindings, in memory, on this node. Bindings with the same namespace_id and period count
// together, whoever has them. The windows are fixed: they begin at multiples of the period.
//
//	window {namespace_id, period} ─► key's hash ─► calls in it
//
// A window that has too many keys lets those that come later share counters: a flood of keys may make their limit
// tighter, never looser, and leaves those that were there before alone.
type limiters struct {
	now  func() time.Time
	seed maphash.Seed

	mu struct {
		sync.Mutex
		windows map[windowID]*window
		keys    int // in all windows
		swept   int64
	}
}

type windowID struct {
	namespace string
	period    int
}

type window struct {
	number int64 // of periods since 1970
	counts map[uint64]int
	shared map[uint64]int
}

func newLimiters() *limiters {
	l := &limiters{now: time.Now, seed: maphash.MakeSeed()}
	l.mu.windows = map[windowID]*window{}
	return l
}

// allow counts one call; false: the limit was reached before.
func (l *limiters) allow(id windowID, limit int, key string) bool {
	hash, seconds := maphash.String(l.seed, key), l.now().Unix()
	l.mu.Lock()
	defer l.mu.Unlock()
	counts, hash := l.countsLocked(id, seconds, hash)
	if counts[hash] >= limit {
		return false
	}
	counts[hash]++
	return true
}

// countsLocked returns where the key is counted, and under what.
func (l *limiters) countsLocked(id windowID, seconds int64, hash uint64) (map[uint64]int, uint64) {
	w := l.windowLocked(id, seconds/int64(id.period))
	if _, known := w.counts[hash]; known {
		return w.counts, hash
	}
	if l.mu.keys >= maxAllRateKeys {
		l.sweepLocked(seconds)
	}
	if len(w.counts) < maxRateKeys && l.mu.keys < maxAllRateKeys {
		l.mu.keys++
		return w.counts, hash
	}
	return w.shared, hash % sharedCounters
}

func (l *limiters) windowLocked(id windowID, number int64) *window {
	w := l.mu.windows[id]
	if w == nil || w.number != number {
		if w != nil {
			l.mu.keys -= len(w.counts)
		}
		w = &window{number: number, counts: map[uint64]int{}, shared: map[uint64]int{}}
		l.mu.windows[id] = w
	}
	return w
}

// sweepLocked forgets windows that have passed, once a second at most.
func (l *limiters) sweepLocked(seconds int64) {
	if seconds == l.mu.swept {
		return
	}
	l.mu.swept = seconds
	for id, w := range l.mu.windows {
		if w.number != seconds/int64(id.period) {
			l.mu.keys -= len(w.counts)
			delete(l.mu.windows, id)
		}
	}
}

// rateLimit is one ratelimit binding. A call's name is the key; the status of the answer is 200, or 429 when the limit
// is reached.
type rateLimit struct {
	limiters *limiters
	window   windowID
	limit    int
}

func newRateLimit(l *limiters, b *Binding) *rateLimit {
	return &rateLimit{l, windowID{b.NamespaceID, b.Simple.Period}, b.Simple.Limit}
}

func (r *rateLimit) answer(_ context.Context, _ *invocation, sub *isolate.Subrequest) (*isolate.Response, error) {
	defer sub.Request.Release()
	switch {
	case len(sub.Options) > 0:
		return nil, errRateCall
	case len(sub.Name) > maxRateKey:
		return nil, errRateKey
	case r.limiters.allow(r.window, r.limit, sub.Name):
		return answered(200, nil), nil
	}
	return answered(429, nil), nil
}

func checkRateLimit(field string, b *Binding) error {
	if b.NamespaceID == "" || len(b.NamespaceID) > maxLimiterID || !isDigits(b.NamespaceID) {
		return invalid(field+".namespace_id", "must be a positive integer, as text: bindings with the same one count together")
	}
	switch s := b.Simple; {
	case s == nil:
		return invalid(field+".simple", "is missing: it has a limit and a period")
	case s.Limit < 1 || s.Limit > maxRateLimit:
		return invalid(field+".simple.limit", "must be from 1 to %d", maxRateLimit)
	case s.Period != 10 && s.Period != 60:
		return invalid(field+".simple.period", "must be 10 or 60 seconds")
	}
	return nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
