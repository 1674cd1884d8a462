package wasm

// The sections that define functions, tables, memory and globals.

func (m *module) typeSection(r *reader) {
	n := r.count("types", "Types", m.limits.Types)
	m.types = make([]funcType, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		m.types = append(m.types, r.functionType(m.limits.Params))
	}
	m.canon = canonicalTypes(m.types)
}

func (m *module) functionSection(r *reader) {
	n := r.count("functions", "Functions", max(0, m.limits.Functions-len(m.imports)))
	m.functions = make([]uint32, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		m.functions = append(m.functions, m.typeIndex(r))
	}
}

func (m *module) tableSection(r *reader) {
	n, total := r.count("tables", "Tables", m.limits.Tables), int64(0)
	for i := 0; i < n && r.err == nil; i++ {
		at := r.p
		if r.more() && r.b[at] == typeEmpty {
			r.fail(at, "a table with an initial value (function references) is not supported")
		}
		elem := r.referenceType()
		at = r.p
		l := r.limits("table")
		if total += int64(l.min); total > int64(m.limits.TableSize) {
			r.fail(at, "%d elements of tables exceed the limit TableSize of %d", total, m.limits.TableSize)
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
