package isolate

import (
	"slices"
	"sync/atomic"

	"switchyard/isolate/js"
)

// gone is what a guest learns of nobody waiting for its response any more: request.signal aborts. A
// guest that did not ask costs nothing and learns nothing.
type gone struct {
	left atomic.Bool // the reader of the response's body went before its end
	asks []uint32    // operations of the guest's
}

// maxGone bounds the signals of one request that are told of its client.
const maxGone = 256

func (g *gone) ask(op uint32) {
	if len(g.asks) < maxGone {
		g.asks = append(g.asks, op)
	}
}

func (g *gone) reset() {
	g.left.Store(false)
	g.asks = g.asks[:0]
}

// clientLeft ends a call that is not answered. From here on it has what it has under waitUntil, and the
// time for that, to see to what it began.
func (g jsGuest) clientLeft(c *Call) {
	c.fail(ErrCanceled)
	c.state.delivered = true
	c.state.gone.left.Store(true)
	c.limitRest()
	g.tellGone(c)
}

// tellGone enters the guest for each of its signals when the client has left. It reports whether it did.
func (g jsGuest) tellGone(c *Call) bool {
	t := &c.state.gone
	if !t.left.Load() || len(t.asks) == 0 || c.state.is.dead {
		return false
	}
	asks := slices.Clone(t.asks)
	t.asks = t.asks[:0]
	for _, op := range asks {
		if _, err := c.state.is.enter(c, uint32(js.OpResolve), op, js.ResolveOK, 0); err != nil {
			g.died(c, err)
			return true
		}
	}
	return true
}
