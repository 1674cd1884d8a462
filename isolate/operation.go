package isolate

import (
	"context"
	"errors"
	"io"
	"time"
)

// operation is something a guest started and waits for. It belongs to one call; its number is
// the guest's.
//
//	fresh ──startAll──► running ──settle──► ready ──(RESOLVE in the isolate's turn)──► spare
//	   └─ run inline by the driver ──────────┘
//
// While it runs it counts among the call's running: the call is not done before it is settled.
// One that the guest forgets while it runs is told to stop, and stays live, dropped, until then.
type operation struct {
	id      uint32
	kind    operationKind
	state   operationState
	dropped bool // nobody wants the result; settle gives it back
	call    *Call
	at      int // index in live

	sub    Subrequest         // fetch
	head   bool               // fetch: of HEAD, whose answer's body nobody reads
	held   int                // fetch: bytes that its request has copied out of the guest
	cancel context.CancelFunc // fetch on a goroutine of its own
	body   uint32             // read: the handle
	stream io.Reader          // read
	room   int                // read: bytes it may bring
	job    *job
	due    time.Time // timer
	order  uint64    // timer: among those due at once
	rank   int       // timer: its place in the heap

	// the result
	err      error
	response *Response
	buf      *[]byte // read: from readBuffers
	data     []byte  // read: the bytes, empty at the body's end; job: its result
}

type operationKind uint8

const (
	opFetch operationKind = iota
	opRead
	opWrite
	opTimer
	opJob
	opTurn // nothing but a turn in the isolate
)

type operationState uint8

const (
	opFresh operationState = iota
	opRunning
	opReady
)

// maxOperations bounds what one call may wait for at once, and maxSpare what it keeps of it.
const (
	maxOperations = 10_000
	maxSpare      = 64
)

var (
	errOperations = errors.New("Too many operations at once.")
	errReaderGone = errors.New("The other side of this stream has gone.")
)

// newOperation registers an operation of which no more is known yet.
func (c *Call) newOperation(id uint32, kind operationKind, state operationState) *operation {
	return c.register(operation{id: id, kind: kind, state: state})
}

// register makes o one of the call's operations; nil when there are too many. A running one is
// counted: whoever runs it calls settle. Code of another request of the isolate may ask for a
// fresh or ready one while the driver waits, which then sees to it at once: o must be whole.
func (c *Call) register(o operation) *operation {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	return c.registerLocked(o)
}

func (c *Call) registerLocked(o operation) *operation {
	s := &c.state
	if len(s.mu.live) >= maxOperations && o.kind != opTurn {
		return nil
	}
	op := s.spareLocked()
	o.call, o.at = c, len(s.mu.live)
	*op = o
	s.mu.live = append(s.mu.live, op)
	switch o.state {
	case opFresh:
		s.mu.fresh++
	case opRunning:
		s.mu.running++
	case opReady:
		s.mu.ready.push(op)
	}
	if is := s.is; is != nil && is.meter.call != c {
		s.signal()
	}
	return op
}

// askTurn makes the driver enter the isolate for the call.
func (c *Call) askTurn() {
	if !c.state.turn {
		c.state.turn = true
		c.newOperation(0, opTurn, opReady)
	}
}

func (s *callState) spareLocked() *operation {
	n := len(s.mu.spare)
	if n == 0 {
		return new(operation)
	}
	op := s.mu.spare[n-1]
	s.mu.spare = s.mu.spare[:n-1]
	return op
}

// stop forgets the operation id: its result will not reach the guest.
func (c *Call) stop(id uint32) {
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.mu.live) - 1; i >= 0; i-- {
		if op := s.mu.live[i]; op.id == id && !op.dropped {
			s.dropLocked(op)
			return
		}
	}
}

// dropLocked forgets op. What runs on elsewhere gives its result back when it is settled.
func (s *callState) dropLocked(op *operation) {
	op.dropped = true
	switch {
	case op.state == opFresh:
		s.mu.fresh--
		s.removeLocked(op)
		op.discard()
	case op.state == opReady:
		s.removeLocked(op)
		s.mu.ready.remove(op)
		op.discard()
	case op.kind == opTimer:
		s.removeLocked(op)
		s.dropTimerLocked(op)
	default:
		s.mu.dropped++
		if op.cancel != nil {
			op.cancel()
		}
		s.signal() // the driver may have waited for nothing else
	}
}

func (s *callState) dropAllLocked() {
	for i := len(s.mu.live) - 1; i >= 0; i-- {
		if op := s.mu.live[i]; !op.dropped { // by the guest: it counts once
			s.dropLocked(op)
		}
	}
}

// removeLocked takes op out of live. It is not spared: somebody may still look at it.
func (s *callState) removeLocked(op *operation) {
	last := len(s.mu.live) - 1
	moved := s.mu.live[last]
	s.mu.live[op.at], moved.at = moved, op.at
	s.mu.live[last] = nil
	s.mu.live = s.mu.live[:last]
}

