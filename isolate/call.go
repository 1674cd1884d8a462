package isolate

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Call is one request in one isolate: what it may spend, what it has spent, and who answers
// its host calls. The caller fills the first block of fields and hands it to Pool.Invoke; the
// isolate may go on with it after Invoke has returned (a body that it still streams, work under
// waitUntil) and says with Done when it holds nothing of it any more.
type Call struct {
	Context    context.Context // ends when nobody waits for the response any more
	Host       Host
	Request    *Request // owned by the pool from Invoke on
	Limits     Limits
	Entrypoint string // named export that handles the event; "" is the default export
	Params     []byte // JSON object laid over env for this call only; nil is none
	Props      []byte // JSON object that ctx.props is; nil is an empty one
	Kind       CallKind
	Owner      any    // the engine's own record of the call; the isolate never looks at it
	Share      *Share // whose part of long computations it takes; nil: one for all calls without
	// Done, when not nil, is called exactly once with what the whole call has spent: after it
	// the Call may be used again. It may come before Invoke returns and from any goroutine.
	Done func(*Call, Usage)
	// Message is, during Host.Log, the JSON array of what the guest gave console.log; nil: the line alone.
	Message []byte
	// Fault, when not nil, is called at most once, before Done and while Request is there, when the call fails: before
	// its response, or in what goes on after it.
	Fault func(*Call, error)

	// Invoke fills these before it returns.
	Usage   Usage  // spent until the response's head
	Isolate Warmth // how its isolate came to be

	state callState
}

// CallKind says what of a Worker a call is for.
type CallKind uint8

const (
	CallFetch CallKind = iota // the fetch handler
	CallRPC                   // a method of an entry point; the body is the prelude's packing of its arguments
	CallTail                  // the tail handler; the body is a JSON array of trace items
)

// Warmth says what it took to have an isolate for a call.
type Warmth string

const (
	Warm   Warmth = "warm"   // it was there
	Reskin Warmth = "reskin" // another version's isolate took on this version's pages; no Pool says so yet
	Clone  Warmth = "clone"  // made from the snapshot
	Init   Warmth = "init"   // the version itself was loaded and evaluated first; for who makes Pools to say
)

// callState is what the isolate knows of a call. The turn of its isolate guards it, except for
// what stands under mu, which completions from other goroutines reach.
//
//	begin ─► EVENT ─► (suspended ⇄ RESOLVE)* ─► outcome ─► rest: stream, waitUntil ─► finish
type callState struct {
	id      uint32 // request id in its isolate, ≥ 1
	is      *Isolate
	pool    *Pool
	node    NodeCompat
	usage   Usage
	handles handles

	response  *Response // the outcome: exactly one of response and err
	err       error
	out       *guestStream // response body that the guest still writes
	holds     int          // promises under waitUntil
	idle      uint32       // the latest request of the isolate when this one ran out of operations; 0: it has some
	turn      bool         // an opTurn is live
	delivered bool         // Invoke has returned, or is about to
	wall      time.Time    // when the call must be over; zero: never
	ctx       context.Context
	cancel    context.CancelFunc // ends what runs on other goroutines; nil until something does
	wasm      wasmCall
	gone      gone
	objects   []object     // of services
	taken     []byte       // the result of a service that waits for TAKE
	jobs      atomic.Int64 // CPU time of jobs that usage does not have yet, in nanoseconds
	held      atomic.Int64 // bytes that the host keeps for the guest: requests on their way, stream buffers

	mu struct {
		sync.Mutex
		live     []*operation // started by the guest and not yet resolved
		fresh    int          // of live: not yet started by the host
		dropped  int          // of live: still running, but forgotten by the guest
		ready    operationQueue
		timers   timers
		running  int           // goroutines, timers and streams that will touch the call again
		reset    bool          // its isolate died under it
		finished bool          // the last of running calls done
		spare    []*operation  // for the next operations
		wake     chan struct{} // capacity 1: something above changed
	}
}

