package wasm

// opcode is an instruction's number: one byte as it is, 0xfc n as 0x100+n, 0xfd n as 0x200+n.
type opcode uint16

// The opcodes that decoding, analysis or emission treat in a way of their own.
const (
	opUnreachable  opcode = 0x00
	opBlock        opcode = 0x02
	opLoop         opcode = 0x03
	opIf           opcode = 0x04
	opElse         opcode = 0x05
	opEnd          opcode = 0x0b
	opBr           opcode = 0x0c
	opBrIf         opcode = 0x0d
	opBrTable      opcode = 0x0e
	opReturn       opcode = 0x0f
	opCall         opcode = 0x10
	opCallIndirect opcode = 0x11
	opLocalGet     opcode = 0x20
	opLocalSet     opcode = 0x21
	opLocalTee     opcode = 0x22
	opGlobalGet    opcode = 0x23
	opGlobalSet    opcode = 0x24
	opTableSet     opcode = 0x26
	opMemorySize   opcode = 0x3f
	opMemoryGrow   opcode = 0x40
	opI32Const     opcode = 0x41
	opI64Const     opcode = 0x42
	opF32Const     opcode = 0x43
	opF64Const     opcode = 0x44
	opI32LtS       opcode = 0x48
	opI32LeU       opcode = 0x4d
	opI32GtU       opcode = 0x4b
	opI32GeU       opcode = 0x4f
	opI64LtS       opcode = 0x53
	opI64GtU       opcode = 0x56
	opI32Add       opcode = 0x6a
	opI32Sub       opcode = 0x6b
	opI64Add       opcode = 0x7c
	opI64Sub       opcode = 0x7d
	opI64Mul       opcode = 0x7e
	opI64Shl       opcode = 0x86
	opI64ExtendU   opcode = 0xad
	opRefNull      opcode = 0xd0
	opRefFunc      opcode = 0xd2
	opMemoryInit   opcode = 0x108
	opDataDrop     opcode = 0x109
	opMemoryCopy   opcode = 0x10a
	opMemoryFill   opcode = 0x10b
	opTableInit    opcode = 0x10c
	opElemDrop     opcode = 0x10d
	opTableCopy    opcode = 0x10e
	opTableGrow    opcode = 0x10f
	opTableFill    opcode = 0x111
	opV128Const    opcode = 0x20c
)

// immediate is what follows an opcode.
type immediate uint8

const (
	immNone     immediate = iota
	immBlock              // block type
	immIndex              // u32: a label, local, global, function, table or segment
	immIndex2             // two u32
	immTable              // u32 count, then count+1 labels
	immTypes              // u32 count, then value types
	immRefType            // reference type
	immI32                // signed 32
	immI64                // signed 64
	immF32                // 4 bytes
	immF64                // 8 bytes
	immV128               // 16 bytes
	immMem                // alignment, offset
	immMemLane            // alignment, offset, lane
	immLane               // lane
	immZero               // memory index, which must be 0
	immZero2              // two of them
	immDataZero           // data index, memory index
	immRefused            // not of core 2.0; the table of proposals says what it is
)

// opInfo describes one opcode.
type opInfo struct {
	imm   immediate
	delta int8  // effect on the height of the operand stack; calls and blocks have their own
	cost  uint8 // price in fuel
	makes int8  // results, likewise
	plain bool  // nothing but its delta and cost matters: most instructions of any module
}

// The unit is the time of a simple instruction among others, about 0.07 ns. What takes a
// processor dozens of cycles costs more, or a loop of it would make slices long.
const (
	costFree   = 0
	costPlain  = 1
	costLong   = 3   // several instructions of the processor
	costSlow   = 40  // division, square root
	costCall   = 15  // and the callee's own
	costCallIn = 25  // through a table
	costHost   = 100 // into the host
)

var opcodes = buildOpcodes()

