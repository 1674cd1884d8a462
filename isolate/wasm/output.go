package wasm

import "strconv"

// output writes the rewritten binary, section by section.
type output struct {
	b    []byte
	plan *plan
	m    *module
	re   *Rewritten
}

// section appends a section of n items, unless there are none.
func (o *output) section(id byte, n int, items []byte) {
	if n == 0 {
		return
	}
	count := appendU32(nil, uint32(n))
	o.b = append(o.b, id)
	o.b = appendU32(o.b, uint32(len(count)+len(items)))
	o.b = append(append(o.b, count...), items...)
}

// patched copies binary[s.from:s.to] with its function indices moved; refs is what is left of
// all places in order, and returned without those of s.
func (o *output) patched(b []byte, s span, refs []functionRef) ([]byte, []functionRef) {
	at := s.from
	for len(refs) > 0 && refs[0].at < s.to {
		b = append(b, o.m.binary[at:refs[0].at]...)
		b = appendU32(b, o.plan.moved(refs[0].index))
		at, refs = refs[0].end, refs[1:]
	}
	return append(b, o.m.binary[at:s.to]...), refs
}

func (o *output) types() {
	var b []byte
	for _, t := range o.m.types {
		b = append(b, typeFunction)
		b = append(appendU32(b, uint32(len(t.params))), t.params...)
		b = append(appendU32(b, uint32(len(t.results))), t.results...)
	}
	for _, t := range o.plan.types {
		b = append(b, t...)
	}
	o.section(secType, len(o.m.types)+len(o.plan.types), b)
}

func (o *output) imports() {
	var b []byte
	add := func(module, name string, typ uint32) {
		b = append(appendName(appendName(b, module), name), KindFunction)
		b = appendU32(b, typ)
	}
	for _, f := range o.m.imports {
		add(f.module, f.name, f.typ)
		t := o.m.types[f.typ]
		o.re.Imports = append(o.re.Imports, Import{f.module, f.name, t.params, t.results})
	}
	void := o.plan.typeIndex(typeVoid)
	add(MeterModule, MeterYield, void)
	add(MeterModule, MeterDeep, void)
	n := len(o.m.imports) + 2
	if o.m.o.Landlord {
		b = append(appendName(appendName(b, LandlordModule), LandlordMemory), KindMemory, 0, 0)
		n++
	}
	o.section(secImport, n, b)
}

func (o *output) functions() {
	var b []byte
	for _, t := range o.m.functions {
		b = appendU32(b, t)
	}
	for _, t := range o.plan.helperTypes {
		b = appendU32(b, t)
	}
	o.section(secFunction, len(o.m.functions)+len(o.plan.helperTypes), b)
}

// tables gives every table a maximum: the host pays for its elements.
func (o *output) tables() {
	var b []byte
	share := uint32(o.m.limits.TableSize / max(1, len(o.m.tables)))
	for _, t := range o.m.tables {
		b = appendU32(append(b, t.elem, 1), t.min)
		b = appendU32(b, t.capped(max(t.min, share)))
	}
	o.section(secTable, len(o.m.tables), b)
}

func (o *output) memory() {
	if o.m.memory == nil {
		return
	}
	n := o.plan.memoryPages
	o.re.MemoryPages = n
	if o.m.o.Landlord {
		return
	}
	o.section(secMemory, 1, appendU32(appendU32([]byte{1}, n), n))
}

