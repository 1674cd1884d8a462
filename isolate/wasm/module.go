package wasm

import "fmt"

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
	taken       functionSet // whose address is taken
	exported    functionSet
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

// functionSet is a set of functions that exist.
type functionSet []bool

func (s functionSet) has(function uint32) bool { return s != nil && s[function] }

func (m *module) add(s *functionSet, function uint32) {
	if *s == nil {
		*s = make(functionSet, m.nFunctions())
	}
	(*s)[function] = true
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
