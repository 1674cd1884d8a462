package wasm

import "slices"

// framer estimates the frame that the engine will give a function. The engine keeps every value
// that does not stay in a register in a slot of its own, and no two values share a slot, however
// short they live. A value is what one instruction makes; where paths meet, each variable that
// they left different makes another. So a frame holds
//
//	saved registers │ a slot for each value that may leave its register │ the largest call's operands
//
// and a value may leave its register
//
//   - when a call lies between its making and its use: of the guest, or of yield, at each loop
//     and at each charge;
//   - when more values are alive at once than there are registers.
//
// The walk goes forward and counts a value at its use, when it is known what lay between. It may
// count too much: a value that a saved register holds, a variable that no path left different. It
// counts at least two thirds; wasmtest compares with the machine code.
type framer struct {
	m        *module
	code     *code
	pos      int32    // of the instruction at hand, counted from 1
	barrier  int32    // of the last call: no register survives it
	fresh    variable // what is loaded again behind it
	branch   int32    // of the last branch
	stack    []operand
	locals   []variable
	loaded   []variable     // what the engine loads again after each call: the memory, mutable globals
	which    []loadedGlobal // by index of a global
	f        *function
	blocks   []frameBlock
	loops    []int32 // where the open loops began
	merges   int32   // ends of blocks so far that were branched to
	spans    []lifetime
	load     []int32 // of one position after the other: values alive, less those before
	operands int64   // slots of operands
	bytes    int64   // slots of variables
	calls    int64   // operands and results of the largest call
	vectors  bool
}

// operand is a value on the stack.
type operand struct {
	made  int32
	local int32 // index of the local that it is the value of, -1: none
}

// variable is a local, or a mutable global.
type variable struct {
	bytes   int32 // of a slot
	def     int32 // where its value was made
	use     int32 // where it was last used
	level   int32 // open blocks there
	merges  int32 // framer.merges then
	exposed int32 // where a loop last used what it did not make itself
	loops   int32 // loops that began up to here have been counted
	counted bool  // the value has a slot
}

// loadedGlobal says where in framer.loaded a mutable global is while the function by is followed.
type loadedGlobal struct {
	by *function
	at int
}

// frameBlock is an open block. Values that were made inside may differ at its end.
type frameBlock struct {
	opened  int32
	base    int // operands below it
	results int
	params  int
	loop    bool
	target  bool // of a branch
}

// lifetime is a value's, which has a slot when registers are scarce.
type lifetime struct{ from, to, bytes int32 }

const (
	registers = 10 // of each kind that the allocator can count on
	nearUse   = 4  // a value that is used so soon is not the one to leave its register
	fewLoaded = 6  // values that are loaded again after each call, and stay in registers meanwhile
	frameBase = 96 // return address, frame pointer, stack check, alignment
	savedMost = 13 // registers that a function must save if it uses them
)

// begin readies the framer for f. The entry may yield, and all parameters live across it.
func (a *framer) begin(f *function) {
	*a = framer{
		m: a.m, f: f, code: a.code, which: a.which, load: a.load,
		loaded: append(a.loaded[:0], variable{bytes: 16}), // the memory's place and size
		stack:  a.stack[:0], locals: a.locals[:0], blocks: a.blocks[:0], loops: a.loops[:0], spans: a.spans[:0],
	}
	t := a.m.types[f.typ]
	for _, p := range t.params {
		a.locals = append(a.locals, variable{bytes: valueBytes(p)})
	}
	r := reader{b: a.m.binary[:f.body.to], p: f.body.from}
	for range r.u32() {
		n := r.u32()
		zero := variable{bytes: valueBytes(r.valueType()), counted: true} // all zeros are one value
		for range n {
			a.locals = append(a.locals, zero)
		}
	}
	a.pos = 1
	a.cross()
	a.blocks = append(a.blocks, frameBlock{results: len(t.results)})
}

// instruction follows one instruction, before which fuel may be charged.
func (a *framer) instruction(i *instruction, charged bool) {
	a.pos++
	if charged {
		a.cross()
	}
	a.vectors = a.vectors || i.op >= 0x200
	info := &opcodes[i.op]
	switch {
	case i.op >= opLocalGet && i.op <= opLocalTee:
		a.local(i)
	case info.plain:
		if info.imm == immMem || info.imm == immMemLane {
			a.reload(&a.loaded[0])
		}
		a.operator(int(info.makes)-int(info.delta), int(info.makes))
	default:
		a.special(i, info)
	}
}

func (a *framer) operator(pops, pushes int) {
	a.pop(pops)
	for range pushes {
		a.stack = append(a.stack, operand{a.pos, -1})
	}
}