// begin readies the state for a new call, keeping its buffers.
func (c *Call) begin(p *Pool) {
	s := &c.state
	s.pool, s.is, s.id, s.node = p, nil, 0, NodeNone
	if p != nil {
		s.node = p.spec.Node
	}
	s.usage, s.idle, s.turn = Usage{}, 0, false
	s.response, s.err, s.out, s.holds, s.delivered = nil, nil, nil, 0, false
	s.wall, s.ctx, s.cancel = time.Time{}, nil, nil
	s.held.Store(0)
	s.jobs.Store(0)
	s.gone.reset()
	if len(s.mu.live) > 0 || s.mu.running > 0 {
		panic("BUG: a Call is used again before it was done")
	}
	s.mu.reset, s.mu.finished = false, false
	if s.mu.wake == nil {
		s.mu.wake = make(chan struct{}, 1)
	}
	select {
	case <-s.mu.wake:
	default:
	}
	if c.Context == nil {
		c.Context = context.Background()
	}
	if c.Limits.Wall > 0 {
		s.wall = time.Now().Add(c.Limits.Wall)
	}
}

// answered says that the outcome is known.
func (c *Call) answered() bool { return c.state.response != nil || c.state.err != nil }

// fail makes err the outcome, or ends the response body with it when the head is out already.
func (c *Call) fail(err error) {
	s := &c.state
	if s.out != nil {
		c.endStream(s.out, err)
		s.out = nil
	}
	if s.response == nil && s.err == nil {
		s.err = err
	}
}

// resting says that something of the call goes on after its response.
func (c *Call) resting() bool {
	s := &c.state
	return s.out != nil && !s.out.over() || s.holds > 0 && c.hopes()
}

// waiting says that the guest waits for an operation.
func (s *callState) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.live) > s.mu.dropped
}

// pending says that the guest still has something open, which it must be told to forget.
func (c *Call) pending() bool { return c.state.out != nil || c.state.waiting() }

// deliver takes the outcome out for Invoke to return.
func (c *Call) deliver() (*Response, error) {
	s := &c.state
	s.delivered = true
	c.Usage = s.usage
	r := s.response
	s.response = nil
	if r != nil {
		r, s.err = c.bound(r)
	}
	if s.out != nil || s.holds > 0 { // else there is no rest, and no clock to be read
		c.limitRest()
	}
	return r, s.err
}

// limitRest bounds what goes on under waitUntil, from the end of the response on. A body that
// somebody reads is part of the response: it may take for ever.
func (c *Call) limitRest() {
	s := &c.state
	if s.delivered && s.wall.IsZero() && (s.out == nil || s.out.over()) {
		s.wall = time.Now().Add(s.pool.rt.options.WaitUntil)
	}
}

// finish gives everything back; the driver has left the isolate for good.
func (c *Call) finish() {
	s := &c.state
	if s.out != nil {
		c.endStream(s.out, ErrCanceled)
		s.out = nil
	}
	for i := range s.handles {
		if h := &s.handles[i]; h.kind == handleStream {
			c.endStream(h.stream, ErrCanceled)
		}
	}
	if s.cancel != nil {
		s.cancel()
	}
	if s.err != nil && c.Fault != nil {
		c.Fault(c, s.err)
	}
	s.handles.release()
	c.releaseObjects()
	if r := c.Request; r != nil {
		c.Request = nil
		r.Release()
	}
	s.mu.Lock()
	s.dropAllLocked()
	s.mu.finished = true
	last := s.mu.running == 0
	s.mu.Unlock()
	if last {
		c.done()
	}
}

// done runs when neither the driver nor anything else of the call is left.
func (c *Call) done() {
	s := &c.state
	s.is, s.pool, s.ctx, s.cancel = nil, nil, nil, nil
	c.chargeJobs()
	if c.Done != nil {
		c.Done(c, s.usage)
	}
}

