package isolate

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"
)

// warmSet is all isolates of a Runtime: how many there may be, what they take, and who has to
// give one up when there is no room for another.
//
//	spare (of the engine's base, no tenant's) ──become──► in a Pool: busy ⇄ idle
//	   ▲                                                              │
//	   └─── the Pool is closed ───────────────────────────────────────┤
//	                       there is no room ──become──► another Pool's, or closed
//
// Which Pool gives one up is decided by a clock hand: a Pool that was used since the hand came by
// last is passed over once. It is not the order of last use, but nothing is to be kept in order on
// the way of a warm request: a Pool marks itself used, no more.
//
// Locks: a Pool's and the set's are never held together.
type warmSet struct {
	rt     *Runtime
	budget int64 // bytes
	most   int64 // isolates

	isolates atomic.Int64 // there are, or are being made
	bytes    atomic.Int64 // that they are reckoned to take
	measured atomic.Int64 // that the process took a moment ago

	mu struct {
		sync.Mutex
		pools   []*Pool
		hand    int
		spare   []*Isolate // last in, first out
		filling bool
		closed  bool
	}
	stop       chan struct{}
	background sync.WaitGroup
}

const (
	// vmasLeft are the memory mappings of the process (vm.max_map_count) that are not for isolates,
	// each of which takes two. Without a mapping to be had the Go runtime itself ends.
	vmasLeft       = 8192
	vmasPerIsolate = 2

	// isolateBytes is what an isolate takes beside its pages: instance, function handle, page tables.
	isolateBytes = 24 << 10
	// engineBytes is the same for the JavaScript engine, which has 1,500 functions.
	engineBytes = 80 << 10
	// usualPages is what a request writes as a rule.
	usualPages = 40

	spareLeast = 8  // are made ready while nobody waits for them
	spareMost  = 32 // are kept of those that closed Pools leave
	warmLeast  = 16 // isolates stay, whatever the rest of the process takes
	measureGap = time.Second
)

func newWarmSet(rt *Runtime) *warmSet {
	w := &warmSet{rt: rt, budget: rt.options.WarmMemory, most: cmp.Or(rt.options.most, maxIsolates()), stop: make(chan struct{})}
	w.background.Add(1)
	go w.watch() // until close, which waits for it
	return w
}

// cost is what a clone of the snapshot is reckoned to take.
func (s *snapshot) cost() int64 {
	if s == nil {
		return isolateBytes
	}
	own := int64(isolateBytes)
	if js := s.module.rt.js; js != nil && js.module == s.module {
		own = engineBytes
	}
	return own + pageSize*int64(min(usualPages, s.image.size/pageSize)+len(s.image.pages))
}

// admit makes room for is, which is to be made from s, or fails with ErrNoRoom.
func (w *warmSet) admit(is *Isolate, s *snapshot) error {
	cost := s.cost()
	for {
		n, b := w.isolates.Add(1), w.bytes.Add(cost)
		if n <= w.most && b <= w.budget {
			is.cost = cost
			return nil
		}
		w.isolates.Add(-1)
		w.bytes.Add(-cost)
		victim := w.popSpare()
		if victim == nil {
			if victim = w.steal(); victim == nil {
				return ErrNoRoom
			}
		}
		victim.close()
	}
}

// leave takes back what admit counted.
func (w *warmSet) leave(is *Isolate) {
	w.isolates.Add(-1)
	w.bytes.Add(-is.cost)
}

// recost counts is as a clone of s.
func (w *warmSet) recost(is *Isolate, s *snapshot) {
	cost := s.cost()
	w.bytes.Add(cost - is.cost)
	is.cost = cost
}

// roomFor reports whether an isolate made from s would find room.
func (w *warmSet) roomFor(s *snapshot) bool {
	return w.isolates.Load() < w.most && w.bytes.Load()+s.cost() <= w.budget
}

// obtain gives p another isolate: a spare one or, when there is no room, another Pool's, which
// take on p's pages; else a new one.
func (w *warmSet) obtain(p *Pool) (*Isolate, Warmth, error) {
	for is := w.take(p.snapshot); is != nil; is = w.take(p.snapshot) {
		if is.become(p.snapshot) == nil {
			return is, Reskin, nil
		}
		is.close()
	}
	is, err := w.rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
	return is, Clone, err
}

// take finds an isolate that can become s and that nobody else should have.
func (w *warmSet) take(s *snapshot) *Isolate {
	if w.rt.js != nil && w.rt.js.base.fits(s) {
		if is := w.popSpare(); is != nil {
			return is
		}
	}
	for !w.roomFor(s) {
		is := w.steal()
		if is == nil || is.from.fits(s) {
			return is
		}
		is.close()
	}
	return nil
}

// fits reports whether a clone of s can become one of o.
func (s *snapshot) fits(o *snapshot) bool { return s.module == o.module && s.entry == o.entry }

// popSpare takes a spare isolate, the one used last, and has others made in time.
func (w *warmSet) popSpare() *Isolate {
	w.mu.Lock()
	n := len(w.mu.spare)
	if n == 0 {
		w.fillLocked()
		w.mu.Unlock()
		return nil
	}
	is := w.mu.spare[n-1]
	w.mu.spare[n-1] = nil
	w.mu.spare = w.mu.spare[:n-1]
	if n <= spareLeast/2 {
		w.fillLocked()
	}
	w.mu.Unlock()
	return is
}

