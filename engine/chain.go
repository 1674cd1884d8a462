package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/isolate"
)

// chain is what the Workers behind one ingress request have in common: one number in the log,
// and one sum of CPU time, because one request of the platform is billed as one.
type chain struct {
	number  uint64
	shard   int                     // of the ledgers: the same for all chains that a processor makes, more or less
	owner   atomic.Pointer[account] // whom the request is counted for: the first user Worker that was let in
	entry   *account                // of the Worker that the ingress called, once it was let in
	cpu     atomic.Int64            // nanoseconds of guest code in all its calls so far
	holders atomic.Int32            // Serve, and calls that are not over; the last one gives the chain back
	warmth  atomic.Uint32           // index into warmths, of the user Worker that answered last, else of the first Worker
}

var warmths = [...]isolate.Warmth{"", isolate.Warm, isolate.Reskin, isolate.Clone, isolate.Init}

var chains = sync.Pool{New: func() any { return &chain{shard: int(chainsMade.Add(1)) % ledgerCount} }}

var chainsMade atomic.Uint32

// acquireChain begins a chain. Serve holds it, and so does its first call.
func acquireChain(number uint64) *chain {
	c := chains.Get().(*chain)
	c.number = number
	c.holders.Store(2)
	return c
}

func (c *chain) hold() { c.holders.Add(1) }

func (c *chain) drop() {
	if c.holders.Add(-1) > 0 {
		return
	}
	c.cpu.Store(0)
	c.owner.Store(nil)
	c.entry = nil
	c.warmth.Store(0)
	chains.Put(c)
}

// answered notes how the isolate of an answer came to be.
func (c *chain) answered(w isolate.Warmth, user bool) {
	index := uint32(slices.Index(warmths[:], w))
	if user {
		c.warmth.Store(index)
	} else {
		c.warmth.CompareAndSwap(0, index)
	}
}

// report fills in what the ingress is told.
func (c *chain) report(ev *Event) {
	ev.CPU = time.Duration(c.cpu.Load())
	ev.Isolate = string(warmths[c.warmth.Load()])
}

// account is whom the request is counted for; nil: nobody was let in.
func (c *chain) account() *account {
	if owner := c.owner.Load(); owner != nil {
		return owner
	}
	return c.entry
}