// settle hands the result of a running operation to its call's driver; err nil is success. The
// other result fields are filled already.
func (op *operation) settle(err error) {
	c := op.call
	s := &c.state
	s.mu.Lock()
	op.err, op.state = err, opReady
	if op.dropped {
		s.mu.dropped--
		s.removeLocked(op)
		op.discard()
	} else {
		s.mu.ready.push(op)
		s.signal()
	}
	s.mu.Unlock()
	c.leaveRunning()
}

// signal wakes the driver.
func (s *callState) signal() {
	select {
	case s.mu.wake <- struct{}{}:
	default:
	}
}

// discard gives back what an operation holds that no longer runs.
func (op *operation) discard() {
	if op.sub.Request != nil {
		op.sub.Request.Release()
		op.sent()
	}
	if op.response != nil {
		op.response.Release()
		op.response = nil
	}
	op.recycle()
}

// recycle gives the read buffer back.
func (op *operation) recycle() {
	if op.buf != nil {
		readBuffers.Put(op.buf)
		op.buf, op.data = nil, nil
	}
}

// startAll starts every fresh operation on a goroutine of its own. Each is waited for by done.
func (c *Call) startAll() {
	ctx := c.async()
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.mu.live {
		if op.state == opFresh {
			op.state = opRunning
			s.mu.running++
			op.start(ctx)
		}
	}
	s.mu.fresh = 0
}

// start runs op on its own goroutine. The context of a fetch or a job ends when the guest forgets it, or
// with the call: the response's body is read under it.
func (op *operation) start(ctx context.Context) {
	if op.kind == opFetch || op.kind == opJob {
		ctx, op.cancel = context.WithCancel(ctx)
	}
	go func() { op.settle(op.run(ctx)) }()
}

// standsAlone says that the driver can run the operation itself. Not a read, which no context
// ends: a stalled origin would hold the call although its client has left. Not a fetch whose
// body the guest has yet to write: the driver must take it there meanwhile.
func (op *operation) standsAlone() bool {
	if op.kind != opFetch {
		return false
	}
	body := op.sub.Request.Body.Stream
	if e, ok := body.(*encodedBody); ok {
		body = e.source
	}
	_, written := body.(*guestStream)
	return !written
}

// run performs the operation and fills its result. A bug of ours that shows in it becomes its
// error: the goroutine may be one that nobody else looks after.
func (op *operation) run(ctx context.Context) (err error) {
	c := op.call
	defer func() {
		if r := recover(); r != nil {
			err = c.bug(r)
		}
		op.sent()
	}()
	switch op.kind {
	case opRead:
		return op.read()
	case opJob:
		op.data, err = op.job.run(ctx)
		c.state.jobs.Add(int64(op.job.spent))
		return err
	}
	op.response, err = c.Host.Fetch(ctx, c, &op.sub)
	return err
}

// sent forgets the request of a fetch: the host owns it, also when it failed with it.
func (op *operation) sent() {
	op.call.unhold(op.held)
	op.held, op.sub.Request = 0, nil
}

// next waits for the operation to resolve next, running the only fresh one inline. Neither an
// operation nor an error means that something else of the call changed.
func (c *Call) next() (*operation, error) {
	op, err := c.take()
	if op != nil || err != nil {
		return op, err
	}
	if err := c.wait(); err != nil {
		return nil, err
	}
	return c.take()
}

// take returns an operation that is ready, or makes the only one so.
func (c *Call) take() (*operation, error) {
	op, inline, err := c.poll()
	if inline {
		op.err = op.run(c.context())
		op.state = opReady
	}
	return op, err
}

// poll takes a ready operation, or the only one when that is fresh, or starts the fresh ones.
func (c *Call) poll() (op *operation, inline bool, err error) {
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.reset:
		return nil, false, ErrReset
	case s.mu.ready.len() > 0:
		op = s.mu.ready.pop()
		s.removeLocked(op)
		return op, false, nil
	case s.mu.fresh == 1 && len(s.mu.live) == 1 && s.wall.IsZero() && s.mu.live[0].standsAlone():
		op = s.mu.live[0]
		s.mu.fresh = 0
		s.removeLocked(op)
		return op, true, nil
	case s.mu.fresh > 0:
		s.mu.Unlock()
		c.startAll()
		s.mu.Lock()
	}
	return nil, false, nil
}

// wait blocks until something of the call changes. It returns an error when the call is over.
func (c *Call) wait() error {
	s := &c.state
	due, stop := c.due()
	defer stop()
	gone := c.Context.Done()
	if s.delivered {
		gone = nil // the reader's Close wakes us
	}
	select {
	case <-s.mu.wake:
		return nil
	case <-gone:
		return ErrCanceled
	case <-due:
		return ErrWallLimit
	}
}

// spareOperation takes a resolved operation back.
func (c *Call) spareOperation(op *operation) {
	op.recycle()
	*op = operation{}
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mu.spare) < maxSpare {
		s.mu.spare = append(s.mu.spare, op)
	}
}
