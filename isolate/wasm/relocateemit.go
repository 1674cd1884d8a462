package wasm

// emit writes the relocated module.
func (t *tenant) emit() *Error {
	bodies, err := t.bodies()
	if err != nil {
		return err
	}
	t.initialise()
	t.entries()
	t.tableHelpers()
	w := &sectionWriter{b: []byte(header)}
	imports := t.hosts()
	var typ, fn, code []byte
	for _, f := range t.types {
		typ = append(typ, typeFunction)
		typ = append(appendU32(typ, uint32(len(f.params))), f.params...)
		typ = append(appendU32(typ, uint32(len(f.results))), f.results...)
	}
	add := func(index uint32, body []byte) {
		fn = appendU32(fn, index)
		code = append(appendU32(code, uint32(len(body))), body...)
	}
	for i, f := range t.imports {
		add(f.typ, t.stub(uint32(i)))
	}
	for i, index := range t.functions {
		add(index, bodies[i])
	}
	for _, h := range t.helpers {
		add(h.typ, h.body)
	}
	for _, a := range t.added {
		typ = append(typ, a...)
	}
	n := t.nFunctions() + len(t.helpers)
	w.section(secType, len(t.types)+len(t.added), typ)
	w.section(secImport, nHosts, imports)
	w.section(secFunction, n, fn)
	t.tableSection(w)
	w.section(secMemory, 1, appendU32(appendU32([]byte{1}, t.landlord), t.landlord))
	t.globalsSection(w)
	t.exportsSection(w)
	t.elementsSection(w)
	if len(t.data) > 0 {
		n := appendU32(nil, uint32(len(t.data)))
		w.b = append(append(w.b, secDataCount, byte(len(n))), n...)
	}
	w.section(secCode, n, code)
	t.dataSections(w)
	t.re.Binary = w.b
	return nil
}

type sectionWriter struct{ b []byte }

func (w *sectionWriter) section(id byte, n int, items []byte) {
	o := output{b: w.b}
	o.section(id, n, items)
	w.b = o.b
}