func buildOpcodes() *[0x300]opInfo {
	t := new([0x300]opInfo)
	for i := range t {
		t[i].imm = immRefused
	}
	set := func(from, to opcode, imm immediate, delta int8, cost uint8) {
		for op := from; op <= to; op++ {
			t[op] = opInfo{imm: imm, delta: delta, cost: cost, makes: 1, plain: true}
		}
	}
	controlOpcodes(set)
	numericOpcodes(set)
	bulkOpcodes(set)
	vectorOpcodes(set)
	for _, none := range [][2]opcode{{0x00, 0x01}, {0x1a, 0x1a}, {opLocalSet, opLocalSet}, {opGlobalSet, opGlobalSet}, {opTableSet, opTableSet},
		{0x36, 0x3e}, {opMemoryInit, opTableCopy}, {opTableFill, opTableFill}, {0x20b, 0x20b}, {0x258, 0x25b}} {
		for op := none[0]; op <= none[1]; op++ {
			t[op].makes = 0
		}
	}
	for _, op := range special {
		t[op].plain = false
	}
	return t
}

// special instructions mean more than their delta and cost.
var special = []opcode{
	opUnreachable, opBlock, opLoop, opIf, opElse, opEnd, opBr, opBrIf, opBrTable, opReturn, opCall, opCallIndirect,
	opGlobalGet, opGlobalSet, opTableSet, opMemorySize, opMemoryGrow, opRefFunc, opMemoryInit, opDataDrop,
	opMemoryCopy, opMemoryFill, opTableInit, opElemDrop, opTableCopy, opTableGrow, opTableFill,
}

type opSetter func(from, to opcode, imm immediate, delta int8, cost uint8)

func controlOpcodes(set opSetter) {
	set(0x00, 0x01, immNone, 0, costPlain) // unreachable, nop
	set(opBlock, opLoop, immBlock, 0, costFree)
	set(opIf, opIf, immBlock, -1, costPlain)
	set(opElse, opElse, immNone, 0, costFree)
	set(opEnd, opEnd, immNone, 0, costFree)
	set(opBr, opBr, immIndex, 0, costPlain)
	set(opBrIf, opBrIf, immIndex, -1, costPlain)
	set(opBrTable, opBrTable, immTable, -1, costLong)
	set(opReturn, opReturn, immNone, 0, costPlain)
	set(opCall, opCall, immIndex, 0, costCall)
	set(opCallIndirect, opCallIndirect, immIndex2, -1, costCallIn)
	set(0x1a, 0x1a, immNone, -1, costFree)  // drop
	set(0x1b, 0x1b, immNone, -2, costPlain) // select
	set(0x1c, 0x1c, immTypes, -2, costPlain)
	set(opLocalGet, opLocalGet, immIndex, 1, costPlain)
	set(opLocalSet, opLocalSet, immIndex, -1, costPlain)
	set(0x22, 0x22, immIndex, 0, costPlain) // local.tee
	set(opGlobalGet, opGlobalGet, immIndex, 1, costPlain)
	set(opGlobalSet, opGlobalSet, immIndex, -1, costPlain)
	set(0x25, 0x25, immIndex, 0, costLong) // table.get
	set(opTableSet, opTableSet, immIndex, -2, costLong)
	set(opRefNull, opRefNull, immRefType, 1, costPlain)
	set(0xd1, 0xd1, immNone, 0, costPlain) // ref.is_null
	set(opRefFunc, opRefFunc, immIndex, 1, costLong)
}

func numericOpcodes(set opSetter) {
	set(0x28, 0x35, immMem, 0, costPlain)  // loads
	set(0x36, 0x3e, immMem, -2, costPlain) // stores
	set(opMemorySize, opMemorySize, immZero, 1, costPlain)
	set(opMemoryGrow, opMemoryGrow, immZero, 0, costCall)
	set(opI32Const, opI32Const, immI32, 1, costPlain)
	set(opI64Const, opI64Const, immI64, 1, costPlain)
	set(opF32Const, opF32Const, immF32, 1, costPlain)
	set(opF64Const, opF64Const, immF64, 1, costPlain)
	set(0x45, 0xc4, immNone, 0, costPlain) // tests, unary operators, conversions
	for _, binary := range [][2]opcode{{0x46, 0x4f}, {0x51, 0x66}, {0x6a, 0x78}, {0x7c, 0x8a}, {0x92, 0x98}, {0xa0, 0xa6}} {
		set(binary[0], binary[1], immNone, -1, costPlain)
	}
	for _, division := range [][2]opcode{{0x6d, 0x70}, {0x7f, 0x82}, {0x95, 0x95}, {0xa3, 0xa3}} {
		set(division[0], division[1], immNone, -1, costSlow)
	}
	set(0x91, 0x91, immNone, 0, costSlow) // f32.sqrt
	set(0x9f, 0x9f, immNone, 0, costSlow) // f64.sqrt
	for _, ceil := range []opcode{0x8d, 0x9b} {
		set(ceil, ceil+3, immNone, 0, costLong) // ceil, floor, trunc, nearest
	}
	set(0xa8, 0xab, immNone, 0, costLong) // i32.trunc
	set(0xae, 0xb1, immNone, 0, costLong) // i64.trunc
}