func (o *output) globals() {
	var b []byte
	refs := o.m.globalRefs
	for _, g := range o.m.globals {
		b = append(b, g.typ, flag(g.mutable))
		b, refs = o.patched(b, g.init, refs)
	}
	a := assembler{b}
	a.raw(typeI64, 1).i64(0).op(opEnd) // fuel
	a.raw(typeI32, 1).i32(int32(o.plan.maxDepth)).op(opEnd)
	if o.m.memory != nil {
		a.raw(typeI32, 1).i32(int32(o.m.memory.min)).op(opEnd)
	}
	if o.plan.uses.dirty {
		a.raw(typeI32, 1).i32(0).op(opEnd)
	}
	o.section(secGlobal, len(o.m.globals)+o.plan.nGlobals, a.b)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// exports writes the guest's exports and ours, and tells the host of both.
func (o *output) exports() {
	var b []byte
	n := 0
	add := func(name string, kind byte, index uint32) string {
		b = appendU32(append(appendName(b, name), kind), index)
		n++
		return name
	}
	for _, e := range o.m.exports {
		x := Export{Name: e.name, Kind: e.kind}
		if e.kind == KindFunction {
			t := o.m.typeOf(e.index)
			x.Params, x.Results = t.params, t.results
			e.index = o.plan.moved(e.index)
		}
		add(e.name, e.kind, e.index)
		o.re.Exports = append(o.re.Exports, x)
	}
	o.ourExports(add)
	o.section(secExport, n, b)
}

func (o *output) ourExports(add func(name string, kind byte, index uint32) string) {
	re, p := o.re, o.plan
	for i, g := range o.m.globals {
		if g.mutable && g.resettable() {
			re.Globals = append(re.Globals, add(Prefix+"global/"+strconv.Itoa(i), KindGlobal, uint32(i)))
		}
	}
	re.Depth = add(Prefix+"depth", KindGlobal, p.depth)
	re.Globals = append(re.Globals, re.Depth)
	re.Fuel = add(Prefix+"fuel", KindGlobal, p.fuel)
	if o.m.memory != nil {
		re.Pages = add(Prefix+"pages", KindGlobal, p.pages)
		re.Globals = append(re.Globals, re.Pages)
	}
	if p.uses.dirty {
		re.Dirty = add(Prefix+"dirty", KindGlobal, p.dirty)
	}
	if o.m.start != noFunction {
		re.Start = add(Prefix+"start", KindFunction, p.moved(o.m.start))
	}
}

func (o *output) elements() {
	b, _ := o.patched(nil, o.m.elements, o.m.elementRefs)
	o.section(secElement, o.m.nElements, b)
}

// data hands active segments to the host. Where instructions name segments by their index, an
// empty one takes the place of each.
func (o *output) data() {
	var b []byte
	for _, d := range o.m.data {
		if d.active {
			o.re.Data = append(o.re.Data, Segment{d.offset, d.bytes})
			d.bytes = nil
		}
		b = append(b, 1) // passive
		b = append(appendU32(b, uint32(len(d.bytes))), d.bytes...)
	}
	if o.plan.uses.segments {
		o.section(secData, len(o.m.data), b)
	}
}

func (o *output) dataCount() {
	if o.plan.uses.segments {
		n := appendU32(nil, uint32(len(o.m.data)))
		o.b = append(append(o.b, secDataCount, byte(len(n))), n...)
	}
}

func (o *output) code(functions []function) {
	e := &emitter{patch: patch{binary: o.m.binary}, plan: o.plan, m: o.m}
	b := make([]byte, 0, len(o.m.binary)+len(o.m.binary)/4)
	add := func(body []byte) {
		b = append(appendU32(b, uint32(len(body))), body...)
	}
	o.re.Frames = make([]uint32, len(functions))
	for i := range functions {
		add(e.function(&functions[i]))
		o.re.Frames[i] = uint32(min(functions[i].frame, maxDepth))
	}
	e.helpers(add)
	o.section(secCode, len(functions)+len(o.plan.helperTypes), b)
}

// names keeps the functions' names for stack traces.
func (o *output) names() {
	if o.m.names == nil {
		return
	}
	var b []byte
	n := 0
	for _, f := range o.m.names {
		if int64(f.index) < int64(o.m.nFunctions()) {
			b = appendName(appendU32(b, o.plan.moved(f.index)), f.name)
			n++
		}
	}
	b = append(appendU32(nil, uint32(n)), b...)
	section := append(appendName(nil, "name"), 1) // the map of function names
	section = append(appendU32(section, uint32(len(b))), b...)
	o.b = append(o.b, secCustom)
	o.b = append(appendU32(o.b, uint32(len(section))), section...)
}
