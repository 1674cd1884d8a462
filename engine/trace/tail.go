package trace

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Lifetimes of a tail: until somebody connects to it, and at most.
const (
	connectWithin = time.Minute
	tailLifetime  = 6 * time.Hour
)

const (
	maxTails      = 256     // of all scripts
	maxTailsScope = 10      // of one script or one namespace
	maxQueued     = 512     // items that wait for one reader
	maxQueuedSize = 4 << 20 // bytes of them
)

// What can be wrong with a tail.
var (
	ErrTooManyTails = errors.New("too many tails are open")
	ErrNoTail       = errors.New("tail not found")
	ErrTailInUse    = errors.New("somebody listens to this tail already")
)

// Tails are the listeners to items as they come. A reader that is slow loses items, which are
// counted; publishing never waits for one.
type Tails struct {
	dropped, sent atomic.Uint64
	mu            struct {
		sync.Mutex
		tails  map[string]*Tail
		closed bool
	}
}

// Tail is one listener's queue.
//
//	Open ─► waiting ─Connect─► connected ─► closed
//	           └── after a minute, Close ──────┘
type Tail struct {
	ID      string // unguessable: whoever has it may listen
	Expires time.Time

	tails   *Tails
	watch   *Watch
	filter  Filter
	items   chan []byte
	done    chan struct{}
	queued  atomic.Int64 // bytes in items
	dropped atomic.Uint64
	timer   *time.Timer

	connected bool // under tails.mu
}

// Watch is who listens to the items of one script or namespace. The zero Watch has nobody.
type Watch struct {
	count atomic.Int32
	mu    struct {
		sync.Mutex
		tails []*Tail
	}
}

// Active says that there is a listener. It is one atomic load: every call asks.
func (w *Watch) Active() bool { return w.count.Load() > 0 }

// NewTails returns an empty set.
func NewTails() *Tails {
	t := &Tails{}
	t.mu.tails = map[string]*Tail{}
	return t
}

// Open makes a tail of what w is of. It ends by itself when nobody connects to it in a minute.
func (t *Tails) Open(w *Watch, f Filter) (*Tail, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.closed || len(t.mu.tails) >= maxTails || int(w.count.Load()) >= maxTailsScope {
		return nil, fmt.Errorf("%w: at most %d for one script or namespace, %d in all", ErrTooManyTails, maxTailsScope, maxTails)
	}
	tail := &Tail{
		ID: newTailID(), Expires: time.Now().Add(tailLifetime), tails: t, watch: w, filter: f,
		items: make(chan []byte, maxQueued), done: make(chan struct{}),
	}
	t.mu.tails[tail.ID] = tail
	tail.timer = time.AfterFunc(connectWithin, tail.Close)
	w.mu.Lock()
	w.mu.tails = append(w.mu.tails, tail)
	w.mu.Unlock()
	w.count.Add(1)
	return tail, nil
}

func newTailID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Connect takes the tail for its one reader.
func (t *Tails) Connect(id string) (*Tail, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tail := t.mu.tails[id]
	if tail == nil {
		return nil, ErrNoTail
	}
	if tail.connected {
		return nil, ErrTailInUse
	}
	tail.connected = true
	tail.timer.Reset(time.Until(tail.Expires))
	return tail, nil
}

// Of returns the tails of w, the oldest first.
func (t *Tails) Of(w *Watch) []*Tail {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.mu.tails)
}

// End closes a tail of w by id.
func (t *Tails) End(w *Watch, id string) error {
	for _, tail := range t.Of(w) {
		if tail.ID == id {
			tail.Close()
			return nil
		}
	}
	return ErrNoTail
}

// Close ends all tails.
func (t *Tails) Close() {
	t.mu.Lock()
	t.mu.closed = true
	tails := make([]*Tail, 0, len(t.mu.tails))
	for _, tail := range t.mu.tails {
		tails = append(tails, tail)
	}
	t.mu.Unlock()
	for _, tail := range tails {
		tail.Close()
	}
}

// Counts are of all tails since the start.
func (t *Tails) Counts() (open int, sent, dropped uint64) {
	t.mu.Lock()
	open = len(t.mu.tails)
	t.mu.Unlock()
	return open, t.sent.Load(), t.dropped.Load()
}

// Close ends the tail; its reader sees Done. It may be called more than once.
func (tail *Tail) Close() {
	t, w := tail.tails, tail.watch
	t.mu.Lock()
	_, open := t.mu.tails[tail.ID]
	delete(t.mu.tails, tail.ID)
	t.mu.Unlock()
	if !open {
		return
	}
	tail.timer.Stop()
	w.mu.Lock()
	w.mu.tails = slices.DeleteFunc(w.mu.tails, func(x *Tail) bool { return x == tail })
	w.mu.Unlock()
	w.count.Add(-1)
	close(tail.done)
}

// Done is closed when the tail is.
func (tail *Tail) Done() <-chan struct{} { return tail.done }

// Items yields the items as JSON. Each that was received must be told of by Received.
func (tail *Tail) Items() <-chan []byte { return tail.items }

// Received frees the item's place, and returns how many items were lost since the last time.
func (tail *Tail) Received(item []byte) (lost uint64) {
	tail.queued.Add(int64(-len(item)))
	tail.tails.sent.Add(1)
	return tail.dropped.Swap(0)
}

// Publish offers item to the listeners of each watch, who share its JSON.
func Publish(item *Item, watches ...*Watch) {
	var text []byte
	for _, w := range watches {
		if !w.Active() {
			continue
		}
		w.mu.Lock()
		for _, tail := range w.mu.tails {
			if !tail.filter.Match(item) {
				continue
			}
			if text == nil {
				text = item.Encode()
			}
			tail.offer(text)
		}
		w.mu.Unlock()
	}
}

func (tail *Tail) offer(text []byte) {
	if tail.queued.Add(int64(len(text))) <= maxQueuedSize {
		select {
		case tail.items <- text:
			return
		default:
		}
	}
	tail.queued.Add(int64(-len(text)))
	tail.dropped.Add(1)
	tail.tails.dropped.Add(1)
}
