package wasm

// control is an open block, loop, if or else.
type control struct {
	op      opcode
	base    int // height of the operand stack below its parameters
	params  int
	results int
}

// scanner walks all bodies once: it checks what emission relies on, that is structure and
// indices, and collects calls and frame sizes. Operand heights are exact for valid modules;
// for invalid ones, which the engine will refuse, they are merely harmless.
type scanner struct {
	m        *module
	uses     uses
	controls []control
	targets  []uint32
	values   int // of all functions so far; see Limits.Values
	height   int
	loops    int
	locals   uint32 // of f, parameters included
	f        *function
	index    uint32 // of f, for messages
}

// scan reads all function bodies.
func scan(m *module) ([]function, *uses, *Error) {
	s := &scanner{m: m}
	functions := make([]function, len(m.functions))
	for i := range functions {
		s.f, s.index = &functions[i], uint32(i+len(m.imports))
		s.f.typ, s.f.body = m.functions[i], m.bodies[i]
		if err := s.function(); err != nil {
			return nil, nil, err
		}
	}
	return functions, &s.uses, nil
}

func (s *scanner) function() *Error {
	c := &code{
		reader:  reader{b: s.m.binary[:s.f.body.to], p: s.f.body.from},
		targets: s.targets, room: s.m.limits.BranchTargets, limit: s.m.limits.BranchTargets,
	}
	s.height, s.loops = 0, 0
	s.declarations(c)
	s.f.code = c.p
	s.controls = append(s.controls[:0], control{op: opBlock, results: len(s.m.types[s.f.typ].results)})
	for len(s.controls) > 0 && c.err == nil {
		s.instruction(c)
	}
	if c.err == nil && c.more() {
		c.fail(c.p, "function %d goes on behind its end", s.index)
	}
	s.targets = c.targets
	return c.err
}

// declarations reads which locals f has.
func (s *scanner) declarations(c *code) {
	total := uint64(len(s.m.types[s.f.typ].params))
	groups := c.count("groups of locals", "Locals", s.m.limits.Locals)
	for i := 0; i < groups && c.err == nil; i++ {
		at := c.p
		n := c.u32()
		if total += uint64(n); total > uint64(s.m.limits.Locals) {
			c.fail(at, "%d locals of function %d exceed the limit Locals of %d", total, s.index, s.m.limits.Locals)
		}
		c.valueType()
	}
	s.locals = uint32(total)
	s.carry(c, s.f.body.from, int(total)+len(s.m.types[s.f.typ].results))
}

// carry counts values, each of which is a step of what analyses the function, here and in the
// engine. A call of two bytes may carry 2,000, and a function of three have 50,000 locals.
func (s *scanner) carry(c *code, at, values int) {
	if s.values += values; s.values > s.m.limits.Values {
		c.fail(at, "values of the locals, calls, blocks and branches of all functions up to function %d exceed the limit Values of %d", s.index, s.m.limits.Values)
	}
}

func (s *scanner) instruction(c *code) {
	i := c.next()
	if c.err != nil {
		return
	}
	if i.op >= opLocalGet && i.op <= opLocalTee && i.index >= s.locals {
		c.fail(i.at, "local index %d is out of range: function %d has %d", i.index, s.index, s.locals)
		return
	}
	info := &opcodes[i.op]
	s.height += int(info.delta)
	if !info.plain {
		s.special(c, i)
	}
	if n := len(s.controls); n > 0 {
		s.height = max(s.height, s.controls[n-1].base)
	}
}

func (s *scanner) special(c *code, i *instruction) {
	switch i.op {
	case opBlock, opLoop, opIf:
		s.open(c, i)
	case opElse, opEnd:
		s.close(c, i)
	case opBr, opBrIf, opBrTable, opReturn, opUnreachable:
		s.branch(c, i)
	case opCall, opCallIndirect, opRefFunc:
		s.call(c, i)
	case opGlobalGet, opGlobalSet:
		s.global(c, i)
	default:
		s.state(c, i)
	}
}

