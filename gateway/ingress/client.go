package ingress

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/gateway"
)

// client follows whether the peer of a connection is still there for the call that runs.
//
// A FIN may mean "I am gone" or "I have said all I had to say": TCP does not tell. As nginx
// does, we take it for gone, but only GoneGrace later, so that a client that shuts its
// sending side down after the request still gets an answer that comes quickly.
type client struct {
	mu struct {
		sync.Mutex
		gone bool
		call *callContext // of the call that runs; nil between calls
		kept *callContext // one that nobody listened to, for the next call
	}
}

// begin returns the context of a new call, which has left the platform hops times before.
func (cl *client) begin(hops int, grace time.Duration) *callContext {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	call := cl.mu.kept
	if call == nil || hops != 0 {
		call = &callContext{hops: hops}
	}
	cl.mu.call, cl.mu.kept = call, nil
	if cl.mu.gone {
		cl.cancelLaterLocked(grace)
	}
	return call
}

// end says that the running call is over. Its context is not cancelled: work that the call
// left behind (waitUntil) goes on. A context that somebody listened to is left to them.
func (cl *client) end() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if call := cl.mu.call; call != nil && !call.used() && call.hops == 0 {
		cl.mu.kept = call
	}
	cl.mu.call = nil
}

// left records that the peer has shut its side.
func (cl *client) left(grace time.Duration) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.mu.gone = true
	if cl.mu.call != nil {
		cl.cancelLaterLocked(grace)
	}
}

func (cl *client) cancelLaterLocked(grace time.Duration) {
	call := cl.mu.call
	call.shared() // a timer holds it now, so that it is not used for another call
	time.AfterFunc(grace, call.cancel)
}

// cancel ends the running call now.
func (cl *client) cancel() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.mu.gone = true
	if cl.mu.call != nil {
		cl.mu.call.cancel()
	}
}

// callContext is a context.Context that costs nothing until somebody asks for Done: most calls
// are over before anybody does. One that nobody asked serves the connection's next call; work
// left behind that still holds it can find nothing changed but that the client has left.
type callContext struct {
	hops  int                           // never changes: only a context without hops serves again
	inner atomic.Pointer[cancelContext] // nil until it is needed
}

type cancelContext struct {
	context.Context
	stop context.CancelFunc
}

func (*callContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is closed when the client has left before it had its answer.
func (c *callContext) Done() <-chan struct{} { return c.shared().Done() }

func (c *callContext) Err() error {
	if inner := c.inner.Load(); inner != nil {
		return inner.Err()
	}
	return nil
}

// Value has the hop count for the egress, and lets package context find the context inside, which saves its children a goroutine.
func (c *callContext) Value(key any) any {
	if key == (gateway.HopsKey{}) {
		return c.hops
	}
	if inner := c.inner.Load(); inner != nil {
		return inner.Value(key)
	}
	return nil
}

// shared makes the context inside on first use; of several first users one makes it for all.
func (c *callContext) shared() *cancelContext {
	if inner := c.inner.Load(); inner != nil {
		return inner
	}
	ctx, stop := context.WithCancel(context.Background())
	if !c.inner.CompareAndSwap(nil, &cancelContext{ctx, stop}) {
		stop()
	}
	return c.inner.Load()
}

func (c *callContext) used() bool { return c.inner.Load() != nil }

func (c *callContext) cancel() { c.shared().stop() }
