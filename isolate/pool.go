package isolate

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Pool runs the calls of one version, in isolates cloned from its snapshot.
//
// A call takes a seat in an isolate. Under PolicyReuse a JavaScript isolate has several seats,
// because a call that waits for I/O leaves the isolate to others; everywhere else it has one.
//
//	idle (no call, LIFO: the warmest first) ⇄ seated (1 ≤ calls < seats) ⇄ full
//
// An isolate that died, or cannot be reset, is closed when its last call has left.
type Pool struct {
	rt       *Runtime
	spec     Spec // without the modules' sources
	module   *module
	snapshot *snapshot
	guest    guest
	seats    int // of one isolate
	info     PoolInfo
	onClose  func()
	used     atomic.Bool // since the warm set's hand came by
	place    int         // in the warm set; under its mutex

	mu struct {
		sync.Mutex
		idle    []*Isolate
		seated  []*Isolate
		count   int // isolates whose memory is there, or about to be
		calls   int // seats taken
		waiting []chan *Isolate
		closed  bool
		drained bool // given back
	}
}

// guest is what differs between JavaScript and wasm Workers.
type guest interface {
	// invoke runs c in is, where it has a seat, and returns its outcome. It finishes the call
	// and vacates the seat when nothing of the call is left in the isolate, which may be later.
	// errDead says that the isolate died before the call began: it still has both.
	invoke(is *Isolate, c *Call) (*Response, error)
}

// PoolInfo is what is known of a version once it has started.
type PoolInfo struct {
	Startup      time.Duration // CPU time of evaluating it
	HandlesFetch bool
	ImageBytes   int64 // of the snapshot
	Thawed       bool  // it was not evaluated: Spec.Frozen
}

// maxWaiting bounds the calls that wait for a seat of one version, and waitForSeat how long.
const (
	maxWaiting  = 1024
	waitForSeat = 10 * time.Second
)

// Info tells about the version.
func (p *Pool) Info() PoolInfo { return p.info }

// Invoke runs one call: it owns c.Request, fills c.Usage and c.Isolate, and returns when the
// response's head is there. The error is a guest's fault (*Exception, ErrCPULimit…), ErrBusy,
// ErrClosed or ErrCanceled.
func (p *Pool) Invoke(c *Call) (*Response, error) {
	c.begin(p)
	err := c.admit()
	for err == nil {
		var is *Isolate
		if is, err = p.acquire(c); err != nil {
			break
		}
		r, err := p.guest.invoke(is, c)
		if err != errDead {
			return r, err
		}
		p.vacate(is, false)
	}
	c.Usage, c.Isolate = Usage{}, ""
	c.finish()
	return nil, err
}

// errDead is an isolate that a co-resident killed between acquire and the call's first entry.
var errDead = errors.New("isolate is dead")

// acquire takes a seat for c, cloning an isolate where that is better than sharing one.
func (p *Pool) acquire(c *Call) (*Isolate, error) {
	if !p.used.Load() { // the line is shared by all cores
		p.used.Store(true)
	}
	p.mu.Lock()
	if p.mu.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if is := p.seatLocked(); is != nil {
		p.mu.calls++
		p.mu.Unlock()
		c.Isolate = Warm
		return is, nil
	}
	if p.mu.count < p.spec.MaxIsolates {
		p.mu.count++
		p.mu.calls++
		p.mu.Unlock()
		is, err := p.grow(c)
		if err != ErrNoRoom || !p.waitsWithoutRoom() {
			return is, err
		}
	}
	return p.waitLocked(c)
}

// seatLocked finds a seat: in the isolate that was idle last; else, once every processor can
// have an isolate of its own, beside suspended calls.
func (p *Pool) seatLocked() *Isolate {
	if n := len(p.mu.idle); n > 0 {
		is := p.mu.idle[n-1]
		p.mu.idle = p.mu.idle[:n-1]
		is.seats = 1
		if p.seats > 1 {
			p.mu.seated = append(p.mu.seated, is)
		}
		return is
	}
	n := len(p.mu.seated)
	if n == 0 || p.mu.count < min(2*runtime.GOMAXPROCS(0), p.spec.MaxIsolates) {
		return nil
	}
	is := p.mu.seated[n-1]
	if is.seats++; is.seats == p.seats {
		p.mu.seated = p.mu.seated[:n-1]
	} else if n > 1 { // the next call goes elsewhere
		copy(p.mu.seated[1:], p.mu.seated[:n-1])
		p.mu.seated[0] = is
	}
	return is
}

