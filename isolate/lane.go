package isolate

import (
	"runtime"
	"sync/atomic"
	"time"
)

// lane keeps calls that compute for long from taking every processor: Go's scheduler polls the
// network only when its run queues are empty, so two hogs that merely yield keep a quiet socket
// waiting for milliseconds. A call that has used laneAfter of CPU time blocks at its next yield
// until it has one of the lane's tokens, of which there is one less than processors. It keeps
// it until it returns or waits, or, when others wait for a token, for laneTurn: a call without a
// CPU limit would keep it for ever.
//
// A call waits for a token with the turn of its isolate in its hands, since the guest is in the
// middle of its code. Nobody waits for a turn, or for anything else, with a token.
type lane struct {
	tokens  chan struct{}
	waiting atomic.Int32
}

const (
	laneAfter = 2 * time.Millisecond  // CPU time after which a call belongs to the slow lane
	laneTurn  = 10 * time.Millisecond // for which it keeps a token that others wait for
)

func newLane() *lane {
	return &lane{tokens: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))}
}

// enter waits for a token; those who wait get them in turn. It reports false when gone or due
// came first; either may be nil.
func (l *lane) enter(gone <-chan struct{}, due <-chan time.Time) bool {
	select {
	case l.tokens <- struct{}{}:
		return true
	default:
	}
	l.waiting.Add(1)
	defer l.waiting.Add(-1)
	select {
	case l.tokens <- struct{}{}:
		return true
	case <-gone:
	case <-due:
	}
	return false
}

func (l *lane) leave() { <-l.tokens }

// crowded says that somebody waits for a token.
func (l *lane) crowded() bool { return l.waiting.Load() > 0 }
