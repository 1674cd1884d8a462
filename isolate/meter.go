package isolate

import (
	"context"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// Fuel paces a guest; the clock charges it. The rewriter makes a guest call yield whenever
// its fuel is used up, every 100 to 300 µs, whatever it does. Yield reads the clock, charges
// the CPU time, lets the scheduler run and ends the guest by a panic when a limit is passed.
// Short calls never yield: they cost two clock readings.
const (
	sliceFuel   = 1_500_000              // 80 to 300 µs, by the guest's instruction mix
	sliceBudget = 600 * time.Microsecond // a slice longer than this was preempted or faulted a lot
	schedEvery  = time.Millisecond       // runtime.Gosched costs more than a yield
)

// meter charges one isolate's guest segments to the call that is being run. Time that a call
// spends waiting in the host is outside every segment.
type meter struct {
	call    *Call
	entered time.Duration // monotonic clock when the guest was entered: what it sees as now
	last    time.Duration // the same at the start of the slice: all before it is charged
	sched   time.Duration // when the scheduler last ran
	slow    bool          // holds a token of the lane, and the thread
	token   time.Duration // since when; this, share and cpu are valid when slow
	share   *Share
	cpu     time.Duration // the thread's CPU clock at the start of the slice
	watch   func(bool)    // Options.slice
}

// epoch is the start of the process; the monotonic clock counts from here.
var epoch = time.Now()

// monotonic is the time since the process started.
func monotonic() time.Duration { return time.Since(epoch) }

// begin opens a segment of c.
func (m *meter) begin(c *Call) {
	now := monotonic()
	m.call, m.entered, m.last, m.sched = c, now, now, now
	m.see(true)
}

// end closes the segment and charges it.
func (m *meter) end(l *lane) {
	m.charge(monotonic())
	m.call = nil
	m.leave(l)
}

// see tells a test that a slice begins, or ends.
func (m *meter) see(begins bool) {
	if m.watch != nil {
		m.watch(begins)
	}
}

// charge adds the slice that ends now. One far longer than its fuel explains was mostly spent
// off the CPU. In the slow lane the thread's own clock then knows how much was not. Elsewhere no
// clock does: when the scheduler takes a goroutine off its thread, in a host function, others run
// there and it may come back to the same one, whose clock has their time too. So the budget
// counts, and nobody is killed for another's load; whoever takes longer slices than that for
// laneAfter is in the slow lane a few slices later.
func (m *meter) charge(now time.Duration) {
	m.see(false)
	spent := now - m.last
	if spent > sliceBudget {
		spent = m.long(spent)
	}
	m.call.state.usage.CPU += spent
	m.last = now
}

// long is what a slice that took the wall time spent is charged.
func (m *meter) long(spent time.Duration) time.Duration {
	if !m.slow {
		return sliceBudget
	}
	cpu, ok := threadCPU()
	if !ok {
		return spent
	}
	return min(spent, cpu-m.cpu)
}

// own is for who has just got a token: with it goes the thread, so that its clock is the guest's.
func (m *meter) own(s *Share) {
	runtime.LockOSThread()
	m.slow, m.share = true, s
}

// leave gives token and thread back.
func (m *meter) leave(l *lane) {
	if m.slow {
		m.slow = false
		runtime.UnlockOSThread()
		l.leave(m.share, m.last-m.token)
	}
}

// pause closes the segment for as long as a host function waits; resume opens it again.
func (m *meter) pause(l *lane) *Call {
	c := m.call
	m.end(l)
	return c
}

func (m *meter) resume(c *Call) { m.begin(c) }

// yield is the host function that a guest calls when its fuel is used up.
func yield(ctx context.Context, _ api.Module, _ []uint64) {
	c := ctx.(*isolateContext)
	c.is.pace()
	if c.nested != nil {
		c.nested.fuel.Set(sliceFuel)
	}
}

// pace ends a slice: of the guest, or of a host function's long work for it.
func (is *Isolate) pace() {
	m := &is.meter
	now := monotonic()
	m.charge(now)
	is.mustGoOn(m.call)
	if is.giveWay(now) {
		now = monotonic()
		m.sched = now
	}
	m.last = now
	if m.slow {
		m.cpu, _ = threadCPU()
	}
	m.see(true)
	is.fuel.Set(sliceFuel)
}

// spend takes the fuel for n random bytes: a loop around the host's work must come to its
// yield as soon as one around the guest's own.
func (is *Isolate) spend(n int) {
	is.fuel.Set(uint64(int64(is.fuel.Get()) - int64(n)*randomFuel))
}

// spendTime takes the fuel for host work that took d.
func (is *Isolate) spendTime(d time.Duration) {
	is.fuel.Set(uint64(int64(is.fuel.Get()) - int64(d)*fuelPerNanosecond))
}

// afterWork is spendTime for work that began at start and is one of many in one host function.
func (is *Isolate) afterWork(start time.Duration) {
	is.spendTime(monotonic() - start)
	if int64(is.fuel.Get()) < 0 {
		is.pace()
	}
}

// logFor logs a line, which takes as long as the host's log does.
func (is *Isolate) logFor(c *Call, level LogLevel, line []byte) {
	start := monotonic()
	c.log(level, line)
	is.afterWork(start)
}

const (
	randomFuel        = 16  // a byte
	fuelPerNanosecond = 10  // a slice's worth in 150 µs
	hostFuel          = 300 // a wasm guest's call of the host, beside what the rewriter charges
)

// mustGoOn ends the guest when c is over. A client that left does not cost co-residents their
// isolate, as long as the call's CPU limit ends it anyway.
func (is *Isolate) mustGoOn(c *Call) {
	err := c.over(time.Now)
	if err != nil && (err != ErrCanceled || !is.spares(c)) {
		panic(err)
	}
}

func (is *Isolate) spares(c *Call) bool { return len(is.calls) > 1 && c.Limits.CPU > 0 }

// giveWay lets others have the processor when it is time to, and reports whether it did.
func (is *Isolate) giveWay(now time.Duration) bool {
	m, l := &is.meter, is.module.rt.lane
	switch {
	case !m.slow && m.call.state.usage.CPU > laneAfter:
		is.enterLane()
	case m.slow && now-m.token > laneTurn && l.crowded():
		m.leave(l)
		is.enterLane()
	case now-m.sched >= schedEvery:
		runtime.Gosched()
	default:
		return false
	}
	return true
}

// enterLane waits for a token of the slow lane.
func (is *Isolate) enterLane() {
	l := is.module.rt.lane
	share := l.share(is.meter.call)
	is.waitFor(l, share)
	is.meter.own(share)
	is.meter.token = is.meter.last
}

// waitFor waits for a token of l, as s, and ends the guest when its call is over before there is one.
// What it waits is not the guest's time.
func (is *Isolate) waitFor(l *lane, s *Share) {
	m := &is.meter
	c := m.call
	m.charge(monotonic())
	m.leave(is.module.rt.lane)
	var gone <-chan struct{}
	if !c.state.delivered && !is.spares(c) {
		gone = c.Context.Done()
	}
	due, stop := c.due()
	defer stop()
	for !l.enter(s, gone, due) {
		m.last = monotonic()
		is.mustGoOn(c)
	}
	m.last = monotonic()
	m.see(true)
}
