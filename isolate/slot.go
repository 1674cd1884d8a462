package isolate

import (
	"runtime"
	"sync/atomic"
	_ "unsafe" // for go:linkname
)

// slots keep one idle isolate of a Pool for each processor, taken and put back without a lock: it
// comes back to the caches that hold its memory. What is more than one lies in Pool.mu.idle.
//
// Whoever looks for an isolate in vain, or closes the Pool, says so in alert before he looks; who
// puts one into a slot looks at alert afterwards. One of the two sees the other.
type slots struct {
	list  []slot
	alert atomic.Int32 // calls that wait; closedAlert more when the pool is closed
}

// slot has a cache line of its own.
type slot struct {
	atomic.Pointer[Isolate]
	_ [56]byte
}

const closedAlert = 1 << 30

func newSlots() slots { return slots{list: make([]slot, runtime.GOMAXPROCS(0))} }

// here is this processor's slot: a hint, for the goroutine may be elsewhere at once.
func (s *slots) here() *slot {
	n := procPin()
	procUnpin()
	return &s.list[n%len(s.list)]
}

// take empties this processor's slot.
func (s *slots) take() *Isolate {
	here := s.here()
	if here.Load() == nil { // no write to the line
		return nil
	}
	return here.Swap(nil)
}

// takeAny empties one of the slots.
func (s *slots) takeAny() *Isolate {
	for i := range s.list {
		if is := s.list[i].Swap(nil); is != nil {
			return is
		}
	}
	return nil
}

// put reports whether the isolate, which nobody uses, is in a slot now, or with somebody who found
// it there.
func (s *slots) put(is *Isolate) bool {
	here := s.here()
	if !here.CompareAndSwap(nil, is) {
		return false
	}
	return s.alert.Load() == 0 || !here.CompareAndSwap(is, nil)
}

// full counts the slots with an isolate.
func (s *slots) full() (n int) {
	for i := range s.list {
		if s.list[i].Load() != nil {
			n++
		}
	}
	return n
}

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()