// waitsWithoutRoom locks the pool for a call that found no room for an isolate, if there is one
// that it can wait for.
func (p *Pool) waitsWithoutRoom() bool {
	p.mu.Lock()
	if p.mu.count > 0 && !p.mu.closed {
		return true
	}
	p.mu.Unlock()
	return false
}

// grow has another isolate, with one seat taken; count and calls are charged already.
func (p *Pool) grow(c *Call) (*Isolate, error) {
	is, warmth, err := p.rt.warm.obtain(p)
	c.Isolate = warmth
	if err != nil {
		p.mu.Lock()
		p.replaceLocked() // whoever waits may have more luck, or is told the same
		p.left()
		return nil, err
	}
	is.seats = 1
	p.mu.Lock()
	p.admitLocked(is)
	if is.seats < p.seats {
		p.mu.seated = append(p.mu.seated, is)
	}
	p.mu.Unlock()
	return is, nil
}

// admitLocked gives an isolate's free seats to waiting calls.
func (p *Pool) admitLocked(is *Isolate) {
	for len(p.mu.waiting) > 0 && is.seats < p.seats {
		turn := p.mu.waiting[0]
		p.mu.waiting = p.mu.waiting[1:]
		p.mu.calls++
		is.seats++
		turn <- is
	}
}

// waitLocked waits for a seat to be given up. It unlocks.
func (p *Pool) waitLocked(c *Call) (*Isolate, error) {
	if len(p.mu.waiting) == maxWaiting {
		p.mu.Unlock()
		return nil, ErrBusy
	}
	turn := make(chan *Isolate, 1)
	p.mu.waiting = append(p.mu.waiting, turn)
	p.mu.Unlock()
	t := time.NewTimer(waitForSeat)
	defer t.Stop()
	err := ErrBusy
	select {
	case is := <-turn:
		return p.waited(is, c)
	case <-c.Context.Done():
		err = ErrCanceled
	case <-t.C:
	}
	if p.stopWaiting(turn) {
		return nil, err
	}
	return p.waited(<-turn, c) // it was given one meanwhile
}

// waited takes what a waiting call was given: a seat, the right to make an isolate (nil), or,
// the pool being closed, nothing.
func (p *Pool) waited(is *Isolate, c *Call) (*Isolate, error) {
	if is == closedSeat {
		return nil, ErrClosed
	}
	if is == nil {
		return p.grow(c)
	}
	c.Isolate = Warm
	return is, nil
}

var closedSeat = new(Isolate)

