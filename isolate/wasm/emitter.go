package wasm

// emitter writes a function's new body.
type emitter struct {
	patch
	plan    *plan
	m       *module
	f       *function
	labels  []label
	charges []charge // still to come
	code    code
}

// label is an open block of the original.
type label struct {
	outlined bool // a loop in the form of outline
	extra    int  // labels that rewriting added around this block, within the function
}

// function writes f's body, which is valid until the next call.
//
// The forms, whose added blocks a branch out of them has to count (relabel):
//
//	charges on entry:   loop block  spend br_if 0  …body…  return end  call yield  br 0 end  unreachable
//	counts depth too:   loop block  spend br_if 0  shallow br_if 0  enter block …body… end leave  return end  call resume  br 0 end  unreachable
func (e *emitter) function(f *function) []byte {
	e.f, e.b, e.copied = f, e.b[:0], f.body.from
	e.code.reader = reader{b: e.m.binary[:f.body.to], p: f.code}
	e.code.room = e.m.limits.BranchTargets
	e.charges = f.charges
	e.labels = append(e.labels[:0], label{})
	e.flush(f.code)
	e.prologue()
	for len(e.labels) > 0 {
		e.instruction(e.code.next())
	}
	e.flush(f.body.to)
	return e.b
}

// prologue charges the entry, in front of the body.
func (e *emitter) prologue() {
	entry := e.charges[0]
	e.charges = e.charges[1:]
	if !e.f.entry {
		return
	}
	e.block(opLoop, typeEmpty).block(opBlock, typeEmpty)
	e.spend(entry.cost)
	e.index(opBrIf, 0)
	if e.f.deep {
		e.shallow(e.f)
		e.index(opBrIf, 0)
		e.enter(e.f)
		e.op(opBlock).raw(e.plan.blockType(e.f.typ)...)
	}
}

// epilogue closes what prologue opened; the body's own end follows.
func (e *emitter) epilogue() {
	if !e.f.entry {
		return
	}
	if e.f.deep {
		e.op(opEnd)
		e.leave(e.f)
	}
	e.op(opReturn, opEnd)
	if e.f.deep {
		e.i32(int32(e.f.reach)).index(opCall, e.plan.resume)
	} else {
		e.index(opCall, e.plan.yield)
	}
	e.index(opBr, 0).op(opEnd, opUnreachable)
}

func (e *emitter) instruction(i *instruction) {
	if len(e.charges) > 0 && e.charges[0].at == i.at && i.op != opLoop {
		e.flush(i.at)
		e.check(e.charges[0].cost)
		e.charges = e.charges[1:]
	}
	if !opcodes[i.op].plain {
		e.special(i)
	}
}

func (e *emitter) special(i *instruction) {
	switch i.op {
	case opBlock, opIf:
		e.push(false)
	case opLoop:
		e.loop(i)
	case opEnd:
		e.end(i)
	case opBr, opBrIf, opBrTable, opReturn:
		e.branch(i)
	case opCall, opRefFunc:
		e.replace(i)
		e.index(i.op, e.plan.moved(i.index))
	case opGlobalSet:
		if !e.m.globals[i.index].resettable() {
			e.soil(i)
		}
	default:
		e.bulk(i)
	}
}

// push opens a block of the original, which takes added labels if it is an outlined loop.
func (e *emitter) push(outlined bool) {
	extra := e.labels[len(e.labels)-1].extra
	if outlined {
		extra += outlineLabels
	}
	e.labels = append(e.labels, label{outlined, extra})
}

func (e *emitter) end(i *instruction) {
	last := len(e.labels) - 1
	outlined := e.labels[last].outlined
	e.labels = e.labels[:last]
	switch {
	case last == 0:
		e.flush(i.at)
		e.epilogue()
	case outlined:
		e.flush(i.end)
		e.endOutline()
	}
}

// relabel is the label of the l-th block of the original, counted from the inside, among the
// blocks that are there now.
func (e *emitter) relabel(l uint32) uint32 {
	top := len(e.labels) - 1
	target := top - int(l)
	added := e.labels[top].extra - e.labels[target].extra
	if target == 0 && e.f.entry && !e.f.deep {
		added += 2 // the block and the loop of the entry charge
	}
	return l + uint32(added)
}

func (e *emitter) branch(i *instruction) {
	switch {
	case i.op == opReturn && e.f.deep:
		e.replace(i)
		e.index(opBr, e.relabel(uint32(len(e.labels)-1)))
	case i.op == opBr || i.op == opBrIf:
		e.replace(i)
		e.index(i.op, e.relabel(i.index))
	case i.op == opBrTable:
		e.replace(i)
		e.index(opBrTable, uint32(len(e.code.targets)-1))
		for _, l := range e.code.targets {
			e.b = appendU32(e.b, e.relabel(l))
		}
	}
}

// soil sets the dirty flag in front of i.
func (e *emitter) soil(i *instruction) {
	e.flush(i.at)
	e.i32(1).index(opGlobalSet, e.plan.dirty)
}
