package isolate

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"
)

// wasmCall is what a call in a wasm Worker has beyond callState. The goroutine that runs the
// guest owns it.
type wasmCall struct {
	started uint32       // operations so far
	settled []*operation // fetches that completed and whose results were not taken yet
	params  map[string]json.RawMessage
	answer  chan outcome // where Invoke waits; nil when it runs the guest itself
}

// Numbers of operations. Those of fetches are above every handle, so that close can tell them
// apart; the others are never seen by a guest.
const (
	opDeadline = 1 // the timer of a wait
	opBlocking = 2 // what the guest is blocked in
	opFirst    = 1 << 16
)

// maxGuestFetches bounds the fetches that a wasm Worker has under way or has not looked at.
const maxGuestFetches = 512

// hand gives Invoke what it returns.
func (w *wasmCall) hand(r *Response, err error) { w.answer <- outcome{r, err} }

// drop forgets everything, keeping the buffer.
func (w *wasmCall) drop() {
	for i, op := range w.settled {
		op.discard()
		w.settled[i] = nil
	}
	*w = wasmCall{settled: w.settled[:0]}
}

// find returns the completed fetch id, nil when there is none.
func (w *wasmCall) find(id uint32) *operation {
	for _, op := range w.settled {
		if op.id == id {
			return op
		}
	}
	return nil
}

// forget takes a completed fetch out and spares it.
func (c *Call) forget(op *operation) {
	w := &c.state.wasm
	w.settled = slices.DeleteFunc(w.settled, func(o *operation) bool { return o == op })
	op.discard()
	c.spareOperation(op)
}

// live reports whether the operation id is under way, and how many are.
func (c *Call) live(id uint32) (found bool, count int) {
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.mu.live {
		found = found || op.id == id && !op.dropped
	}
	return found, len(s.mu.live)
}

// await blocks the guest, in a host function, until the next operation completes. It panics
// when the call is over. Time that passes here is not the guest's: its meter stands still, its
// place in the slow lane is free for others, and its clock shows the time afterwards.
func (is *Isolate) await(c *Call) *operation {
	is.meter.pause(is.module.rt.lane)
	defer is.meter.resume(c)
	op, err := c.next()
	for err == nil && op == nil {
		if !c.state.waiting() {
			panic("BUG: a guest waits for nothing")
		}
		c.limitRest() // the reader of its response may have gone
		op, err = c.next()
	}
	if err == nil {
		if err = c.over(time.Now); err != nil { // what ran inline ended because the call did
			op.discard()
		}
	}
	if err != nil {
		panic(err)
	}
	return op
}

// block waits for op, keeping the fetches that complete meanwhile.
func (is *Isolate) block(c *Call, op *operation) {
	for {
		got := is.await(c)
		if got == op {
			return
		}
		c.state.wasm.settled = append(c.state.wasm.settled, got)
	}
}

// waitAny waits for one of the fetches whose numbers are in ids, which are all known, for at
// most timeout; negative is for ever. It returns its index, -1 when none was ready in time.
func (is *Isolate) waitAny(c *Call, ids []byte, timeout time.Duration) int {
	if timeout == 0 {
		return c.pollAny(ids)
	}
	if timeout > 0 {
		if c.startTimer(opDeadline, timeout) == nil {
			return -1
		}
		defer c.stop(opDeadline)
	}
	for {
		op := is.await(c)
		if op.id == opDeadline {
			c.spareOperation(op)
			return -1
		}
		c.state.wasm.settled = append(c.state.wasm.settled, op)
		if i := indexOf(ids, op.id); i >= 0 {
			return i
		}
	}
}

// pollAny starts what has not started and looks whether one of ids is ready.
func (c *Call) pollAny(ids []byte) int {
	c.startAll()
	found := -1
	for {
		op, _, err := c.poll()
		if err != nil {
			panic(err)
		}
		if op == nil {
			return found
		}
		c.state.wasm.settled = append(c.state.wasm.settled, op)
		if i := indexOf(ids, op.id); i >= 0 && found < 0 {
			found = i
		}
	}
}

// indexOf finds id in a list of little-endian words.
func indexOf(ids []byte, id uint32) int {
	for i := 0; i < len(ids)/4; i++ {
		if binary.LittleEndian.Uint32(ids[4*i:]) == id {
			return i
		}
	}
	return -1
}