// leaveRunning takes back one of running; the last one after finish calls done.
func (c *Call) leaveRunning() {
	s := &c.state
	s.mu.Lock()
	s.mu.running--
	last := s.mu.finished && s.mu.running == 0
	s.mu.Unlock()
	if last {
		c.done()
	}
}

// endStream ends a stream of the call.
func (c *Call) endStream(out *guestStream, err error) {
	if op := out.end(err); op != nil {
		op.settle(nil)
	}
}

// maxHeld is how many bytes of a guest's the host keeps for one call at once: as many as a
// guest may have itself.
const maxHeld = defaultHeap

// hold charges the call for n bytes that the host copied. A guest that makes the host keep too
// much has too much memory: it ends by a panic, in a host function.
func (c *Call) hold(n int) {
	if c.state.held.Add(int64(n)) > maxHeld {
		panic(ErrMemoryLimit)
	}
}

func (c *Call) unhold(n int) { c.state.held.Add(int64(-n)) }

// context is for what runs inline: it ends when nobody waits for the response.
func (c *Call) context() context.Context {
	if c.state.delivered {
		return c.async()
	}
	return c.Context
}

// async is for what runs on other goroutines, and may outlive the response: it ends with the call.
func (c *Call) async() context.Context {
	s := &c.state
	if s.cancel == nil {
		s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(c.Context))
	}
	return s.ctx
}

// over says why a running guest must end now, nil when it need not.
func (c *Call) over(now func() time.Time) error {
	s := &c.state
	switch {
	case c.Limits.CPU > 0 && s.usage.CPU > c.Limits.CPU:
		return ErrCPULimit
	case !s.delivered && c.Context.Err() != nil:
		return ErrCanceled
	}
	c.limitRest()
	if !s.wall.IsZero() && !now().Before(s.wall) {
		return ErrWallLimit
	}
	return nil
}

// due strikes when the call must be over; nil: never. stop gives the timer back.
func (c *Call) due() (due <-chan time.Time, stop func() bool) {
	if c.state.wall.IsZero() {
		return nil, func() bool { return false }
	}
	t := time.NewTimer(time.Until(c.state.wall))
	return t.C, t.Stop
}

// log hands one line on, at most maxLine of it, while the call's limit lasts; the line that
// passes the limit is cut and followed by one that says so. The end of a line counts as a byte:
// empty lines are not free.
func (c *Call) log(level LogLevel, line []byte) {
	s := &c.state
	if c.Host == nil {
		return
	}
	line = line[:min(len(line), maxLine)]
	limit := c.Limits.LogBytes
	if limit > 0 {
		left := limit - s.usage.LogBytes
		if left <= 0 {
			return
		}
		line = line[:min(int64(len(line)), left)]
	}
	s.usage.LogBytes += int64(len(line)) + 1
	c.hostLog(level, line)
	if limit > 0 && s.usage.LogBytes >= limit {
		c.hostLog(LogWarn, []byte("The log limit of this call is reached: what follows is dropped."))
	}
}

// hostLog calls the host, whose panics are no fault of the guest.
func (c *Call) hostLog(level LogLevel, line []byte) {
	defer func() {
		if r := recover(); r != nil {
			c.bug(r)
		}
	}()
	c.Host.Log(c, level, line)
}

// bug tells the operator of a panic of the host in something that it did for c. The error is
// for everybody else.
func (c *Call) bug(r any) error {
	logger := slog.Default()
	if is := c.state.is; is != nil {
		logger = is.module.rt.options.Logger
	}
	return newBug(logger, r)
}

// chargeSubrequest counts one subrequest, or says that the limit is reached.
func (c *Call) chargeSubrequest() error {
	s := &c.state
	if n := c.Limits.Subrequests; n > 0 && s.usage.Subrequests >= n {
		s.usage.Refused++
		return ErrSubrequests
	}
	s.usage.Subrequests++
	return nil
}
