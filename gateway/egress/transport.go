package egress

import (
	"context"
	"sync"
	"time"

	"switchyard/engine"
)

// transport has the connections of one tenant. Idle ones are used again the last first: the others fall asleep and go.
//
//	dial ──► in a request ──answer read to its end──► idle ──► in a request …
//	              │ anything else                       │ IdleTimeout, too many, dead
//	              ▼                                     ▼
//	            closed                                closed
type transport struct {
	Options
	dialer *dialer
	under  passage // its addresses alone: what connections were checked against

	mu struct {
		sync.Mutex
		endpoints map[endpoint]*atEndpoint
		idle      int
		closed    bool        // nothing is kept any more
		sweeper   *time.Timer // runs while there are idle ones
	}
}

// endpoint is what connections lead to.
type endpoint struct {
	scheme string
	where  string // "host:port", IPv6 in brackets
}

// atEndpoint are the connections to one origin. It goes with the last of them.
type atEndpoint struct {
	slots chan struct{} // one element a request; more wait
	users int           // requests that have a slot or wait for one
	idle  []*conn       // by since
}

func newTransport(o Options, d *dialer, addresses []*engine.EgressAddresses) *transport {
	t := &transport{Options: o, dialer: d, under: passage{addresses: addresses}}
	t.mu.endpoints = map[endpoint]*atEndpoint{}
	return t
}

// enter takes one of the slots to an origin; leave gives it back.
func (t *transport) enter(ctx context.Context, to endpoint) error {
	t.mu.Lock()
	at := t.mu.endpoints[to]
	if at == nil {
		at = &atEndpoint{slots: make(chan struct{}, t.ConnsPerOrigin)}
		t.mu.endpoints[to] = at
	}
	at.users++
	t.mu.Unlock()
	select {
	case at.slots <- struct{}{}:
		return nil
	default: // Done is not free: it is asked for when there is something to wait for
	}
	select {
	case at.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		at.users--
		t.forgetLocked(to, at)
		return ctx.Err()
	}
}

func (t *transport) leave(to endpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.mu.endpoints[to]
	<-at.slots
	at.users--
	t.forgetLocked(to, at)
}

func (t *transport) forgetLocked(to endpoint, at *atEndpoint) {
	if at.users == 0 && len(at.idle) == 0 {
		delete(t.mu.endpoints, to)
	}
}

// take returns an idle connection to an origin; nil when there is none.
func (t *transport) take(to endpoint) *conn {
	for {
		c := t.takeLast(to)
		if c == nil || c.alive() {
			return c
		}
		c.Close()
	}
}

func (t *transport) takeLast(to endpoint) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.mu.endpoints[to]
	if at == nil || len(at.idle) == 0 {
		return nil
	}
	n := len(at.idle) - 1
	c := at.idle[n]
	at.idle[n], at.idle = nil, at.idle[:n]
	t.mu.idle--
	return c
}

// keep makes c idle, or closes it when there are enough.
func (t *transport) keep(to endpoint, c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.mu.endpoints[to] // its request has not left yet
	if t.mu.closed || t.mu.idle >= t.IdleConns {
		c.Close()
		return
	}
	c.used, c.since = true, time.Now()
	at.idle = append(at.idle, c)
	t.mu.idle++
	if t.mu.sweeper == nil {
		t.mu.sweeper = time.AfterFunc(t.IdleTimeout, t.sweep)
	}
}

// sweep closes what has been idle for too long. It runs by a timer while there are idle connections.
func (t *transport) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeIdleLocked(time.Now().Add(-t.IdleTimeout))
	t.mu.sweeper = nil
	if t.mu.idle > 0 {
		t.mu.sweeper = time.AfterFunc(max(t.IdleTimeout/4, time.Millisecond), t.sweep)
	}
}

// close closes every idle connection, and each other when its answer has been read.
func (t *transport) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.closed = true
	t.closeIdleLocked(time.Now())
}

// closeIdle closes every idle connection.
func (t *transport) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeIdleLocked(time.Now())
}

func (t *transport) closeIdleLocked(before time.Time) {
	for to, at := range t.mu.endpoints {
		n := 0
		for n < len(at.idle) && !at.idle[n].since.After(before) {
			at.idle[n].Close()
			n++
		}
		t.mu.idle -= n
		at.idle = append(at.idle[:0], at.idle[n:]...)
		clear(at.idle[len(at.idle):cap(at.idle)])
		t.forgetLocked(to, at)
	}
}
