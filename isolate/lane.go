package isolate

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lane keeps calls that compute for long from taking every processor: Go's scheduler polls the
// network only when its run queues are empty, so two hogs that merely yield keep a quiet socket
// waiting for milliseconds. A call that has used laneAfter of CPU time blocks at its next yield
// until it has one of the lane's tokens, of which there is one less than processors of the machine. It keeps
// it until it returns or waits, or, when others wait for a token, for laneTurn: a call without a
// CPU limit would keep it for ever.
//
// Tokens go to shares, not to calls: a free one to the share that had the least of the lane for its
// weight, so that a tenant with a hundred hogs gets as much as one with a single one. A share that
// did not wait for a while has no credit from then.
//
// A call waits for a token with the turn of its isolate in its hands, since the guest is in the
// middle of its code. Nobody waits for a turn, or for anything else, with a token.
type lane struct {
	tokens  int
	waiting atomic.Int32
	common  Share // of calls that have none

	mu struct {
		sync.Mutex
		out    int           // tokens that somebody has
		pass   time.Duration // of the share that was served last
		shares []*Share      // that wait, in the order in which they came
	}
}

// Share is whose part of long computations a call takes: that of a tenant, for example. The zero Share has weight 1.
type Share struct {
	weight atomic.Int32
	inside atomic.Int32 // its calls that have a token or wait for one

	// lane.mu guards these.
	pass  time.Duration // what it had of the lane, over its weight
	queue []chan struct{}
}

// SetWeight changes what the share gets beside others: twice the weight, twice the time.
func (s *Share) SetWeight(n int) { s.weight.Store(int32(n)) }

const (
	laneAfter = 2 * time.Millisecond  // CPU time after which a call belongs to the slow lane
	laneTurn  = 10 * time.Millisecond // for which it keeps a token that others wait for
)

func newLane() *lane { return &lane{tokens: max(1, min(runtime.GOMAXPROCS(0), runtime.NumCPU())-1)} }

// share is whose turn it is when c waits.
func (l *lane) share(c *Call) *Share {
	if c.Share != nil {
		return c.Share
	}
	return &l.common
}

// enter waits for a token. It reports false when gone or due came first; either may be nil.
func (l *lane) enter(s *Share, gone <-chan struct{}, due <-chan time.Time) bool {
	s.inside.Add(1)
	turn := l.queue(s)
	if turn == nil {
		return true
	}
	l.waiting.Add(1)
	defer l.waiting.Add(-1)
	select {
	case <-turn:
		return true
	case <-gone:
	case <-due:
	}
	if !l.unqueue(s, turn) {
		return true // it was given one meanwhile
	}
	s.inside.Add(-1)
	return false
}

// queue takes a token, or a place among those who wait.
func (l *lane) queue(s *Share) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(s.queue) == 0 {
		s.pass = max(s.pass, l.mu.pass)
	}
	if l.mu.out < l.tokens {
		l.mu.out++
		return nil
	}
	if len(s.queue) == 0 {
		l.mu.shares = append(l.mu.shares, s)
	}
	turn := make(chan struct{})
	s.queue = append(s.queue, turn)
	return turn
}

func (l *lane) unqueue(s *Share, turn chan struct{}) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(s.queue, turn)
	if i < 0 {
		return false
	}
	l.removeLocked(s, i)
	return true
}

func (l *lane) removeLocked(s *Share, i int) {
	s.queue = slices.Delete(s.queue, i, i+1)
	if len(s.queue) == 0 {
		l.mu.shares = slices.DeleteFunc(l.mu.shares, func(o *Share) bool { return o == s })
	}
}

// leave gives a token up that s had for the time held.
func (l *lane) leave(s *Share, held time.Duration) {
	s.inside.Add(-1)
	l.mu.Lock()
	defer l.mu.Unlock()
	s.pass += held / time.Duration(max(1, s.weight.Load()))
	if len(l.mu.shares) == 0 {
		l.mu.out--
		return
	}
	next := slices.MinFunc(l.mu.shares, func(a, b *Share) int { return int(a.pass - b.pass) })
	l.mu.pass = max(l.mu.pass, next.pass)
	turn := next.queue[0]
	l.removeLocked(next, 0)
	close(turn)
}

// crowded says that somebody waits for a token.
func (l *lane) crowded() bool { return l.waiting.Load() > 0 }

// taken is how many tokens are out.
func (l *lane) taken() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.out
}
