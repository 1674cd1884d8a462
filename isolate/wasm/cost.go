package wasm

import "fmt"

// Fuel is charged where a path through the code cannot avoid it: at loop headers, on entry
// of the functions that break the cycles of the call graph, and at points put wherever the
// longest path since the last charge would pass pathBound. So no path, through whatever
// functions, runs for more than a bounded time without a charge; a chain of functions that
// each call the next one twice included.
//
// A header charges for its loop's body, nested loops excepted, but never more than chargeCap:
// a big interpreter loop executes a small part of its body each time around. A point charges
// what has run. Fuel is the pacemaker; the clock measures.
const (
	chargeCap  = 100
	entryBound = 200 // a function with a longer free path charges on entry
	pathBound  = 400
)

// charge is fuel to be spent before the instruction at binary[at:], or, if that is a loop,
// each time around.
type charge struct {
	at   int
	cost int32
}

// region is an open block of the function under analysis.
type region struct {
	op     opcode
	before int32 // if: length of the path to it
	label  int32 // longest path that branches to its end
	charge int   // index of the charge that pays for its instructions
}

// coster finds the charges of one function after another.
type coster struct {
	g       *graph
	regions []region
	charges []charge // of the function; the first is its entry's, wanted or not
	path    int32    // cost of the longest path from the last charge to here
	peak    int32    // the longest path there was
	code    code
	frames  framer
}

// measureCost sets f's charges and weight. Its callees have been measured, cut ones excepted.
func (c *coster) measureCost(f *function, limit int64) {
	c.code.reader = reader{b: c.g.m.binary[:f.body.to], p: f.code}
	c.code.room = c.g.m.limits.BranchTargets
	c.charges = append(c.charges[:0], charge{at: f.code})
	c.regions = append(c.regions[:0], region{op: opBlock})
	c.path, c.peak = 0, 0
	c.frames.begin(f)
	for len(c.regions) > 0 {
		c.instruction(c.code.next())
	}
	f.frame = c.frames.estimate()
	c.g.measureDepth(f, limit)
	f.entry = f.entry || f.cut || c.peak > entryBound
	if !f.entry {
		f.weight = c.peak
	}
	f.charges = append([]charge(nil), c.charges...)
	for i := range f.charges {
		f.charges[i].cost = max(1, f.charges[i].cost)
	}
}

func (c *coster) instruction(i *instruction) {
	charges := len(c.charges)
	if cost := c.cost(i); cost > 0 {
		c.spend(i.at, cost)
	}
	c.frames.instruction(i, len(c.charges) > charges)
	if !opcodes[i.op].plain {
		c.special(i)
	}
}

func (c *coster) special(i *instruction) {
	top := len(c.regions) - 1
	switch i.op {
	case opBlock, opIf:
		c.regions = append(c.regions, region{op: i.op, before: c.path, charge: c.regions[top].charge})
	case opLoop:
		c.regions = append(c.regions, region{op: opLoop, charge: len(c.charges)})
		c.charges = append(c.charges, charge{at: i.at})
		c.path = 0
	case opElse:
		r := &c.regions[top]
		r.op, r.label, c.path = opElse, max(r.label, c.path), r.before
	case opEnd:
		c.end(c.regions[top])
	case opBr, opBrIf:
		c.branch(i.index)
	case opBrTable:
		for _, l := range c.code.targets {
			c.branch(l)
		}
	}
	switch i.op {
	case opBr, opBrTable, opReturn, opUnreachable:
		c.path = 0 // nothing gets to what follows
	}
}

// spend adds cost to the current path and to its region's charge. A path that would get too
// long is charged first.
func (c *coster) spend(at int, cost int32) {
	if c.path+cost > pathBound {
		c.charges = append(c.charges, charge{at: at, cost: c.path})
		c.path = 0
	}
	c.path += cost
	c.peak = max(c.peak, c.path)
	pays := &c.charges[c.regions[len(c.regions)-1].charge]
	pays.cost = min(pays.cost+cost, chargeCap)
}

func (c *coster) end(r region) {
	c.regions = c.regions[:len(c.regions)-1]
	if r.op == opIf { // without else
		c.path = max(c.path, r.before)
	}
	c.path = max(c.path, r.label)
}

// branch notes that the current path continues behind the block of label. A loop's label is
// its header, which charges anew.
func (c *coster) branch(label uint32) {
	r := &c.regions[len(c.regions)-1-int(label)]
	if r.op != opLoop {
		r.label = max(r.label, c.path)
	}
}

// cost is the price of one instruction, with what a callee runs before it charges.
func (c *coster) cost(i *instruction) int32 {
	cost := int32(opcodes[i.op].cost)
	switch n := uint32(len(c.g.m.imports)); {
	case i.op == opCall && i.index < n:
		return costHost
	case i.op == opCall:
		return cost + c.g.functions[i.index-n].weight
	case i.op == opCallIndirect:
		return cost + c.g.indirect[c.g.m.canon[i.index]].weight
	}
	return cost
}

// measure finds out where fuel and depth have to be counted.
func (g *graph) measure(limit int64) {
	g.cutCycles()
	c := &coster{g: g}
	c.frames = framer{m: g.m, code: &c.code, which: make([]loadedGlobal, len(g.m.globals))}
	g.inOrder(func(node uint32) {
		n := uint32(len(g.functions))
		if node < n {
			f := &g.functions[node]
			c.measureCost(f, limit)
			return
		}
		t := &g.indirect[node-n]
		t.chain, t.reach = g.below(t.edges)
		for _, to := range t.edges {
			t.weight = max(t.weight, g.functions[to].weight)
		}
	})
}

// boundCharges keeps the rewritten binary, and what it takes to compile it, in proportion to
// the original: a loop of three bytes becomes one of forty.
func (g *graph) boundCharges() *Error {
	limit, total := g.m.limits.Charges, 0
	for i := range g.functions {
		f := &g.functions[i]
		n := len(f.charges)
		if f.entry || n > 1 {
			total += n
		}
		if n > limit || total > 10*limit {
			return &Error{Offset: f.body.from, Msg: fmt.Sprintf(
				"%d places of function %d that charge fuel, %d so far, exceed the limit Charges of %d, ten times as many in all",
				n, i+len(g.m.imports), total, limit)}
		}
	}
	return nil
}
