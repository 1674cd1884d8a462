package wasm

import "strings"

func (m *module) exportSection(r *reader) {
	n := r.count("exports", "Exports", m.limits.Exports)
	seen := make(map[string]bool, n)
	for i := 0; i < n && r.err == nil; i++ {
		at := r.p
		e := exported{name: r.shortName("export name", m.limits.Name)}
		if strings.HasPrefix(e.name, Prefix) {
			r.fail(at, "export %.200q: names that start with %q are reserved", e.name, Prefix)
		}
		if seen[e.name] {
			r.fail(at, "export %.200q is there twice", e.name)
		}
		seen[e.name] = true
		m.exportOne(r, &e)
		if e.kind == KindFunction && r.err == nil {
			m.add(&m.exported, e.index)
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
		r.fail(at, "export %.200q: %s index %d is out of range: there are %d", e.name, kindNames[e.kind], e.index, n)
	}
}
