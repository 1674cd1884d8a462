package isolate

import (
	"context"
	"errors"
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
//	slot ⇄ taken (by one call alone) ─suspended─► seated (1 ≤ calls < seats) ⇄ full
//	  idle ⇄──┘                          ◄─last call leaves─┘
//
// A call that finds an isolate in its processor's slot takes and puts it back without the lock. The
// isolate is joint, open to other calls, from when its call waits for something on, not before.
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
	slots    slots

	mu struct {
		sync.Mutex
		idle    []*Isolate // beside those in slots; the one used last comes first
		seated  []*Isolate // joint ones, with a free seat
		count   int        // isolates whose memory is there, or about to be
		joint   int        // of count: isolates that several calls may be in
		calls   int        // seats taken in joint isolates
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

// maxWaiting bounds the calls that wait for a seat of one version, and waitForSeat how long. When
// those that have the seats compute, not wait, the others would come too late anyway and are better
// told: who brings more work than there are processors for is the first to be refused.
const (
	maxWaiting       = 1024
	waitForSeat      = 10 * time.Second
	maxWaitingToWork = 64
	waitToWork       = time.Second
)

// Info tells about the version.
func (p *Pool) Info() PoolInfo { return p.info }

// Invoke runs one call: it owns c.Request, fills c.Usage and c.Isolate, and returns when the
// response's head is there. The error is a guest's fault (*Exception, ErrCPULimit…), ErrBusy,
// ErrClosed or ErrCanceled.
func (p *Pool) Invoke(c *Call) (*Response, error) {
	c.begin(p)
	err := c.admit()
	if _, wasm := p.guest.(*wasmGuest); wasm && c.Kind != CallFetch {
		err = errFetchOnly
	}
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
	c.state.err = err
	c.finish()
	return nil, err
}

// errDead is an isolate that a co-resident killed between acquire and the call's first entry.
var errDead = errors.New("isolate is dead")

// Close lets no call in any more and gives the pool back when the last one has left.
func (p *Pool) Close() {
	p.mu.Lock()
	if p.mu.closed {
		p.mu.Unlock()
		return
	}
	p.mu.closed = true
	p.slots.alert.Add(closedAlert)
	idle := p.mu.idle
	p.mu.idle = nil
	for is := p.slots.takeAny(); is != nil; is = p.slots.takeAny() {
		idle = append(idle, is)
	}
	for len(p.mu.waiting) > 0 {
		p.nextWaitingLocked() <- closedSeat
	}
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
	if p.mu.closed {
		return nil
	}
	var is *Isolate
	if len(p.mu.idle) > 0 {
		is = p.mu.idle[0]
		p.mu.idle = slices.Delete(p.mu.idle, 0, 1)
	} else if is = p.slots.takeAny(); is == nil {
		return nil
	}
	p.mu.count--
	return is
}

// PoolStats is a moment of a pool.
type PoolStats struct{ Isolates, Idle, Calls, Waiting int }

// Stats counts the pool's isolates and calls now.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := len(p.mu.idle) + p.slots.full()
	alone := p.mu.count - idle - p.mu.joint
	return PoolStats{Isolates: p.mu.count, Idle: idle, Calls: p.mu.calls + alone, Waiting: len(p.mu.waiting)}
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
	p := &Pool{rt: rt, spec: spec, seats: 1, slots: newSlots()}
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
		return p.thaw(ctx, s.Frozen)
	}
	main, err := s.main()
	if err != nil {
		return err
	}
	if main.Kind == ModuleWasm {
		return p.startWasm(ctx, main)
	}
	return p.startJS(ctx, s, main)
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