func (t *tenant) bodies() (all [][]byte, err *Error) {
	r := &relocator{patch: patch{binary: t.binary}, t: t}
	for i, s := range t.module.bodies {
		b, err := r.body(t.functions[i], s)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

func (t *tenant) hosts() (b []byte) {
	add := func(name string, params, results []byte) {
		b = append(appendName(appendName(b, NestedModule), name), KindFunction)
		b = appendU32(b, t.typeFor(params, results))
	}
	i32, i64, x, f := []byte{typeI32}, []byte{typeI64}, []byte{typeExternref}, []byte{typeFuncref}
	add(NestedCall, i32, nil)
	add(NestedGrow, i32, i32)
	add(NestedKeep, x, i64)
	add(NestedGive, i64, x)
	add(NestedName, f, i64)
	add(NestedFind, i64, f)
	return b
}

const (
	hostCall = iota
	hostGrow
	hostKeep
	hostGive
	hostName
	hostFind
)

// read pushes the value of a type that lies at local or global pointer + 8·n.
func (t *tenant) read(a *assembler, from func(), typ byte, n int) {
	from()
	switch typ {
	case typeExternref:
		a.memory(0x29, uint32(8*n)).index(opCall, hostGive)
	case typeFuncref:
		a.memory(0x29, uint32(8*n)).index(opCall, hostFind)
	default:
		load, _ := cellAccess(typ)
		a.memory(load, uint32(8*n))
	}
}

// write writes a local to where from points, + 8·n.
func (t *tenant) write(a *assembler, from func(), typ byte, n int, local uint32) {
	from()
	a.locals(local)
	_, store := cellAccess(typ)
	switch typ {
	case typeExternref:
		a.index(opCall, hostKeep)
		store = 0x37
	case typeFuncref:
		a.index(opCall, hostName)
		store = 0x37
	}
	a.memory(store, uint32(8*n))
}

// crosses reports whether values of the type can pass between JavaScript and the module.
func (f funcType) crosses() bool {
	for _, typ := range [][]byte{f.params, f.results} {
		for _, v := range typ {
			if v == typeV128 {
				return false
			}
		}
	}
	return true
}

// stub is the body of the function that stands for import i.
func (t *tenant) stub(i uint32) []byte {
	f := t.types[t.imports[i].typ]
	a := &assembler{[]byte{0}}
	io := func() { a.index(opGlobalGet, t.io) }
	if !f.crosses() {
		return append(a.i32(int32(i)).index(opCall, hostCall).op(opUnreachable).b, byte(opEnd))
	}
	for j, typ := range f.params {
		t.write(a, io, typ, j, uint32(j))
	}
	a.i32(int32(i)).index(opCall, hostCall)
	for j, typ := range f.results {
		t.read(a, io, typ, j)
	}
	return append(a.b, byte(opEnd))
}

// entries adds the entry of each function that has one.
func (t *tenant) entries() {
	for _, i := range t.re.Entries {
		t.addEntry(EntryName(i), i+nHosts, t.typeOf(i))
	}
}

// addEntry adds the entry of a function of the output, of type f.
func (t *tenant) addEntry(name string, index uint32, f funcType) {
	t.addHelper(name, true, []byte{typeI32}, nil, t.entry(index, f))
}

func (t *tenant) entry(index uint32, f funcType) []byte {
	a := &assembler{}
	if !f.crosses() {
		return a.raw(0).op(opUnreachable).b
	}
	a.b = appendU32(a.b, uint32(len(f.results)))
	for _, typ := range f.results {
		a.raw(1, typ)
	}
	pointer := func() { a.locals(0) }
	for j, typ := range f.params {
		t.read(a, pointer, typ, j)
	}
	a.index(opCall, index)
	for j := len(f.results) - 1; j >= 0; j-- {
		a.index(opLocalSet, uint32(1+j))
	}
	for j, typ := range f.results {
		t.write(a, pointer, typ, j, uint32(1+j))
	}
	return a.b
}

// initialise adds what applies segments and initial values, when the host says so.
func (t *tenant) initialise() {
	a := &assembler{[]byte{0}}
	for i, e := range t.initials {
		if e.op == opGlobalGet {
			a.index(opGlobalGet, e.index).index(opGlobalSet, uint32(i))
		}
	}
	t.addRef(a)
	for i, e := range t.segments {
		switch {
		case e.copied():
			t.offset(a, e.offset)
			a.i32(int32(e.ref)).i32(int32(len(e.items)))
			a.index(opTableCopy, e.table).raw(appendU32(nil, uint32(len(t.tables)))...)
		case e.active:
			t.offset(a, e.offset)
			a.i32(0).i32(int32(len(e.items)))
			a.index(opTableInit, uint32(i)).raw(appendU32(nil, e.table)...)
			a.index(opElemDrop, uint32(i))
		}
	}
	t.addHelper(RelocatedTables, true, nil, nil, a.b)
	a = &assembler{[]byte{0}}
	for _, g := range t.re.Cells {
		_, store := cellAccess(t.globals[g].typ)
		a.index(opGlobalGet, g)
		t.offset(a, t.initials[g])
		a.memory(store, 0)
	}
	for i, d := range t.data {
		if d.active {
			t.offset(a, t.offsets[i])
			a.i32(0).i32(int32(len(d.bytes))).index(opCall, t.initHelper(uint32(i)))
			a.index(opDataDrop, uint32(i))
		}
	}
	t.addHelper(RelocatedData, true, nil, nil, a.b)
}

func (t *tenant) offset(a *assembler, e constantExpression) {
	a.raw(t.binary[e.at.from:e.at.to]...)
}

// addRef fills the table of all references, which is behind the guest's. The engine makes a new
// reference whenever it is asked for one to a function, so what can be told from another comes
// from this table: active segments are copied out of it.
func (t *tenant) addRef(a *assembler) {
	n := len(t.re.Refs)
	if n == 0 {
		return
	}
	a.i32(0).i32(0).i32(int32(n)).index(opTableInit, uint32(len(t.segments))).raw(appendU32(nil, uint32(len(t.tables)))...)
	b := &assembler{[]byte{0}}
	b.locals(0).index(opTableGet, uint32(len(t.tables)))
	t.addHelper(RelocatedRef, true, []byte{typeI32}, []byte{typeFuncref}, b.b)
}

func (t *tenant) tableHelpers() {
	for i, b := range t.tables {
		get, set, size, grow := TableNames(i)
		table, i32, ref := uint32(i), []byte{typeI32}, []byte{b.elem}
		add := func(name string, params, results []byte, op opcode) {
			a := &assembler{[]byte{0}}
			for j := range params {
				a.locals(uint32(j))
			}
			a.index(op, table)
			t.addEntry(name, t.addHelper("on "+name, false, params, results, a.b), funcType{params, results})
		}
		add(get, i32, ref, opTableGet)
		add(set, []byte{typeI32, b.elem}, nil, opTableSet)
		add(size, nil, i32, opTableSize)
		add(grow, []byte{b.elem, typeI32}, i32, opTableGrow)
	}
}

func (t *tenant) tableSection(w *sectionWriter) {
	var b []byte
	n := 0
	for _, table := range t.tables {
		b = append(b, table.elem, flag(table.hasMax))
		b = appendU32(b, table.min)
		if table.hasMax {
			b = appendU32(b, table.max)
		}
		n++
	}
	if k := uint32(len(t.re.Refs)); k > 0 {
		b = appendU32(appendU32(append(b, typeFuncref, 1), k), k)
		n++
	}
	w.section(secTable, n, b)
}

// globalsSection keeps the guest's globals where they can stay.
func (t *tenant) globalsSection(w *sectionWriter) {
	a := assembler{}
	for i, g := range t.globals {
		e := t.initials[i]
		switch {
		case t.cells[i]:
			a.raw(typeI32, 1).i32(0).op(opEnd)
		case e.op == opRefFunc:
			a.raw(g.typ, flag(g.mutable)).index(opRefFunc, e.index+nHosts).op(opEnd)
		case e.op == opGlobalGet || i < t.importedGlobals:
			a.raw(g.typ, 1)
			a.zero(g.typ).op(opEnd)
		default:
			a.raw(g.typ, flag(g.mutable)).raw(t.binary[e.at.from:e.at.to]...).op(opEnd)
		}
	}
	a.raw(typeI32, 1).i32(0).op(opEnd)
	a.raw(typeI64, 1).i64(0).op(opEnd)
	a.raw(typeI32, 1).i32(0).op(opEnd)
	a.raw(typeI32, 1).i32(0).op(opEnd)
	w.section(secGlobal, len(t.globals)+4, a.b)
}

// zero pushes a number that is zero.
func (a *assembler) zero(typ byte) *assembler {
	switch typ {
	case typeI32:
		return a.i32(0)
	case typeI64:
		return a.i64(0)
	case typeF32:
		return a.op(opF32Const).raw(make([]byte, 4)...)
	}
	return a.op(opF64Const).raw(make([]byte, 8)...)
}

func (t *tenant) exportsSection(w *sectionWriter) {
	var b []byte
	n := 0
	add := func(name string, kind byte, index uint32) {
		b = appendU32(append(appendName(b, name), kind), index)
		n++
	}
	for i, h := range t.helpers {
		if h.exported {
			add(h.name, KindFunction, nHosts+uint32(t.nFunctions()+i))
		}
	}
	for i, g := range t.globals {
		if i < t.importedGlobals || t.cells[i] || t.exportsGlobal(uint32(i)) && g.resettable() {
			add(GlobalName(uint32(i)), KindGlobal, uint32(i))
		}
	}
	add(RelocatedBase, KindGlobal, t.base)
	add(RelocatedSize, KindGlobal, t.size)
	add(RelocatedIO, KindGlobal, t.io)
	add(RelocatedLost, KindGlobal, t.lost)
	w.section(secExport, n, b)
}

func (t *tenant) exportsGlobal(index uint32) bool {
	for _, e := range t.exports {
		if e.kind == KindGlobal && e.index == index {
			return true
		}
	}
	return false
}

// elementsSection makes active segments passive: the host applies them. The last segment declares
// the functions of all entries.
func (t *tenant) elementsSection(w *sectionWriter) {
	var b []byte
	for _, e := range t.segments {
		flags := byte(5)
		if e.declared {
			flags = 7
		}
		if e.copied() {
			e.items = nil
		}
		b = appendU32(append(b, flags, e.typ), uint32(len(e.items)))
		for _, item := range e.items {
			b = t.item(b, item)
		}
	}
	n := len(t.segments)
	if k := len(t.re.Refs); k > 0 {
		b = appendU32(append(b, 5, typeFuncref), uint32(k))
		for _, f := range t.re.Refs {
			if f == noFunction {
				b = append(b, byte(opRefNull), typeFuncref, byte(opEnd))
				continue
			}
			b = append(appendU32(append(b, byte(opRefFunc)), f+nHosts), byte(opEnd))
		}
		n++
	}
	w.section(secElement, n, b)
}

func (t *tenant) item(b []byte, e constantExpression) []byte {
	if e.op == opRefFunc {
		b = appendU32(append(b, byte(opRefFunc)), e.index+nHosts)
	} else {
		b = append(b, t.binary[e.at.from:e.at.to]...)
	}
	return append(b, byte(opEnd))
}

func (t *tenant) dataSections(w *sectionWriter) {
	var b []byte
	for _, d := range t.data {
		b = appendU32(append(b, 1), uint32(len(d.bytes)))
		b = append(b, d.bytes...)
	}
	w.section(secData, len(t.data), b)
}
