package wasm

import (
	"fmt"
	"strings"
)

// module is a decoded binary. Offsets are absolute; byte slices alias the binary.
type module struct {
	binary []byte
	o      *Options
	limits Limits

	sections  [secTag]bool // present, by id
	types     []funcType
	canon     []uint32           // type index → first index of an equal type
	imports   []importedFunction // the only imports there are
	functions []uint32           // type index of each defined function
	tables    []table
	memory    *limits
	globals   []global
	exports   []exported
	start     uint32 // function index, noFunction when there is none
	elements  span   // section contents behind the count, in element order
	nElements int
	dataCount int
	data      []dataSegment
	bodies    []span
	names     []functionName

	// Where element segments and initial values name functions, in order of offset: these
	// places change when function indices move.
	elementRefs []functionRef
	globalRefs  []functionRef
	taken       map[uint32]bool // functions whose address is taken
	exported    map[uint32]bool // functions that are exported
}

const noFunction = ^uint32(0)

// span is binary[from:to].
type span struct{ from, to int }

type importedFunction struct {
	module, name string
	typ          uint32
}

type table struct {
	limits
	elem byte
}

type global struct {
	typ     byte
	mutable bool
	init    span // constant expression with its end
}

// resettable reports whether the host can read and write all of the global's value as 64 bits.
// References belong to one instance and vectors are wider.
func (g global) resettable() bool { return g.typ >= typeF64 }

type exported struct {
	name  string
	kind  byte
	index uint32
}

// functionRef is a function index at binary[at:end].
type functionRef struct {
	at, end int
	index   uint32
}

type dataSegment struct {
	active bool
	offset uint32
	bytes  []byte
}

type functionName struct {
	index uint32
	name  string
}

func refuseSize(n, limit int) string {
	return fmt.Sprintf("%d bytes exceed the limit ModuleBytes of %d", n, limit)
}

// nFunctions is the size of the function index space: imports come first.
func (m *module) nFunctions() int { return len(m.imports) + len(m.functions) }

// typeOf returns the type of a function that exists.
func (m *module) typeOf(function uint32) funcType {
	if n := uint32(len(m.imports)); function >= n {
		return m.types[m.functions[function-n]]
	}
	return m.types[m.imports[function].typ]
}

func (m *module) take(function uint32) {
	if m.taken == nil {
		m.taken = make(map[uint32]bool)
	}
	m.taken[function] = true
}

// functionIndex reads the index of a function that exists.
func (m *module) functionIndex(r *reader) functionRef {
	at := r.p
	f := r.u32()
	if r.err == nil && int(f) >= m.nFunctions() {
		r.fail(at, "function index %d is out of range: there are %d functions", f, m.nFunctions())
	}
	return functionRef{at, r.p, f}
}

func (m *module) typeIndex(r *reader) uint32 {
	at := r.p
	t := r.u32()
	if r.err == nil && int(t) >= len(m.types) {
		r.fail(at, "type index %d is out of range: there are %d types", t, len(m.types))
		return 0
	}
	return t
}

func (m *module) typeSection(r *reader) {
	n := r.count("types", "Types", m.limits.Types)
	m.types = make([]funcType, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		m.types = append(m.types, r.functionType(m.limits.Params))
	}
	m.canon = canonicalTypes(m.types)
}

func (m *module) importSection(r *reader) {
	n := r.count("imports", "Imports", m.limits.Imports)
	for i := 0; i < n && r.err == nil; i++ {
		m.importOne(r)
	}
}

// importOne reads an import. Only functions can be imported: a memory, table or global of
// somebody else could neither be metered nor reset.
func (m *module) importOne(r *reader) {
	at := r.p
	mod, name := r.name("import module name"), r.name("import name")
	kindAt := r.p
	switch kind := r.byte(); kind {
	case KindFunction:
	case KindTable, KindMemory, KindGlobal:
		r.fail(at, "import %q %q: an imported %s is not supported", mod, name, kindNames[kind])
	case 4:
		r.fail(at, "import %q %q: an imported tag (exceptions) is not supported", mod, name)
	default:
		r.fail(kindAt, "import kind %d is unknown", kind)
	}
	typ := m.typeIndex(r)
	if r.err != nil {
		return
	}
	if mod == MeterModule {
		r.fail(at, "import %q %q: the module is reserved", mod, name)
		return
	}
	m.mayImport(r, at, importedFunction{mod, name, typ})
}

func (m *module) mayImport(r *reader, at int, f importedFunction) {
	err := fmt.Errorf("imports are not allowed")
	if m.o.MayImport != nil {
		t := m.types[f.typ]
		err = m.o.MayImport(f.module, f.name, t.params, t.results)
	}
	if err != nil {
		r.fail(at, "import %q %q: %v", f.module, f.name, err)
		r.err.Err = err
		return
	}
	m.imports = append(m.imports, f)
}

