package wasm

// Memory's size is a global and bulk operations go through helpers, functions that are added
// behind the guest's own. Bulk operations run in pieces of chunk bytes, each paid for
// before it runs; what is out of bounds traps before the first.
const (
	chunk        = 64 << 10
	priceForward = 3  // fuel a byte: the page faults of fresh memory
	priceBack    = 12 // fuel a byte: copying towards higher addresses in place runs backwards
	priceShort   = 64 // fuel for a call; a byte more for each byte
	priceElement = 8  // fuel an element of a table
)

// bulk rewrites an instruction on memory's size, on stretches of memory, or on tables.
func (e *emitter) bulk(i *instruction) {
	p := e.plan
	switch i.op {
	case opMemorySize:
		e.replace(i)
		e.index(opGlobalGet, p.pages)
	case opMemoryGrow:
		e.replace(i)
		e.index(opCall, p.grow)
	case opMemoryFill:
		e.replace(i)
		e.index(opCall, p.fill)
	case opMemoryCopy:
		e.replace(i)
		e.index(opCall, p.copy)
	case opMemoryInit:
		e.replace(i)
		e.index(opCall, p.init+uint32(p.uses.initHelper[i.index]))
	case opTableInit, opTableCopy, opTableGrow, opTableFill:
		e.flush(i.at)
		e.index(opCall, p.charge)
		e.soil(i)
	case opTableSet, opElemDrop, opDataDrop:
		e.soil(i)
	}
}

// helpers writes the bodies of the helpers, in the order of plan.planHelpers.
func (e *emitter) helpers(add func(body []byte)) {
	body := func(emit func()) {
		e.b = append(e.b[:0], 0) // no locals besides the parameters
		emit()
		add(e.op(opEnd).b)
	}
	u := e.plan.uses
	if u.grow {
		body(e.growHelper)
	}
	if u.charge {
		body(e.chargeHelper)
	}
	if u.deep {
		body(e.resumeHelper)
	}
	if u.fill {
		body(e.fillHelper)
	}
	if u.copy {
		body(e.copyHelper)
	}
	for _, segment := range u.init {
		body(func() { e.initHelper(segment) })
	}
}

// growHelper is memory.grow: (pages) → old size, or -1. The memory is there already, and zero
// as far as the guest has not written to it.
func (e *emitter) growHelper() {
	pages := e.plan.pages
	e.locals(0).i32(int32(e.plan.memoryPages)).index(opGlobalGet, pages).op(opI32Sub, opI32GtU)
	e.block(opIf, typeEmpty).i32(-1).op(opReturn, opEnd)
	e.index(opGlobalGet, pages)
	e.index(opGlobalGet, pages).locals(0).op(opI32Add).index(opGlobalSet, pages)
}

// chargeHelper pays for n elements and hands n on: (n) → n.
func (e *emitter) chargeHelper() {
	e.pay(0, priceElement)
	e.locals(0)
}

// fillHelper is memory.fill: (to, value, n).
func (e *emitter) fillHelper() {
	fill := func() { e.op(opMemoryFill).raw(0) }
	e.bounds(0, fill)
	e.forward(fill, 0)
}

// copyHelper is memory.copy: (to, from, n). Unless the target begins inside the source, it
// may run forward.
func (e *emitter) copyHelper() {
	move := func() { e.op(opMemoryCopy).raw(0, 0) }
	e.bounds(0, move)
	e.bounds(1, move)
	e.locals(0, 1).op(opI32Sub).locals(2).op(opI32GeU)
	e.block(opIf, typeEmpty)
	e.forward(move, 0, 1)
	e.op(opElse)
	e.backward(move)
	e.op(opEnd)
}

// initHelper is memory.init of one segment: (to, from, n). A dropped segment is as if empty:
// then the first piece traps.
func (e *emitter) initHelper(segment uint32) {
	init := func() { e.index(opMemoryInit, segment).raw(0) }
	e.bounds(0, init)
	e.sumWith(1).i64(int64(len(e.m.passive(segment)))).op(opI64GtU)
	e.trapIf(init)
	e.forward(init, 0, 1)
}

// sumWith emits the sum of a local and the length, local 2, in 64 bits.
func (e *emitter) sumWith(local uint32) *assembler {
	return e.locals(local).op(opI64ExtendU).locals(2).op(opI64ExtendU, opI64Add)
}

// bounds emits a trap for when local and the length lead out of the memory that the guest has.
func (e *emitter) bounds(local uint32, bulk func()) {
	e.sumWith(local)
	e.index(opGlobalGet, e.plan.pages).op(opI64ExtendU).i64(16).op(opI64Shl, opI64GtU)
	e.trapIf(bulk)
}

// trapIf emits the trap of a bulk instruction, by one that is out of bounds of any memory.
func (e *emitter) trapIf(bulk func()) {
	e.block(opIf, typeEmpty).i32(-1).i32(-1).i32(-1)
	bulk()
	e.op(opEnd)
}

// pieces emits a loop that runs body while the length, local 2, is more than a chunk.
func (e *emitter) pieces(price int32, body func()) {
	e.block(opBlock, typeEmpty).block(opLoop, typeEmpty)
	e.locals(2).i32(chunk).op(opI32LeU).index(opBrIf, 1)
	e.check(chunk * price)
	body()
	e.index(opBr, 0).op(opEnd, opEnd)
}

// forward emits a bulk instruction on locals 0, 1 and 2 in pieces, of which the locals in
// moving move along.
func (e *emitter) forward(bulk func(), moving ...uint32) {
	e.pieces(priceForward, func() {
		e.locals(0, 1).i32(chunk)
		bulk()
		for _, l := range moving {
			e.locals(l).i32(chunk).op(opI32Add).index(opLocalSet, l)
		}
		e.locals(2).i32(chunk).op(opI32Sub).index(opLocalSet, 2)
	})
	e.pay(2, 1)
	e.locals(0, 1, 2)
	bulk()
}

// backward emits memory.copy in pieces that begin at the end.
func (e *emitter) backward(bulk func()) {
	e.pieces(priceBack, func() {
		e.locals(2).i32(chunk).op(opI32Sub).index(opLocalSet, 2)
		e.locals(0, 2).op(opI32Add).locals(1, 2).op(opI32Add).i32(chunk)
		bulk()
	})
	e.pay(2, priceBack)
	e.locals(0, 1, 2)
	bulk()
}

// pay emits the charge of price for each unit of a local, and of priceShort.
func (e *emitter) pay(local uint32, price int64) {
	fuel := e.plan.fuel
	e.index(opGlobalGet, fuel).locals(local).op(opI64ExtendU)
	e.i64(price).op(opI64Mul).i64(priceShort).op(opI64Add, opI64Sub).index(opGlobalSet, fuel)
	e.outOfFuel()
	e.yieldIf()
}
