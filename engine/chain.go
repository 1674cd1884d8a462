package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"switchyard/isolate"
)

// chain is what the Workers behind one ingress request have in common: one number in the log,
// and one sum of CPU time, because one request of the platform is billed as one.
type chain struct {
	number  uint64
	cpu     atomic.Int64 // nanoseconds of guest code in all its calls so far
	holders atomic.Int32 // calls that are not over; the last one gives the chain back
	mu      struct {
		sync.Mutex
		warmth isolate.Warmth // of the user Worker that answered last, else of the first Worker
	}
}

var chains = sync.Pool{New: func() any { return new(chain) }}

func acquireChain(number uint64) *chain {
	c := chains.Get().(*chain)
	c.number = number
	c.holders.Store(1)
	return c
}

func (c *chain) hold() { c.holders.Add(1) }

func (c *chain) drop() {
	if c.holders.Add(-1) > 0 {
		return
	}
	c.cpu.Store(0)
	c.mu.warmth = ""
	chains.Put(c)
}

// answered notes how the isolate of an answer came to be.
func (c *chain) answered(w isolate.Warmth, user bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if user || c.mu.warmth == "" {
		c.mu.warmth = w
	}
}

// report fills in what the ingress is told.
func (c *chain) report(ev *Event) {
	ev.CPU = time.Duration(c.cpu.Load())
	c.mu.Lock()
	defer c.mu.Unlock()
	ev.Isolate = string(c.mu.warmth)
}