// fillLocked has spare isolates made, off every request's way.
func (w *warmSet) fillLocked() {
	if w.mu.filling || w.mu.closed || w.rt.js == nil || !w.roomFor(w.rt.js.base) {
		return
	}
	w.mu.filling = true
	w.background.Add(1)
	go w.fill() // ends when there are enough, or close has been called, which waits for it
}

func (w *warmSet) fill() {
	defer w.background.Done()
	base := w.rt.js.base
	for {
		var is *Isolate
		if w.roomFor(base) { // else it would take another's away
			is, _ = w.rt.newIsolate(base.module, base, base.entry)
		}
		w.mu.Lock()
		if is == nil || w.mu.closed {
			w.mu.filling = false
			w.mu.Unlock()
			if is != nil {
				is.close()
			}
			return
		}
		w.mu.spare = append(w.mu.spare, is)
		if len(w.mu.spare) >= spareLeast {
			w.mu.filling = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
	}
}

// prepare has the first spare isolates made.
func (w *warmSet) prepare() {
	w.mu.Lock()
	w.fillLocked()
	w.mu.Unlock()
}

// keep takes over what a closed Pool leaves: clean at once, spare or closed.
func (w *warmSet) keep(idle []*Isolate) {
	for _, is := range idle {
		js := w.rt.js
		if js == nil || !js.base.fits(is.from) || is.become(js.base) != nil || !w.pushSpare(is) {
			is.close()
		}
	}
}

func (w *warmSet) pushSpare(is *Isolate) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.closed || len(w.mu.spare) >= spareMost {
		return false
	}
	w.mu.spare = append(w.mu.spare, is)
	return true
}

// enrol lets p's idle isolates be taken away; dismiss ends that.
func (w *warmSet) enrol(p *Pool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.place = len(w.mu.pools)
	w.mu.pools = append(w.mu.pools, p)
}

func (w *warmSet) dismiss(p *Pool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.place < 0 {
		return
	}
	last := len(w.mu.pools) - 1
	w.mu.pools[p.place] = w.mu.pools[last]
	w.mu.pools[p.place].place = p.place
	w.mu.pools[last] = nil
	w.mu.pools = w.mu.pools[:last]
	p.place = -1
}

// steal takes an idle isolate from a Pool that was not used lately; nil when none is idle.
func (w *warmSet) steal() *Isolate {
	for turns := 0; ; turns++ {
		p := w.next(turns)
		if p == nil {
			return nil
		}
		if p.used.Load() {
			p.used.Store(false)
			continue
		}
		if is := p.giveUp(); is != nil {
			return is
		}
	}
}

// next moves the hand on; nil when it went round twice.
func (w *warmSet) next(turns int) *Pool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.mu.pools)
	if turns >= 2*n {
		return nil
	}
	w.mu.hand = (w.mu.hand + 1) % n
	return w.mu.pools[w.mu.hand]
}

// watch measures the process, whose guests grow without a word, and closes idle isolates while it
// takes more than the budget.
func (w *warmSet) watch() {
	defer w.background.Done()
	tick := time.NewTicker(measureGap)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.measure()
		case <-w.stop:
			return
		}
	}
}

func (w *warmSet) measure() {
	used := cmp.Or(anonymousBytes(), w.bytes.Load()) + w.rt.slabs.used()
	w.measured.Store(used)
	w.trim(used)
}

// trim closes idle isolates until what they took makes up for what is used beyond the budget.
func (w *warmSet) trim(used int64) {
	for over := used - w.budget; over > 0 && w.isolates.Load() > warmLeast; {
		is := w.steal()
		if is == nil {
			return
		}
		over -= is.cost
		is.close()
	}
}

// close closes the spare isolates. Every Pool must have been closed.
func (w *warmSet) close() {
	close(w.stop)
	w.mu.Lock()
	w.mu.closed = true
	spare := w.mu.spare
	w.mu.spare = nil
	w.mu.Unlock()
	w.background.Wait()
	for _, is := range spare {
		is.close()
	}
}

// RuntimeStats is a moment of a Runtime.
type RuntimeStats struct {
	Isolates    int    // there are, idle and spare ones among them
	Spare       int    // JavaScript isolates that no version has
	Reckoned    int64  // bytes that isolates are reckoned to take
	Measured    int64  // anonymous memory, Go's heap included, and images, in bytes; up to a second old
	ImageBytes  int64  // of snapshots
	Slow        int    // calls that compute for long and have a processor
	SlowWaiting int    // the same that wait for one
	Reset       string // how isolates are reset: pagemap_scan, pagemap_read, remap or copy
}

// Stats tells what there is now.
func (rt *Runtime) Stats() RuntimeStats {
	w := rt.warm
	w.mu.Lock()
	spare := len(w.mu.spare)
	w.mu.Unlock()
	return RuntimeStats{
		Isolates: int(w.isolates.Load()), Spare: spare, Reckoned: w.bytes.Load(), Measured: w.measured.Load(),
		ImageBytes: rt.slabs.used(), Slow: rt.lane.taken(), SlowWaiting: int(rt.lane.waiting.Load()), Reset: rt.reset.String(),
	}
}

// Crowded says that the snapshots of versions take half of Options.WarmMemory, or more: Pools that
// are used the least should be closed.
func (rt *Runtime) Crowded() bool { return rt.slabs.used() > rt.options.WarmMemory/2 }