func bulkOpcodes(set opSetter) {
	set(0x100, 0x107, immNone, 0, costLong) // trunc_sat
	set(opMemoryInit, opMemoryInit, immDataZero, -3, costHost)
	set(opDataDrop, opDataDrop, immIndex, 0, costPlain)
	set(opMemoryCopy, opMemoryCopy, immZero2, -3, costHost)
	set(opMemoryFill, opMemoryFill, immZero, -3, costHost)
	set(opTableInit, opTableInit, immIndex2, -3, costHost)
	set(opElemDrop, opElemDrop, immIndex, 0, costPlain)
	set(opTableCopy, opTableCopy, immIndex2, -3, costHost)
	set(opTableGrow, opTableGrow, immIndex, -1, costHost)
	set(0x110, 0x110, immIndex, 1, costPlain) // table.size
	set(opTableFill, opTableFill, immIndex, -3, costHost)
}

func vectorOpcodes(set opSetter) {
	unary := func(ops ...opcode) {
		for _, op := range ops {
			set(0x200+op, 0x200+op, immNone, 0, costPlain)
		}
	}
	set(0x200, 0x20a, immMem, 0, costPlain)
	set(0x20b, 0x20b, immMem, -2, costPlain)
	set(opV128Const, opV128Const, immV128, 1, costPlain)
	set(0x20d, 0x20d, immV128, -1, costLong) // shuffle
	set(0x20e, 0x20e, immNone, -1, costLong) // swizzle
	set(0x20f, 0x214, immNone, 0, costPlain) // splats
	for _, extract := range []opcode{0x215, 0x216, 0x218, 0x219, 0x21b, 0x21d, 0x21f, 0x221} {
		set(extract, extract, immLane, 0, costPlain)
	}
	for _, replace := range []opcode{0x217, 0x21a, 0x21c, 0x21e, 0x220, 0x222} {
		set(replace, replace, immLane, -1, costPlain)
	}
	set(0x223, 0x251, immNone, -1, costPlain) // comparisons, logic
	unary(0x4d, 0x53)
	set(0x252, 0x252, immNone, -2, costPlain)   // bitselect
	set(0x254, 0x257, immMemLane, -1, costLong) // load lane
	set(0x258, 0x25b, immMemLane, -2, costLong)
	set(0x25c, 0x25d, immMem, 0, costPlain)
	set(0x25e, 0x26a, immNone, 0, costPlain)
	set(0x26b, 0x2db, immNone, -1, costPlain) // arithmetic; the exceptions follow
	set(0x265, 0x266, immNone, -1, costPlain) // narrow
	unary(0x74, 0x75, 0x7a, 0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x87, 0x88, 0x89, 0x8a, 0x94,
		0xa0, 0xa1, 0xa3, 0xa4, 0xa7, 0xa8, 0xa9, 0xaa, 0xc0, 0xc1, 0xc3, 0xc4, 0xc7, 0xc8, 0xc9, 0xca)
	set(0x2dc, 0x2df, immNone, -1, costPlain)
	set(0x2e0, 0x2e1, immNone, 0, costPlain)
	set(0x2e3, 0x2e3, immNone, 0, costSlow) // f32x4.sqrt
	set(0x2e4, 0x2eb, immNone, -1, costPlain)
	set(0x2e7, 0x2e7, immNone, -1, costSlow) // f32x4.div
	set(0x2ec, 0x2ed, immNone, 0, costPlain)
	set(0x2ef, 0x2ef, immNone, 0, costSlow)
	set(0x2f0, 0x2f7, immNone, -1, costPlain)
	set(0x2f3, 0x2f3, immNone, -1, costSlow)
	set(0x2f8, 0x2ff, immNone, 0, costLong) // conversions
	for _, hole := range []opcode{0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6,
		0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee} {
		set(0x200+hole, 0x200+hole, immRefused, 0, costFree)
	}
}