func (s *scanner) open(c *code, i *instruction) {
	if len(s.controls) > s.m.limits.Nesting {
		c.fail(i.at, "blocks of function %d are nested deeper than the limit Nesting of %d", s.index, s.m.limits.Nesting)
		return
	}
	if i.op == opLoop {
		if s.loops++; s.loops > s.m.limits.Loops {
			c.fail(i.at, "loops of function %d exceed the limit Loops of %d", s.index, s.m.limits.Loops)
			return
		}
	}
	b := control{op: i.op}
	switch {
	case i.block < 0 && byte(i.block&0x7f) != typeEmpty:
		b.results = 1
	case i.block >= int64(len(s.m.types)):
		c.fail(i.at, "type index %d of a block is out of range: there are %d types", i.block, len(s.m.types))
		return
	case i.block >= 0:
		t := s.m.types[i.block]
		b.params, b.results = len(t.params), len(t.results)
	}
	s.carry(c, i.at, b.params+b.results)
	b.base = max(s.height-b.params, s.controls[len(s.controls)-1].base)
	s.controls = append(s.controls, b)
}

func (s *scanner) close(c *code, i *instruction) {
	top := &s.controls[len(s.controls)-1]
	if i.op == opElse {
		if top.op != opIf {
			c.fail(i.at, "else without if in function %d", s.index)
			return
		}
		top.op = opElse
		s.height = top.base + top.params
		return
	}
	s.height = top.base + top.results
	s.controls = s.controls[:len(s.controls)-1]
}

func (s *scanner) branch(c *code, i *instruction) {
	labels := uint32(len(s.controls))
	switch i.op {
	case opBr, opBrIf:
		if i.index >= labels {
			c.fail(i.at, "label %d is out of range: %d blocks are open", i.index, labels)
			return
		}
		s.carry(c, i.at, s.arity(i.index))
	case opBrTable:
		for _, l := range c.targets {
			if l >= labels {
				c.fail(i.at, "label %d is out of range: %d blocks are open", l, labels)
				return
			}
			s.carry(c, i.at, s.arity(l))
		}
	case opReturn:
		s.carry(c, i.at, s.controls[0].results)
	}
	if i.op != opBrIf { // what follows is unreachable
		s.height = s.controls[len(s.controls)-1].base
	}
}

// arity is how many values a branch to label carries.
func (s *scanner) arity(label uint32) int {
	to := &s.controls[len(s.controls)-1-int(label)]
	if to.op == opLoop {
		return to.params
	}
	return to.results
}

// state notes what memory and table instructions need.
func (s *scanner) state(c *code, i *instruction) {
	u := &s.uses
	switch i.op {
	case opMemorySize, opMemoryGrow, opMemoryFill, opMemoryCopy, opMemoryInit:
		if s.m.memory == nil {
			c.fail(i.at, "instruction %v needs a memory", i.op)
		}
	case opTableSet, opTableInit, opElemDrop, opTableCopy, opTableGrow, opTableFill, opDataDrop:
		u.dirty = true
	}
	switch i.op {
	case opMemoryGrow:
		u.grow = true
	case opMemoryFill:
		u.fill = true
	case opMemoryCopy:
		u.copy = true
	case opTableInit, opTableCopy, opTableGrow, opTableFill:
		u.charge = true
	case opMemoryInit, opDataDrop:
		s.segment(c, i)
	}
}

// segment notes a use of a data segment. memory.init of each gets a helper of its own.
func (s *scanner) segment(c *code, i *instruction) {
	u := &s.uses
	u.segments = true
	switch {
	case !s.m.sections[secDataCount]:
		c.fail(i.at, "instruction %v needs a data count section", i.op)
	case int64(i.index) >= int64(s.m.dataCount):
		c.fail(i.at, "data segment %d is out of range: there are %d", i.index, s.m.dataCount)
	case i.op == opMemoryInit:
		if u.initHelper == nil {
			u.initHelper = make(map[uint32]int32)
		}
		if _, ok := u.initHelper[i.index]; !ok {
			if len(u.init) == s.m.limits.Inits {
				c.fail(i.at, "data segments that memory.init names exceed the limit Inits of %d", s.m.limits.Inits)
			}
			u.initHelper[i.index] = int32(len(u.init))
			u.init = append(u.init, i.index)
		}
	}
}
