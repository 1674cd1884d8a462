package wasm

import "slices"

// Opcodes that relocated code is made of, besides those of opcode.go.
const (
	opSelect    opcode = 0x1b
	opTableGet  opcode = 0x25
	opTableSize opcode = 0x110
	opI64ShrU   opcode = 0x88
	opI32Wrap   opcode = 0xa7
	opI64LeU    opcode = 0x58
)

// accessBytes is how much of memory an instruction touches, and what a store's value is; 0 when
// it touches none.
func accessBytes(op opcode) (bytes uint32, stored byte) {
	if op >= 0x28 && op <= 0x35 {
		return [...]uint32{4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4}[op-0x28], 0
	}
	if op >= 0x36 && op <= 0x3e {
		types := [...]byte{typeI32, typeI64, typeF32, typeF64, typeI32, typeI32, typeI64, typeI64, typeI64}
		return [...]uint32{4, 8, 4, 8, 1, 2, 1, 2, 4}[op-0x36], types[op-0x36]
	}
	switch {
	case op == 0x200:
		return 16, 0
	case op >= 0x201 && op <= 0x206:
		return 8, 0
	case op >= 0x207 && op <= 0x20a:
		return 1 << (op - 0x207), 0
	case op == 0x20b:
		return 16, typeV128
	case op >= 0x254 && op <= 0x257: // load lane: the vector lies above the address
		return 1 << (op - 0x254), typeV128
	case op >= 0x258 && op <= 0x25b:
		return 1 << (op - 0x258), typeV128
	case op == 0x25c:
		return 4, 0
	case op == 0x25d:
		return 8, 0
	}
	return 0, 0
}

// cellAccess are the instructions that read and write a value of a type in memory.
func cellAccess(typ byte) (load, store opcode) {
	switch typ {
	case typeI32:
		return 0x28, 0x36
	case typeI64:
		return 0x29, 0x37
	case typeF32:
		return 0x2a, 0x38
	}
	return 0x2b, 0x39
}

// memory appends a load or store at an offset, without demands on alignment.
func (a *assembler) memory(op opcode, offset uint32) *assembler {
	a.op(op).raw(0)
	a.b = appendU32(a.b, offset)
	return a
}

// relocator rewrites function bodies.
type relocator struct {
	patch
	t       *tenant
	code    code
	locals0 uint32          // the function's own
	scratch map[byte]uint32 // value type → local; typeI32 is the address
	address uint32
	order   []byte // types of scratch locals, in order
}

// body returns a function's body, relocated.
func (r *relocator) body(typ uint32, s span) ([]byte, *Error) {
	t := r.t
	r.b, r.scratch, r.order = r.b[:0], map[byte]uint32{}, nil
	r.code = code{reader: reader{b: t.binary[:s.to], p: s.from}, room: t.limits.BranchTargets, limit: t.limits.BranchTargets}
	c := &r.code
	total := uint64(len(t.types[typ].params))
	groups := c.count("groups of locals", "Locals", t.limits.Locals)
	from := c.p
	for i := 0; i < groups && c.err == nil; i++ {
		at := c.p
		if total += uint64(c.u32()); total > uint64(t.limits.Locals) {
			c.fail(at, "%d locals exceed the limit Locals of %d", total, t.limits.Locals)
		}
		c.valueType()
	}
	declarations := span{from, c.p}
	r.locals0, r.copied = uint32(total), c.p
	r.address = r.local(typeEmpty) // an i32 that is no value's
	for c.more() && c.err == nil {
		if i := c.next(); c.err == nil {
			r.instruction(i)
		}
	}
	r.flush(s.to)
	b := appendU32(nil, uint32(groups+len(r.order)))
	b = append(b, t.binary[declarations.from:declarations.to]...)
	for _, typ := range r.order {
		if typ == typeEmpty {
			typ = typeI32
		}
		b = append(b, 1, typ)
	}
	return append(b, r.b...), c.err
}

// local returns the scratch local of a type.
func (r *relocator) local(typ byte) uint32 {
	l, ok := r.scratch[typ]
	if !ok {
		l = r.locals0 + uint32(len(r.order))
		r.scratch[typ] = l
		r.order = append(r.order, typ)
	}
	return l
}

