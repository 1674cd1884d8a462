package wasm

// call notes an edge of the call graph. Nodes are the defined functions and, behind them, one
// node a type that stands for whatever an indirect call of that type may reach.
func (s *scanner) call(c *code, i *instruction) {
	m := s.m
	if i.op == opCallIndirect {
		if int64(i.index) >= int64(len(m.types)) {
			c.fail(i.at, "type index %d is out of range: there are %d types", i.index, len(m.types))
			return
		}
		s.f.edges = append(s.f.edges, uint32(len(m.functions))+s.m.canon[i.index])
		s.apply(c, m.types[i.index])
		return
	}
	if int64(i.index) >= int64(m.nFunctions()) {
		c.fail(i.at, "function index %d is out of range: there are %d functions", i.index, m.nFunctions())
		return
	}
	if i.op == opRefFunc {
		s.reference(c, i)
		return
	}
	if n := uint32(len(m.imports)); i.index >= n {
		s.f.edges = append(s.f.edges, i.index-n)
	}
	s.apply(c, m.typeOf(i.index))
}

// reference checks that a function whose address is taken is declared outside of code, as the
// format demands: our export of the start function must not count.
func (s *scanner) reference(c *code, i *instruction) {
	if !s.m.taken.has(i.index) && !s.m.exported.has(i.index) {
		c.fail(i.at, "function %d is referred to but not declared", i.index)
		return
	}
	s.m.add(&s.m.taken, i.index)
}

func (s *scanner) apply(c *code, t funcType) {
	s.height += len(t.results) - len(t.params)
	s.carry(c, c.current.at, len(t.params)+len(t.results))
}

// global keeps the guest away from the globals that are added behind its own, and marks writes
// that a reset cannot undo.
func (s *scanner) global(c *code, i *instruction) {
	if int64(i.index) >= int64(len(s.m.globals)) {
		c.fail(i.at, "global index %d is out of range: there are %d globals", i.index, len(s.m.globals))
		return
	}
	if i.op == opGlobalSet && !s.m.globals[i.index].resettable() {
		s.uses.dirty = true
	}
}
