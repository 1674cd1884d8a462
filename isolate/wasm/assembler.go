package wasm

// assembler appends instructions. Its methods return it, so that a sequence reads as one.
type assembler struct{ b []byte }

// op appends instructions without immediates.
func (a *assembler) op(ops ...opcode) *assembler {
	for _, op := range ops {
		if op >= 0x100 {
			a.b = append(a.b, 0xfb+byte(op>>8))
			a.b = appendU32(a.b, uint32(op&0xff))
			continue
		}
		a.b = append(a.b, byte(op))
	}
	return a
}

// index appends an instruction with one index or label.
func (a *assembler) index(op opcode, i uint32) *assembler {
	a.op(op)
	a.b = appendU32(a.b, i)
	return a
}

func (a *assembler) i32(v int32) *assembler {
	a.b = appendSigned(append(a.b, byte(opI32Const)), int64(v))
	return a
}

func (a *assembler) i64(v int64) *assembler {
	a.b = appendSigned(append(a.b, byte(opI64Const)), v)
	return a
}

// block opens a block, loop or if; t is a value type or typeEmpty.
func (a *assembler) block(op opcode, t byte) *assembler {
	a.b = append(a.b, byte(op), t)
	return a
}

// locals appends local.get of each.
func (a *assembler) locals(locals ...uint32) *assembler {
	for _, l := range locals {
		a.index(opLocalGet, l)
	}
	return a
}

// raw appends bytes as they are.
func (a *assembler) raw(b ...byte) *assembler {
	a.b = append(a.b, b...)
	return a
}
