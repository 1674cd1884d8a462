package isolate

import (
	"runtime"
	"time"
)

// acquire takes a seat for c, in an isolate of its own where that is better than sharing one.
func (p *Pool) acquire(c *Call) (*Isolate, error) {
	if !p.used.Load() { // the line is shared by all cores
		p.used.Store(true)
	}
	if is := p.slots.take(); is != nil {
		c.Isolate = Warm
		return is, nil
	}
	p.mu.Lock()
	if p.mu.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if is := p.seatLocked(); is != nil {
		p.mu.Unlock()
		c.Isolate = Warm
		return is, nil
	}
	if p.mu.count < p.spec.MaxIsolates {
		p.mu.count++
		p.mu.Unlock()
		is, err := p.grow(c)
		if err != ErrNoRoom || !p.waitsWithoutRoom() {
			return is, err
		}
	}
	return p.waitLocked(c)
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

// seatLocked finds a seat: in the isolate that was idle last; else, once every processor can
// have an isolate of its own, beside suspended calls.
func (p *Pool) seatLocked() *Isolate {
	if n := len(p.mu.idle); n > 0 {
		is := p.mu.idle[n-1]
		p.mu.idle[n-1] = nil
		p.mu.idle = p.mu.idle[:n-1]
		return is
	}
	if is := p.slots.takeAny(); is != nil {
		return is
	}
	n := len(p.mu.seated)
	if n == 0 || p.mu.count < min(2*runtime.GOMAXPROCS(0), p.spec.MaxIsolates) {
		return nil
	}
	is := p.mu.seated[n-1]
	p.mu.calls++
	if is.seats++; is.seats == p.seats {
		p.mu.seated = p.mu.seated[:n-1]
	} else if n > 1 { // the next call goes elsewhere
		copy(p.mu.seated[1:], p.mu.seated[:n-1])
		p.mu.seated[0] = is
	}
	return is
}

// share lets other calls into the isolate, whose only call is about to wait and has its turn.
func (p *Pool) share(is *Isolate) {
	if is.joint || p.seats == 1 || is.dead {
		return
	}
	p.mu.Lock()
	is.joint, is.seats = true, 1
	p.mu.joint++
	p.mu.calls++
	p.admitLocked(is)
	if is.seats < p.seats {
		p.mu.seated = append(p.mu.seated, is)
	}
	p.mu.Unlock()
}

// grow has another isolate, which is the call's alone; count is charged already.
func (p *Pool) grow(c *Call) (*Isolate, error) {
	is, warmth, err := p.rt.warm.obtain(p)
	c.Isolate = warmth
	if err != nil {
		p.mu.Lock()
		p.replaceLocked() // whoever waits may have more luck, or is told the same
		p.drain()
		return nil, err
	}
	return is, nil
}

// admitLocked gives a joint isolate's free seats to waiting calls.
func (p *Pool) admitLocked(is *Isolate) {
	for len(p.mu.waiting) > 0 && is.seats < p.seats {
		p.mu.calls++
		is.seats++
		p.nextWaitingLocked() <- is
	}
}

// nextWaitingLocked takes the call out that waits for longest; there is one.
func (p *Pool) nextWaitingLocked() chan *Isolate {
	turn := p.mu.waiting[0]
	p.mu.waiting = p.mu.waiting[1:]
	p.slots.alert.Add(-1)
	return turn
}

// waitLocked waits for a seat to be given up. It unlocks.
func (p *Pool) waitLocked(c *Call) (*Isolate, error) {
	most, patience := maxWaiting, waitForSeat
	if c.Share != nil && 2*int(c.Share.inside.Load()) >= p.mu.count {
		most, patience = maxWaitingToWork, waitToWork
	}
	if len(p.mu.waiting) >= most {
		p.mu.Unlock()
		return nil, ErrBusy
	}
	turn := make(chan *Isolate, 1)
	p.mu.waiting = append(p.mu.waiting, turn)
	p.slots.alert.Add(1)
	if is := p.slots.takeAny(); is != nil { // put there since this call looked
		p.nextWaitingLocked() <- is
	}
	p.mu.Unlock()
	t := time.NewTimer(patience)
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
			p.slots.alert.Add(-1)
			return true
		}
	}
	return false
}

// vacate gives a seat up. keep says that the isolate may take calls again; the caller has left
// its turn and, but for a call that never began, finished the call.
func (p *Pool) vacate(is *Isolate, keep bool) {
	// The state of a joint isolate changes under the lock, and is the caller's while it is not.
	if keep && !is.joint && !is.fat() && p.slots.put(is) {
		return
	}
	p.mu.Lock()
	last := p.leaveLocked(is)
	switch {
	case keep && !p.mu.closed && !(last && is.fat()):
		p.keepLocked(is, last)
	case last:
		p.mu.Unlock()
		is.close() // before another takes its place: count bounds memory
		p.mu.Lock()
		p.replaceLocked()
	default:
		p.mu.seated = without(p.mu.seated, is)
	}
	p.drain()
}

// leaveLocked takes one call out of the isolate and reports whether it was the last: then the
// isolate is the caller's alone.
func (p *Pool) leaveLocked(is *Isolate) (last bool) {
	if !is.joint {
		return true
	}
	is.seats--
	p.mu.calls--
	if is.seats > 0 {
		return false
	}
	is.joint = false
	p.mu.joint--
	p.mu.seated = without(p.mu.seated, is)
	return true
}

// keepLocked gives the seat to a waiting call, or puts the isolate where it belongs now.
func (p *Pool) keepLocked(is *Isolate, last bool) {
	switch {
	case last && len(p.mu.waiting) > 0:
		p.nextWaitingLocked() <- is
	case last:
		if !p.slots.put(is) {
			p.mu.idle = append(p.mu.idle, is)
		}
	default:
		wasFull := is.seats == p.seats-1
		if p.admitLocked(is); wasFull && is.seats < p.seats {
			p.mu.seated = append(p.mu.seated, is)
		}
	}
}

// shun keeps further calls away from an isolate that has died.
func (p *Pool) shun(is *Isolate) {
	p.mu.Lock()
	p.mu.seated = without(p.mu.seated, is)
	p.mu.Unlock()
}

// drain gives back what the isolates share, once the pool is closed and the last of them has
// gone. It unlocks.
func (p *Pool) drain() {
	last := p.mu.closed && p.mu.count == 0 && !p.mu.drained
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

// replaceLocked counts one isolate less. A waiting call may make another in its place.
func (p *Pool) replaceLocked() {
	if len(p.mu.waiting) == 0 {
		p.mu.count--
		return
	}
	p.nextWaitingLocked() <- nil
}

func without(list []*Isolate, is *Isolate) []*Isolate {
	for i, x := range list {
		if x == is {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
