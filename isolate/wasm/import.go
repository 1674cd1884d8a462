package wasm

import "fmt"

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
	mod, name := r.shortName("import module name", m.limits.Name), r.shortName("import name", m.limits.Name)
	kindAt := r.p
	switch kind := r.byte(); kind {
	case KindFunction:
	case KindTable, KindMemory, KindGlobal:
		r.fail(at, "import %.200q %.200q: an imported %s is not supported", mod, name, kindNames[kind])
	case 4:
		r.fail(at, "import %.200q %.200q: an imported tag (exceptions) is not supported", mod, name)
	default:
		r.fail(kindAt, "import kind %d is unknown", kind)
	}
	typ := m.typeIndex(r)
	if r.err != nil {
		return
	}
	if mod == MeterModule {
		r.fail(at, "import %.200q %.200q: the module is reserved", mod, name)
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
		r.fail(at, "import %.200q %.200q: %v", f.module, f.name, err)
		r.err.Err = err
		return
	}
	m.imports = append(m.imports, f)
}

var kindNames = [...]string{KindFunction: "function", KindTable: "table", KindMemory: "memory", KindGlobal: "global"}