func (r *relocator) instruction(i *instruction) {
	t := r.t
	if n, stored := accessBytes(i.op); n > 0 {
		if t.memory == nil {
			r.code.fail(i.at, "instruction %v needs a memory", i.op)
			return
		}
		r.access(i, n, stored)
		return
	}
	switch i.op {
	case opCall, opRefFunc:
		if i.op == opRefFunc && !t.addressed[i.index] {
			r.code.fail(i.at, "function %d is referred to but not declared", i.index)
			return
		}
		if int64(i.index) >= int64(t.nFunctions()) {
			r.code.fail(i.at, "function index %d is out of range: there are %d functions", i.index, t.nFunctions())
			return
		}
		r.replace(i)
		if i.op == opRefFunc {
			k, _ := slices.BinarySearch(t.re.Entries, i.index)
			r.i32(int32(k)).index(opTableGet, uint32(len(t.tables)))
			return
		}
		r.index(opCall, i.index+nHosts)
	case opGlobalGet, opGlobalSet:
		if int64(i.index) >= int64(len(t.globals)) {
			r.code.fail(i.at, "global index %d is out of range: there are %d globals", i.index, len(t.globals))
			return
		}
		r.global(i)
	case opMemorySize, opMemoryGrow, opMemoryFill, opMemoryCopy, opMemoryInit:
		if t.memory == nil {
			r.code.fail(i.at, "instruction %v needs a memory", i.op)
			return
		}
		r.replace(i)
		r.stretch(i)
	}
}

// access moves one access to memory: an address out of bounds becomes -1.
func (r *relocator) access(i *instruction, n uint32, stored byte) {
	r.replace(i)
	c := code{reader: reader{b: r.t.binary[:i.end], p: i.at}} // its immediates again
	c.opcode()
	c.u32()
	offset := c.u32()
	if stored != 0 {
		r.index(opLocalSet, r.local(stored))
	}
	r.index(opLocalTee, r.address)
	r.index(opGlobalGet, r.t.base).op(opI32Add).i32(-1)
	r.locals(r.address).op(opI64ExtendU).i64(int64(offset)+int64(n)).op(opI64Add).index(opGlobalGet, r.t.size).op(opI64LeU)
	r.op(opSelect)
	if stored != 0 {
		r.locals(r.local(stored))
	}
	r.raw(r.t.binary[i.at:i.end]...)
}

func (r *relocator) global(i *instruction) {
	t, g := r.t, r.t.globals[i.index]
	switch load, store := cellAccess(g.typ); {
	case i.op == opGlobalSet && !g.mutable:
		r.code.fail(i.at, "global %d is set but not mutable", i.index) // it may have become so
	case !t.cells[i.index]:
		if i.op == opGlobalSet && !g.resettable() {
			r.flush(i.at)
			r.i32(1).index(opGlobalSet, t.lost)
		}
	case i.op == opGlobalGet:
		r.replace(i)
		r.index(opGlobalGet, i.index).memory(load, 0)
	default:
		r.replace(i)
		r.index(opLocalSet, r.local(g.typ))
		r.index(opGlobalGet, i.index).locals(r.local(g.typ)).memory(store, 0)
	}
}

func (r *relocator) stretch(i *instruction) {
	t := r.t
	switch i.op {
	case opMemorySize:
		r.index(opGlobalGet, t.size).i64(16).op(opI64ShrU, opI32Wrap)
	case opMemoryGrow:
		r.index(opCall, 1)
	case opMemoryFill:
		r.index(opCall, t.helperFor("fill", func(a *assembler) { t.moved(a, 0).locals(1, 2).op(opMemoryFill).raw(0) }))
	case opMemoryCopy:
		r.index(opCall, t.helperFor("copy", func(a *assembler) {
			t.moved(a, 0)
			t.moved(a, 1).locals(2).op(opMemoryCopy).raw(0, 0)
		}))
	case opMemoryInit:
		if int64(i.index) >= int64(len(t.data)) && t.sections[secData] || int64(i.index) >= int64(t.dataCount) {
			r.code.fail(i.at, "data segment %d is out of range", i.index)
			return
		}
		r.index(opCall, t.initHelper(i.index))
	}
}

// helperFor returns the helper (to, from or value, n) of that name.
func (t *tenant) helperFor(name string, emit func(*assembler)) uint32 {
	if i, ok := t.helperAt[name]; ok {
		return i
	}
	a := &assembler{[]byte{0}}
	emit(a)
	return t.addHelper(name, false, []byte{typeI32, typeI32, typeI32}, nil, a.b)
}

// initHelper is memory.init of a segment. One that is active has been applied and counts as dropped,
// but applying it goes through here, too: so it is only ever called with what it holds.
func (t *tenant) initHelper(segment uint32) uint32 {
	return t.helperFor("init"+EntryName(segment), func(a *assembler) {
		t.moved(a, 0).locals(1, 2).index(opMemoryInit, segment).raw(0)
	})
}

// moved pushes the landlord's address for a local, -1 when the length, local 2, leads out of bounds.
func (t *tenant) moved(a *assembler, local uint32) *assembler {
	a.locals(local).index(opGlobalGet, t.base).op(opI32Add).i32(-1)
	a.locals(local).op(opI64ExtendU).locals(2).op(opI64ExtendU, opI64Add).index(opGlobalGet, t.size).op(opI64LeU)
	return a.op(opSelect)
}
