package wasm

import "fmt"

// Decoding for relocation reads what the other decoder refuses or wants as constants: imports of all
// kinds, and segments and initial values that imported globals decide.

func (t *tenant) decode() *Error {
	t.re = &Relocated{Start: noFunction}
	return t.sectionsBy(t.readSection)
}

func (t *tenant) readSection(id byte, body *reader) {
	switch id {
	case secCustom:
		t.customSection(body)
	case secImport:
		t.importSection(body)
	case secMemory:
		t.memorySection(body)
	case secGlobal:
		t.globalSection(body)
	case secElement:
		t.elementSection(body)
	case secData:
		t.dataSection(body)
	default:
		t.contents(id, body)
	}
}

func (t *tenant) customSection(r *reader) {
	c := Custom{Name: r.name("custom section name")}
	if r.err == nil {
		c.Bytes = r.b[r.p:]
		t.re.Custom = append(t.re.Custom, c)
	}
}

func (t *tenant) importSection(r *reader) {
	n := r.count("imports", "Imports", t.limits.Imports)
	for i := 0; i < n && r.err == nil; i++ {
		t.importExtern(r)
	}
	t.importedGlobals = len(t.globals)
}

func (t *tenant) importExtern(r *reader) {
	at := r.p
	x := Extern{Module: r.name("import module name"), Name: r.name("import name"), Kind: r.byte()}
	refuse := func(what string) { r.fail(at, "import %q %q: %s is not supported", x.Module, x.Name, what) }
	switch x.Kind {
	case KindFunction:
		typ := t.typeIndex(r)
		if r.err != nil {
			return
		}
		x.Index, x.Type = uint32(len(t.imports)), t.types[typ].letters()
		t.imports = append(t.imports, importedFunction{x.Module, x.Name, typ})
	case KindMemory:
		l := r.limits("memory")
		if t.memory != nil {
			refuse("a second memory (multi-memory)")
		}
		t.memory, x.Min, x.Max = &l, l.min, l.ceiling()
	case KindGlobal:
		g := global{typ: r.valueType(), mutable: r.byte() == 1}
		if g.typ < typeF64 {
			refuse("an imported global of a reference or vector")
		}
		x.Index, x.Type, x.Mutable = uint32(len(t.globals)), typeLetters([]byte{g.typ}), g.mutable
		t.globals = append(t.globals, g)
		t.initials = append(t.initials, constantExpression{})
	case KindTable:
		refuse("an imported table")
	default:
		refuse(fmt.Sprintf("import kind %d", x.Kind))
	}
	t.externs = append(t.externs, x)
}

func (t *tenant) memorySection(r *reader) {
	if t.memory != nil {
		r.fail(r.p, "a second memory (multi-memory) is not supported")
		return
	}
	t.module.memorySection(r)
	t.ownMemory = t.memory != nil
}

func (t *tenant) globalSection(r *reader) {
	n := r.count("globals", "Globals", t.limits.Globals)
	for i := 0; i < n && r.err == nil; i++ {
		g := global{typ: r.valueType()}
		at := r.p
		mutable := r.byte()
		if mutable > 1 {
			r.fail(at, "0x%02x is not a mutability", mutable)
		}
		g.mutable = mutable == 1
		t.initials = append(t.initials, t.expression(r))
		t.globals = append(t.globals, g)
	}
}

// expression reads a constant expression: one instruction and its end.
func (t *tenant) expression(r *reader) (e constantExpression) {
	at := r.p
	c := code{reader: *r}
	i := *c.next()
	e.op, e.index, e.at = i.op, i.index, span{at, c.p}
	switch e.op {
	case opI32Const, opI64Const, opF32Const, opF64Const, opV128Const, opRefNull:
	case opRefFunc:
		if int(e.index) >= t.nFunctions() {
			c.fail(at, "function index %d is out of range: there are %d functions", e.index, t.nFunctions())
		}
		t.address(e.index)
	case opGlobalGet:
		if int(e.index) >= t.importedGlobals || t.globals[e.index].mutable {
			c.fail(at, "global %d in a constant expression is not an imported constant", e.index)
		}
	default:
		c.fail(at, "instruction %v is not allowed in a constant expression", e.op)
	}
	end := c.p
	if c.byte() != byte(opEnd) {
		c.fail(end, "a constant expression of several instructions (extended const) is not supported")
	}
	r.p = c.p
	r.adopt(c.err)
	return e
}

// elementSection reads element segments; see segment.go for their forms.
func (t *tenant) elementSection(r *reader) {
	n := r.count("element segments", "Elements", t.limits.Elements)
	room := 10 * t.limits.Elements
	for i := 0; i < n && r.err == nil; i++ {
		e := t.elementSegment(r, room)
		room -= len(e.items)
		t.segments = append(t.segments, e)
	}
}

func (t *tenant) elementSegment(r *reader, room int) (e elements) {
	at := r.p
	flags := r.u32()
	if flags > 7 {
		r.fail(at, "element segment has unknown flags 0x%x", flags)
		return e
	}
	e.active, e.declared, e.typ = flags&1 == 0, flags&3 == 3, typeFuncref
	if e.active {
		if flags&2 != 0 {
			e.table = r.u32()
		}
		if r.err == nil && int64(e.table) >= int64(len(t.tables)) {
			r.fail(at, "table index %d of an element segment is out of range: there are %d tables", e.table, len(t.tables))
		}
		e.offset = t.expression(r)
	}
	switch {
	case flags&3 == 0: // no type: functions
	case flags&4 != 0:
		e.typ = r.referenceType()
	case r.byte() != 0:
		r.fail(r.p, "element kind is not that of functions")
	}
	n := r.count("items of element segments", "Elements (ten times)", room)
	for i := 0; i < n && r.err == nil; i++ {
		e.items = append(e.items, t.elementItem(r, flags&4 != 0))
	}
	return e
}

func (t *tenant) elementItem(r *reader, expression bool) constantExpression {
	if expression {
		at := r.p
		e := t.expression(r)
		if e.op == opGlobalGet {
			r.fail(at, "an element that is an imported global is not supported")
		}
		return e
	}
	ref := t.functionIndex(r)
	t.address(ref.index)
	return constantExpression{op: opRefFunc, index: ref.index}
}

func (t *tenant) dataSection(r *reader) {
	n := r.count("data segments", "Data", t.limits.Data)
	for i := 0; i < n && r.err == nil; i++ {
		var offset constantExpression
		d := t.dataSegmentWith(r, func() { offset = t.expression(r) })
		t.data, t.offsets = append(t.data, d), append(t.offsets, offset)
	}
}