func (a *framer) local(i *instruction) {
	v := &a.locals[i.index]
	if i.op == opLocalGet {
		a.read(v)
		a.stack = append(a.stack, operand{a.pos, int32(i.index)})
		return
	}
	if i.op == opLocalSet {
		a.pop(1)
	}
	a.write(v)
}

// pop takes n operands, which count now.
func (a *framer) pop(n int) {
	base := a.blocks[len(a.blocks)-1].base
	for ; n > 0 && len(a.stack) > base; n-- {
		a.take(a.stack[len(a.stack)-1])
		a.stack = a.stack[:len(a.stack)-1]
	}
}

func (a *framer) take(o operand) {
	switch {
	case a.barrier > o.made && o.local >= 0 && a.locals[o.local].def < o.made: // still the local's value
		a.keep(&a.locals[o.local])
	case a.barrier > o.made:
		a.operands++
	case a.pos-o.made > nearUse:
		a.spans = append(a.spans, lifetime{o.made, a.pos, 8})
	}
}

// keep gives the value that v has a slot.
func (a *framer) keep(v *variable) {
	if !v.counted {
		v.counted = true
		a.bytes += int64(v.bytes)
	}
}

// read counts the value that v has now.
func (a *framer) read(v *variable) {
	v.use = a.pos
	merged := int32(0)
	if v.level > 0 && v.merges != a.merges {
		common, _ := slices.BinarySearchFunc(a.blocks, v.def, func(b frameBlock, def int32) int { return int(b.opened - def) })
		merged = max(0, min(v.level-int32(common), a.merges-v.merges))
		v.level, v.merges = min(v.level, int32(common)), a.merges
	}
	if n := len(a.loops); n > 0 && a.loops[n-1] > v.def {
		v.exposed = a.pos
	} else if merged > 0 {
		a.circulate(v, a.pos)
	}
	if a.barrier <= v.def {
		if merged > 0 {
			a.spans = append(a.spans, lifetime{v.def, a.pos, v.bytes * merged})
		}
		return
	}
	a.keep(v)
	a.bytes += int64(merged) * int64(v.bytes)
}

// cross notes that no register survives what is here.
func (a *framer) cross() {
	a.barrier = a.pos
	a.fresh = variable{def: a.pos, use: a.pos, level: int32(len(a.blocks)), merges: a.merges}
}

// reload reads what the engine loads into a register once after each call.
func (a *framer) reload(v *variable) {
	if len(a.loaded) <= fewLoaded {
		return
	}
	if v.def < a.barrier {
		a.retire(v)
		bytes := v.bytes
		*v = a.fresh
		v.bytes = bytes
	}
	a.read(v)
}

func (a *framer) global(i *instruction) {
	g := a.m.globals[i.index]
	if !g.mutable {
		return
	}
	at := &a.which[i.index]
	if at.by != a.f {
		*at = loadedGlobal{a.f, len(a.loaded)}
		a.loaded = append(a.loaded, variable{bytes: valueBytes(g.typ)})
	}
	a.reload(&a.loaded[at.at])
}

// circulate counts the values that v has at the headers of loops, which begin anew with what the
// last round left: two each, since a loop is entered again after its yield.
func (a *framer) circulate(v *variable, until int32) {
	from, _ := slices.BinarySearch(a.loops, v.loops+1)
	to, _ := slices.BinarySearch(a.loops, until+1)
	if to > from {
		a.bytes += 2 * int64(to-from) * int64(v.bytes)
		v.loops = a.pos
	}
}

// write gives v a new value. The old one may still be what a branch carries to the end of its block.
func (a *framer) write(v *variable) {
	a.circulate(v, v.exposed)
	if !v.counted && a.barrier > v.def && a.branch > v.def {
		a.bytes += int64(v.bytes)
	}
	a.retire(v)
	v.def, v.use, v.level, v.merges, v.counted = a.pos, a.pos, int32(len(a.blocks)), a.merges, false
}

func (a *framer) retire(v *variable) {
	if !v.counted && v.use-v.def > nearUse {
		a.spans = append(a.spans, lifetime{v.def, v.use, v.bytes})
	}
}

