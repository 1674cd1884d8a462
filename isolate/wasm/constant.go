package wasm

// constantValue is the value of a constant expression; bits is used by i32.const alone.
type constantValue struct {
	op   opcode
	bits uint32
}

// constant reads a constant expression: one instruction and its end. Where it names a
// function, the place is noted in refs.
func (m *module) constant(r *reader, refs *[]functionRef) (v constantValue) {
	at := r.p
	c := code{reader: *r}
	v.op = c.opcode()
	switch v.op {
	case opI32Const:
		v.bits = uint32(c.signed(32))
	case opRefFunc:
		ref := m.functionIndex(&c.reader)
		*refs = append(*refs, ref)
		if c.err == nil {
			m.add(&m.taken, ref.index)
		}
	case opI64Const, opF32Const, opF64Const, opV128Const, opRefNull:
		i := instruction{op: v.op, at: at}
		c.immediate(&i)
	case opGlobalGet:
		c.fail(at, "global.get in a constant expression needs an imported global, which is not supported")
	default:
		c.fail(at, "instruction %v is not allowed in a constant expression", v.op)
	}
	end := c.p
	if c.byte() != byte(opEnd) {
		c.fail(end, "a constant expression of several instructions (extended const) is not supported")
	}
	r.p = c.p
	r.adopt(c.err)
	return v
}

// offset reads the offset of an active segment of a memory or table with 32-bit indices.
func (m *module) offset(r *reader) uint32 {
	at := r.p
	var none []functionRef
	v := m.constant(r, &none)
	if r.err == nil && v.op != opI32Const {
		r.fail(at, "the offset of an active segment is not an i32")
	}
	return v.bits
}