var kindNames = [...]string{KindFunction: "function", KindTable: "table", KindMemory: "memory", KindGlobal: "global"}

func (m *module) functionSection(r *reader) {
	n := r.count("functions", "Functions", max(0, m.limits.Functions-len(m.imports)))
	m.functions = make([]uint32, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		m.functions = append(m.functions, m.typeIndex(r))
	}
}

func (m *module) tableSection(r *reader) {
	n := r.count("tables", "Tables", m.limits.Tables)
	for i := 0; i < n && r.err == nil; i++ {
		elem := r.referenceType()
		at := r.p
		l := r.limits("table")
		if r.err == nil && int64(l.min) > int64(m.limits.TableSize) {
			r.fail(at, "%d elements of a table exceed the limit TableSize of %d", l.min, m.limits.TableSize)
		}
		m.tables = append(m.tables, table{l, elem})
	}
}

func (m *module) memorySection(r *reader) {
	at := r.p
	n := r.count("memories", "memory section", 1<<20)
	if n > 1 {
		r.fail(at, "%d memories (multi-memory) are not supported", n)
	}
	if n == 0 || r.err != nil {
		return
	}
	at = r.p
	l := r.limits("memory")
	switch {
	case r.err != nil:
	case l.min > maxPages || l.hasMax && l.max > maxPages:
		r.fail(at, "memory size must be at most %d pages", maxPages)
	case l.min > m.o.MaxPages:
		r.fail(at, "memory of %d pages exceeds the limit MaxPages of %d", l.min, m.o.MaxPages)
	}
	m.memory = &l
}

// maxPages is 4 GiB.
const maxPages = 1 << 16

func (m *module) globalSection(r *reader) {
	n := r.count("globals", "Globals", m.limits.Globals)
	for i := 0; i < n && r.err == nil; i++ {
		g := global{typ: r.valueType()}
		at := r.p
		switch mutable := r.byte(); mutable {
		case 0:
		case 1:
			g.mutable = true
		default:
			r.fail(at, "0x%02x is not a mutability", mutable)
		}
		g.init.from = r.p
		m.constant(r, &m.globalRefs)
		g.init.to = r.p
		m.globals = append(m.globals, g)
	}
}

func (m *module) exportSection(r *reader) {
	n := r.count("exports", "Exports", m.limits.Exports)
	seen := make(map[string]bool, n)
	m.exported = make(map[uint32]bool)
	for i := 0; i < n && r.err == nil; i++ {
		at := r.p
		e := exported{name: r.name("export name")}
		if strings.HasPrefix(e.name, Prefix) {
			r.fail(at, "export %q: names that start with %q are reserved", e.name, Prefix)
		}
		if seen[e.name] {
			r.fail(at, "export %q is there twice", e.name)
		}
		seen[e.name] = true
		m.exportOne(r, &e)
		if e.kind == KindFunction {
			m.exported[e.index] = true
		}
		m.exports = append(m.exports, e)
	}
}

func (m *module) exportOne(r *reader, e *exported) {
	at := r.p
	e.kind = r.byte()
	if e.kind > KindGlobal {
		r.fail(at, "export kind %d is not supported", e.kind)
		return
	}
	at = r.p
	e.index = r.u32()
	memories := 0
	if m.memory != nil {
		memories = 1
	}
	n := [...]int{KindFunction: m.nFunctions(), KindTable: len(m.tables), KindMemory: memories, KindGlobal: len(m.globals)}[e.kind]
	if r.err == nil && int64(e.index) >= int64(n) {
		r.fail(at, "export %q: %s index %d is out of range: there are %d", e.name, kindNames[e.kind], e.index, n)
	}
}

func (m *module) startSection(r *reader) {
	ref := m.functionIndex(r)
	if r.err != nil {
		return
	}
	if t := m.typeOf(ref.index); len(t.params)+len(t.results) > 0 {
		r.fail(ref.at, "the start function %d has parameters or results", ref.index)
	}
	m.start = ref.index
}

func (m *module) codeSection(r *reader) {
	at := r.p
	n := r.count("function bodies", "Functions", m.limits.Functions)
	if n != len(m.functions) {
		r.fail(at, "%d functions are declared but %d have a body", len(m.functions), n)
		return
	}
	m.bodies = make([]span, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		at := r.p
		size := int(r.u32())
		if size > m.limits.BodyBytes {
			r.fail(at, "%d bytes of function %d exceed the limit BodyBytes of %d", size, i+len(m.imports), m.limits.BodyBytes)
			return
		}
		body := r.span(size)
		m.bodies = append(m.bodies, span{body.p, len(body.b)})
	}
}