func (a *framer) special(i *instruction, info *opInfo) {
	switch i.op {
	case opBlock, opLoop, opIf:
		a.open(i)
	case opElse, opEnd:
		a.close(i)
	case opBr, opBrIf, opBrTable, opReturn, opUnreachable:
		a.leave(i)
	case opCall:
		a.call(a.m.typeOf(i.index))
	case opCallIndirect:
		a.pop(1)
		a.call(a.m.types[i.index])
	case opGlobalGet, opGlobalSet:
		a.global(i)
		a.operator(int(info.makes)-int(info.delta), int(info.makes))
	case opRefFunc, opMemorySize:
		a.operator(int(info.makes)-int(info.delta), int(info.makes))
	default: // a helper or the host
		a.operator(int(info.makes)-int(info.delta), 0)
		a.cross()
		a.operator(0, int(info.makes))
	}
}

func (a *framer) call(t funcType) {
	a.pop(len(t.params))
	a.cross()
	a.operator(0, len(t.results))
	a.calls = max(a.calls, int64(len(t.params)+len(t.results)))
}

func (a *framer) open(i *instruction) {
	b := frameBlock{loop: i.op == opLoop}
	if i.op == opIf {
		a.pop(1)
		b.target = true // past it
	}
	switch {
	case i.block >= 0:
		t := a.m.types[i.block]
		b.params, b.results = len(t.params), len(t.results)
	case byte(i.block&0x7f) != typeEmpty:
		b.results = 1
	}
	if b.loop {
		a.operator(b.params, b.params)
		a.pos++
		a.cross()
		a.loops = append(a.loops, a.pos)
	}
	b.opened, b.base = a.pos, max(a.blocks[len(a.blocks)-1].base, len(a.stack)-b.params)
	a.blocks = append(a.blocks, b)
}

func (a *framer) close(i *instruction) {
	b := a.blocks[len(a.blocks)-1]
	a.pop(b.results)
	a.stack = a.stack[:b.base]
	a.branch = a.pos
	if i.op == opElse {
		a.blocks[len(a.blocks)-1].target = true
	} else if b.target {
		a.merges++
	}
	if i.op == opElse {
		a.operator(0, b.params)
		return
	}
	a.operator(0, b.results)
	a.blocks = a.blocks[:len(a.blocks)-1]
	if b.loop {
		a.loops = a.loops[:len(a.loops)-1]
	}
}

// target marks the blocks that a branch leads to.
func (a *framer) target(i *instruction) {
	mark := func(l uint32) { a.blocks[len(a.blocks)-1-int(l)].target = true }
	switch i.op {
	case opBr, opBrIf:
		mark(i.index)
	case opBrTable:
		for _, l := range a.code.targets {
			mark(l)
		}
	case opReturn:
		a.blocks[0].target = true
	}
}

// leave follows a branch, which uses its label's operands.
func (a *framer) leave(i *instruction) {
	if i.op == opBrIf || i.op == opBrTable {
		a.pop(1)
	}
	a.branch = a.pos
	a.target(i)
	n := 0
	switch {
	case i.op == opReturn:
		n = a.blocks[0].results
	case i.op == opBr || i.op == opBrIf:
		b := a.blocks[len(a.blocks)-1-int(i.index)]
		if n = b.results; b.loop {
			n = b.params
		}
	}
	base := a.blocks[len(a.blocks)-1].base
	for _, o := range a.stack[max(base, len(a.stack)-n):] {
		a.take(o)
	}
	if i.op != opBrIf {
		a.stack = a.stack[:base]
	}
}

// bytesOf is the estimate, at the function's end.
func (a *framer) estimate() int64 {
	for i := range a.locals {
		a.retire(&a.locals[i])
	}
	for i := range a.loaded {
		a.retire(&a.loaded[i])
	}
	operand := int64(8)
	if a.vectors {
		operand = 16
	}
	slots := a.operands*operand + a.bytes
	slots += a.crowded()
	saved := 16 * min(savedMost, int64(len(a.spans))/2+slots/8)
	return frameBase + slots + saved + 16*max(0, a.calls-6)
}

// crowded is the bytes of values that live where more are alive than there are registers.
func (a *framer) crowded() (bytes int64) {
	if len(a.spans) <= registers {
		return 0
	}
	a.load = append(a.load[:0], make([]int32, a.pos+2)...)
	for _, s := range a.spans {
		a.load[s.from]++
		a.load[s.to]--
	}
	alive, crowds := int32(0), int32(0)
	for i, change := range a.load { // becomes the number of crowded positions up to here
		if alive += change; alive > registers {
			crowds++
		}
		a.load[i] = crowds
	}
	for _, s := range a.spans {
		if a.load[s.to] > a.load[s.from] {
			bytes += int64(s.bytes)
		}
	}
	return bytes
}

// valueBytes is the size of a value's slot.
func valueBytes(t byte) int32 {
	switch t {
	case typeV128:
		return 16
	case typeI32, typeF32:
		return 4
	}
	return 8
}