func (p *Pool) stopWaiting(turn chan *Isolate) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.mu.waiting {
		if w == turn {
			p.mu.waiting = append(p.mu.waiting[:i], p.mu.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// vacate gives a seat up. keep says that the isolate may take calls again; the caller has left
// its turn and, but for a call that never began, finished the call.
func (p *Pool) vacate(is *Isolate, keep bool) {
	p.mu.Lock()
	is.seats--
	switch {
	case keep && !p.mu.closed && !(is.seats == 0 && is.fat()):
		p.keepLocked(is)
	case p.retireLocked(is):
		p.mu.Unlock()
		is.close() // before another takes its place: count bounds memory
		p.mu.Lock()
		p.replaceLocked()
	}
	p.left()
}

// left counts one call less. It unlocks.
func (p *Pool) left() {
	p.mu.calls--
	p.drain()
}

// drain gives back what the isolates share, once the pool is closed and the last of them has
// gone. It unlocks.
func (p *Pool) drain() {
	last := p.mu.closed && p.mu.count == 0 && p.mu.calls == 0 && !p.mu.drained
	p.mu.drained = p.mu.drained || last
	p.mu.Unlock()
	if !last {
		return
	}
	p.snapshot.close()
	if p.onClose != nil {
		p.onClose()
	}
}

// shun keeps further calls away from an isolate that has died.
func (p *Pool) shun(is *Isolate) {
	p.mu.Lock()
	p.mu.seated = without(p.mu.seated, is)
	p.mu.Unlock()
}

// keepLocked gives the seat to a waiting call, or puts the isolate where it belongs now.
func (p *Pool) keepLocked(is *Isolate) {
	wasFull := is.seats == p.seats-1
	p.admitLocked(is)
	switch {
	case is.seats == 0:
		p.mu.seated = without(p.mu.seated, is)
		p.mu.idle = append(p.mu.idle, is)
	case is.seats == p.seats:
		p.mu.seated = without(p.mu.seated, is)
	case wasFull:
		p.mu.seated = append(p.mu.seated, is)
	}
}

// retireLocked takes an isolate out of circulation, and reports whether its last call has
// left: then it is to be closed, and replaced.
func (p *Pool) retireLocked(is *Isolate) bool {
	p.mu.seated = without(p.mu.seated, is)
	return is.seats == 0
}

// replaceLocked counts one isolate less. A waiting call may make another in its place.
func (p *Pool) replaceLocked() {
	if len(p.mu.waiting) == 0 {
		p.mu.count--
		return
	}
	turn := p.mu.waiting[0]
	p.mu.waiting = p.mu.waiting[1:]
	p.mu.calls++
	turn <- nil
}

func without(list []*Isolate, is *Isolate) []*Isolate {
	for i, x := range list {
		if x == is {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// Close lets no call in any more and gives the pool back when the last one has left.
func (p *Pool) Close() {
	p.mu.Lock()
	if p.mu.closed {
		p.mu.Unlock()
		return
	}
	p.mu.closed = true
	idle := p.mu.idle
	p.mu.idle = nil
	for _, turn := range p.mu.waiting {
		turn <- closedSeat
	}
	p.mu.waiting = nil
	p.mu.Unlock()
	p.rt.warm.dismiss(p)
	p.rt.warm.keep(idle)
	p.mu.Lock()
	p.mu.count -= len(idle)
	p.drain()
}

// giveUp takes the isolate that was idle for longest out of the pool; nil when there is none.
func (p *Pool) giveUp() *Isolate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mu.idle) == 0 {
		return nil
	}
	is := p.mu.idle[0]
	p.mu.idle = slices.Delete(p.mu.idle, 0, 1)
	p.mu.count--
	return is
}

// PoolStats is a moment of a pool.
type PoolStats struct{ Isolates, Idle, Calls, Waiting int }

// Stats counts the pool's isolates and calls now.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolStats{Isolates: p.mu.count, Idle: len(p.mu.idle), Calls: p.mu.calls, Waiting: len(p.mu.waiting)}
}

// NewPool makes a version ready to run: it compiles what is to be compiled, evaluates the
// Worker once under its start-up limits and takes the snapshot, or takes the one that Spec.Frozen
// is. Nothing is left behind when it fails; a *StartupError says what is wrong with the upload,
// ErrStale that Frozen is no snapshot of it.
func (rt *Runtime) NewPool(ctx context.Context, s *Spec) (*Pool, error) {
	if s.MaxIsolates < 0 || s.Suspended < 0 || s.Memory < 0 || s.StartupCPU < 0 {
		return nil, errors.New("isolate: a limit of the Spec is negative")
	}
	spec := *s
	spec.Modules, spec.Frozen = nil, nil
	if spec.MaxIsolates == 0 {
		spec.MaxIsolates = rt.options.MaxIsolates
	}
	if spec.Suspended == 0 {
		spec.Suspended = rt.options.Suspended
	}
	if spec.StartupCPU == 0 {
		spec.StartupCPU = rt.options.StartupCPU
	}
	if spec.Memory == 0 || spec.Memory > rt.options.Memory {
		spec.Memory = rt.options.Memory
	}
	p := &Pool{rt: rt, spec: spec, seats: 1}
	if err := p.start(ctx, s); err != nil {
		return nil, err
	}
	rt.warm.enrol(p)
	p.info.ImageBytes = int64(p.snapshot.image.bytes())
	return p, nil
}

// start gives the pool its snapshot.
func (p *Pool) start(ctx context.Context, s *Spec) error {
	if s.Frozen != nil {
		return p.thaw(s.Frozen)
	}
	main, err := s.main()
	if err != nil {
		return err
	}
	if main.Kind == ModuleWasm {
		return p.startWasm(ctx, main)
	}
	return p.startJS(s, main)
}

// main finds the main module among the uploaded ones.
func (s *Spec) main() (*Module, error) {
	for i := range s.Modules {
		if m := &s.Modules[i]; m.Name == s.Main {
			switch m.Kind {
			case ModuleES, ModuleJS, ModuleWasm:
				return m, nil
			}
			return nil, &StartupError{Module: s.Main, Message: "the main module is neither JavaScript nor wasm"}
		}
	}
	return nil, &StartupError{Module: s.Main, Message: "the main module is not in the upload"}
}
