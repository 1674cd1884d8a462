package isolate

import (
	"context"
	"runtime"

	"github.com/tetratelabs/wazero/api"
)

// A guest's frames lie in Go's heap, on a stack that doubles and never shrinks as long as its
// function handle lives. The guest counts them and calls deep when they pass a limit, which the
// host raises step by step:
//
//	0 ──── depthKept ──────── depthShared ──────────── the module's own limit
//	       │                  │                        │
//	       the handle will    goes on with a          ErrStack
//	       not be kept        token of Runtime.deep
//
// So deep recursion in every isolate at once takes a few large stacks, not one each. Nobody
// waits in the host with such a token, but for a turn in the slow lane.
const (
	depthKept   = 256 << 10 // bytes as counted; see wasm.Options.MaxDepth
	depthShared = 1 << 20
)

// newDeep makes the tokens of calls with large stacks: one a processor, and at least two.
func newDeep() *lane { return &lane{tokens: max(2, runtime.GOMAXPROCS(0))} }

// deep is the host function that a guest calls when its frames pass the limit.
func deep(ctx context.Context, _ api.Module, _ []uint64) {
	c := ctx.(*isolateContext)
	if c.nested != nil {
		panic(errNestedStack)
	}
	c.is.deepen()
}

// deepen raises the limit, or ends the guest.
func (is *Isolate) deepen() {
	most := is.module.key.depth
	switch is.depth {
	case most:
		panic(ErrStack)
	case min(depthKept, most):
		is.setDepth(min(depthShared, most))
	default:
		is.waitFor(is.module.rt.deep, &is.module.rt.deep.common)
		is.shared = true
		is.setDepth(most)
	}
}

func (is *Isolate) setDepth(limit uint32) {
	is.left.Set(uint64(uint32(is.left.Get()) + limit - is.depth))
	is.depth = limit
}

// surface undoes what deepen did, once the guest has returned, and reports whether it did
// anything: then the handle that was called keeps a large stack, 16 MiB after a recursion in
// JavaScript, and must be replaced.
func (is *Isolate) surface() (wasDeep bool) {
	if is.shared {
		is.shared = false
		is.module.rt.deep.leave(&is.module.rt.deep.common, 0)
	}
	if is.depth == min(depthKept, is.module.key.depth) {
		return false
	}
	is.setDepth(min(depthKept, is.module.key.depth))
	return true
}
