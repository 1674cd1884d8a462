package isolate

import (
	"math"
	"time"
)

// What a guest reaches through WASI is made of the same parts as the rest of its world: a
// clock that stands still, sleep that is a wait like any other, randomness in bounded pieces.

// sleep is what a guest's poll_oneoff comes to. The call waits, as for a fetch; its
// clock has moved when it wakes. At module scope, where nothing may wait, only the clock moves.
func (is *Isolate) sleep(ns int64) {
	c := is.meter.call
	if c == nil || ns <= 0 || c.state.pool == nil || is.guestOf() == nil {
		return
	}
	if c.state.id == 0 {
		is.meter.entered += min(time.Duration(ns), math.MaxInt64-is.meter.entered)
		return
	}
	op := c.startTimer(opBlocking, time.Duration(ns))
	if op == nil {
		panic(errOperations)
	}
	is.block(c, op)
	c.spareOperation(op)
}

// guestEntropy is WASI's random_get.
type guestEntropy struct{ is *Isolate }

func (e guestEntropy) Read(p []byte) (int, error) {
	e.is.randomise(p)
	return len(p), nil
}
