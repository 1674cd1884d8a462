package wasm

// Depth is counted in bytes of frames, as frame.go estimates them, by the functions that
// recursion must pass through, the cut ones, on behalf of all others:
//
//	    f ──► a ──► b ──► g       f, g count; a, b, c do not
//	          └───► c
//	chain(f) = f + a + b          bytes that stand below f when g is entered: f takes them off what is left
//	reach(f) = max(chain, f+a+c)  bytes that may stand below f before anybody counts again:
//	                              must still fit when f is entered
//
// A function whose reach is large counts too, recursive or not, so that a long chain of calls
// with big frames does not go unseen.

const (
	defaultDepth = 1 << 20
	maxDepth     = 1 << 30 // sums stay within 32 bits
)

func (o *Options) depth() int64 {
	if o.MaxDepth == 0 {
		return defaultDepth
	}
	return min(int64(o.MaxDepth), maxDepth)
}

// none is the chain of a function from which no other that counts can be reached.
const none = -1

// measureDepth sets chain and reach of a function, whose callees have been measured.
func (g *graph) measureDepth(f *function, limit int64) {
	chain, reach := g.below(f.edges)
	f.reach = min(f.frame+reach, maxDepth)
	f.chain = none
	if chain != none {
		f.chain = min(f.frame+chain, maxDepth)
	}
	if f.cut || f.reach > limit/8 {
		f.deep, f.entry = true, true
		f.chain = max(f.chain, f.frame)
	}
}

// below returns the largest chain and reach of the nodes that edges lead to.
func (g *graph) below(edges []uint32) (chain, reach int64) {
	chain = none
	for _, to := range edges {
		c, r := g.depthOf(to)
		chain, reach = max(chain, c), max(reach, r)
	}
	return chain, reach
}

// depthOf is what a call of node adds for its caller.
func (g *graph) depthOf(node uint32) (chain, reach int64) {
	if n := uint32(len(g.functions)); node >= n {
		c := &g.indirect[node-n]
		return c.chain, c.reach
	}
	f := &g.functions[node]
	if f.cut || f.deep {
		return 0, 0
	}
	return f.chain, f.reach
}

// A global holds how many bytes are left, so that one comparison with a constant decides, and one
// subtraction counts; what is in front of either is the fuel check, and both have one slow path.

// shallow leaves on the stack whether what may stand below f's entry does not fit.
func (e *emitter) shallow(f *function) {
	e.index(opGlobalGet, e.plan.depth).i32(int32(f.reach)).op(opI32LtS)
}

// enter emits the count of f's frames, behind the checks.
func (e *emitter) enter(f *function) {
	e.index(opGlobalGet, e.plan.depth).i32(int32(f.chain)).op(opI32Sub).index(opGlobalSet, e.plan.depth)
}

// leave emits the reverse of enter: every way out of f's body passes it.
func (e *emitter) leave(f *function) {
	e.index(opGlobalGet, e.plan.depth).i32(int32(f.chain)).op(opI32Add).index(opGlobalSet, e.plan.depth)
}

// resumeHelper is (reach): it yields if fuel ran out, and calls deep until reach bytes are left.
func (e *emitter) resumeHelper() {
	e.outOfFuel()
	e.yieldIf()
	e.block(opLoop, typeEmpty)
	e.index(opGlobalGet, e.plan.depth).locals(0).op(opI32LtS)
	e.block(opIf, typeEmpty).index(opCall, e.plan.deep).index(opBr, 1).op(opEnd, opEnd)
}
