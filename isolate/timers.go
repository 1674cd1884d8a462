package isolate

import (
	"container/heap"
	"slices"
	"time"
)

// timers are the timer operations of one call that are not due: the earliest first, and of those
// due at once the one that was set first. One alarm serves them all, since timers of the runtime
// that strike together run in any order, and a guest may rely on the order of its own.
//
//	startTimer ─► heap ──alarm──► ready, in order
//	               └── stop, finish: dropLocked
//
// Each of them counts among the call's running, and so does the alarm while it is set.
type timers struct {
	heap  timerHeap
	set   uint64      // so many were set
	alarm *time.Timer // calls ring; nil until the first timer
	armed bool        // ring will be called
}

// startTimer registers a timer operation; nil when there are too many operations.
func (c *Call) startTimer(id uint32, d time.Duration) *operation {
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.mu.timers
	t.set++
	op := c.registerLocked(operation{id: id, kind: opTimer, state: opRunning, due: time.Now().Add(d), order: t.set})
	if op == nil {
		return nil
	}
	heap.Push(&t.heap, op)
	switch {
	case !t.armed:
		t.armed = true
		s.mu.running++
		if t.alarm == nil {
			t.alarm = time.AfterFunc(d, c.ring)
		} else {
			t.alarm.Reset(d)
		}
	case op.rank == 0 && t.alarm.Stop(): // else ring is about to look at the heap
		t.alarm.Reset(d)
	}
	return op
}

// ring makes the timers ready that are due.
func (c *Call) ring() {
	s := &c.state
	s.mu.Lock()
	t := &s.mu.timers
	now := time.Now()
	for len(t.heap) > 0 && !t.heap[0].due.After(now) {
		op := heap.Pop(&t.heap).(*operation)
		op.state = opReady
		s.mu.ready.push(op)
		s.mu.running--
		s.signal()
	}
	if len(t.heap) > 0 {
		t.alarm.Reset(t.heap[0].due.Sub(now))
		s.mu.Unlock()
		return
	}
	t.armed = false
	s.mu.Unlock()
	c.leaveRunning() // of the alarm
}

// dropTimerLocked forgets a timer that is not due.
func (s *callState) dropTimerLocked(op *operation) {
	t := &s.mu.timers
	heap.Remove(&t.heap, op.rank)
	s.mu.running--
	if len(t.heap) == 0 && t.armed && t.alarm.Stop() {
		t.armed = false
		s.mu.running--
	}
}

// timerHeap orders timers for container/heap.
type timerHeap []*operation

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if order := h[i].due.Compare(h[j].due); order != 0 {
		return order < 0
	}
	return h[i].order < h[j].order
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].rank, h[j].rank = i, j
}

func (h *timerHeap) Push(op any) {
	op.(*operation).rank = len(*h)
	*h = append(*h, op.(*operation))
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	op := (*h)[last]
	*h = slices.Delete(*h, last, last+1)
	return op
}
