package wasm

// instruction is one decoded instruction at binary[at:end].
type instruction struct {
	op      opcode
	at, end int
	index   uint32 // the first index or label, if there is one
	second  uint32 // the second index
	block   int64  // block type: at least 0 is a type index, below 0 a value type byte less 0x80
}

// code reads the instructions of one function body or constant expression.
type code struct {
	reader
	targets []uint32 // labels of the last br_table, the default last
	room    int      // how many more branch targets the function may have
	limit   int      // Limits.BranchTargets
	current instruction
}

// next reads one instruction, which is valid until the next call.
func (c *code) next() *instruction {
	i := &c.current
	i.at = c.p
	if c.p < len(c.b) && c.b[c.p] < 0xfc {
		i.op = opcode(c.b[c.p])
		c.p++
	} else {
		i.op = c.opcode()
	}
	switch opcodes[i.op].imm {
	case immNone:
	case immIndex:
		i.index = c.u32()
	default:
		c.immediate(i)
	}
	i.end = c.p
	return i
}

func (c *code) opcode() opcode {
	op := opcode(c.byte())
	if op != 0xfc && op != 0xfd {
		return op
	}
	at := c.p - 1
	sub := c.u32()
	switch {
	case op == 0xfc && sub < 0x100:
		return 0x100 + opcode(sub)
	case op == 0xfd && sub < 0x100:
		return 0x200 + opcode(sub)
	case op == 0xfd && sub < 0x114:
		c.fail(at, "instruction 0xfd %d of the relaxed SIMD proposal is not supported", sub)
	}
	c.fail(at, "0x%x %d is not an instruction", op, sub)
	return opUnreachable
}

func (c *code) immediate(i *instruction) {
	switch opcodes[i.op].imm {
	case immBlock:
		i.block = c.blockType()
	case immIndex2:
		i.index, i.second = c.u32(), c.u32()
	case immTable:
		c.branchTable()
	case immI32:
		c.signed(32)
	case immI64:
		c.signed(64)
	case immF32:
		c.bytes(4)
	case immF64:
		c.bytes(8)
	case immMem:
		c.access()
	default:
		c.rareImmediate(i)
	}
}

func (c *code) rareImmediate(i *instruction) {
	switch opcodes[i.op].imm {
	case immTypes:
		for range c.count("select types", "Params", 1) {
			c.valueType()
		}
	case immRefType:
		c.referenceType()
	case immV128:
		c.bytes(16)
	case immMemLane:
		c.access()
		c.byte()
	case immLane:
		c.byte()
	case immZero:
		c.memoryIndex()
	case immZero2:
		c.memoryIndex()
		c.memoryIndex()
	case immDataZero:
		i.index = c.u32()
		c.memoryIndex()
	default:
		c.fail(i.at, "%s", refusal(i.op))
	}
}

// blockType reads a block type: a type index, a value type, or empty.
func (c *code) blockType() int64 {
	at := c.p
	t := c.signed(33)
	if t >= 0 {
		return t
	}
	if b := byte(t & 0x7f); t < -64 || b != typeEmpty && !isValue(b) {
		c.fail(at, "0x%02x is not a block type", b)
	}
	return t
}

func (c *code) branchTable() {
	at := c.p
	n := int(c.u32())
	if c.room -= n; c.room < 0 {
		c.fail(at, "br_table entries of one function exceed the limit BranchTargets of %d", c.limit)
		return
	}
	if n >= c.left() {
		c.fail(at, "unexpected end: %d br_table entries announced in %d bytes", n, c.left())
		return
	}
	c.targets = c.targets[:0]
	for range n + 1 {
		c.targets = append(c.targets, c.u32())
	}
}

// access reads the alignment and offset of a memory access.
func (c *code) access() {
	at := c.p
	align := c.u32()
	if align >= 1<<6 {
		c.fail(at, "a memory access that names its memory (multi-memory) is not supported")
	}
	c.u32()
}

func (c *code) memoryIndex() {
	if at := c.p; c.byte() != 0 {
		c.fail(at, "a memory index other than 0 (multi-memory) is not supported")
	}
}

// refusal names the proposal that op belongs to.
func refusal(op opcode) string {
	switch {
	case op >= 0x06 && op <= 0x0a, op == 0x18, op == 0x19, op == 0x1f:
		return "an instruction of the exceptions proposal is not supported"
	case op == 0x12, op == 0x13:
		return "a tail call is not supported"
	case op == 0x14, op == 0x15, op >= 0xd4 && op <= 0xd6:
		return "an instruction of the function references proposal is not supported"
	case op == 0xfb, op == 0xd3:
		return "an instruction of the GC proposal is not supported"
	case op == 0xfe:
		return "an instruction of the threads proposal is not supported"
	case op >= 0xe0 && op <= 0xe6:
		return "an instruction of the stack switching proposal is not supported"
	case op >= 0x113 && op <= 0x116:
		return "an instruction of the wide arithmetic proposal is not supported"
	}
	return "not an instruction: " + op.String()
}

func (op opcode) String() string {
	const hex = "0123456789abcdef"
	s := "0x" + string(hex[op>>4&15]) + string(hex[op&15])
	return [...]string{"", "0xfc ", "0xfd "}[op>>8] + s
}
