package wasm

import "slices"

// plan decides what is added and describes the module for JavaScript.
func (t *tenant) plan() {
	re := t.re
	re.Imports, re.Start = t.externs, t.start
	t.cells = make([]bool, len(t.globals))
	for i := range t.importedGlobals {
		t.cells[i] = t.globals[i].mutable
	}
	for _, e := range t.exports {
		re.Exports = append(re.Exports, t.exportedExtern(e))
		switch {
		case e.kind == KindFunction:
			t.address(e.index)
		case e.kind == KindGlobal && t.globals[e.index].mutable && t.globals[e.index].resettable():
			t.cells[e.index] = true
		}
	}
	for i := t.importedGlobals; i < len(t.cells); i++ {
		if t.cells[i] {
			re.Cells = append(re.Cells, uint32(i))
		}
	}
	if t.start != noFunction {
		t.address(t.start)
	}
	for f := range t.addressed {
		re.Entries = append(re.Entries, f)
	}
	slices.Sort(re.Entries)
	re.Refs = slices.Clone(re.Entries)
	for i := range t.segments {
		t.segments[i].ref = len(re.Refs)
		re.Refs = append(re.Refs, t.segments[i].refs()...)
	}
	for _, f := range re.Entries {
		re.Types = append(re.Types, t.typeOf(f).letters())
	}
	if t.memory != nil {
		re.Memory = &Extern{Kind: KindMemory, Min: t.memory.min, Max: t.memory.ceiling()}
	}
	for i, b := range t.tables {
		re.Tables = append(re.Tables, Extern{Kind: KindTable, Index: uint32(i), Type: typeLetters([]byte{b.elem}), Min: b.min, Max: b.ceiling()})
	}
	n := uint32(len(t.globals))
	t.base, t.size, t.io, t.lost = n, n+1, n+2, n+3
}

// refs are the functions of a segment that is applied from the table of all references.
func (e *elements) refs() (refs []uint32) {
	if !e.copied() {
		return nil
	}
	for _, item := range e.items {
		if item.op != opRefFunc {
			item.index = noFunction
		}
		refs = append(refs, item.index)
	}
	return refs
}

func (e *elements) copied() bool { return e.active && e.typ == typeFuncref }

func (t *tenant) exportedExtern(e exported) Extern {
	x := Extern{Name: e.name, Kind: e.kind, Index: e.index}
	switch e.kind {
	case KindFunction:
		x.Type = t.typeOf(e.index).letters()
	case KindGlobal:
		g := t.globals[e.index]
		x.Type, x.Mutable = typeLetters([]byte{g.typ}), g.mutable
	case KindMemory:
		x.Min, x.Max = t.memory.min, t.memory.ceiling()
	case KindTable:
		b := t.tables[e.index]
		x.Type, x.Min, x.Max = typeLetters([]byte{b.elem}), b.min, b.ceiling()
	}
	return x
}

// typeFor is the index of an added type.
func (t *tenant) typeFor(params, results []byte) uint32 {
	key := funcType{params, results}.key()
	if i, ok := t.typeAt[key]; ok {
		return i
	}
	if t.typeAt == nil {
		t.typeAt = map[string]uint32{}
	}
	b := append(appendU32([]byte{typeFunction}, uint32(len(params))), params...)
	b = append(appendU32(b, uint32(len(results))), results...)
	i := uint32(len(t.types) + len(t.added))
	t.added = append(t.added, b)
	t.typeAt[key] = i
	return i
}

// addHelper adds a function and returns its index. body is without its end.
func (t *tenant) addHelper(name string, exported bool, params, results, body []byte) uint32 {
	i := nHosts + uint32(t.nFunctions()+len(t.helpers))
	t.helpers = append(t.helpers, helper{name, exported, t.typeFor(params, results), append(body, byte(opEnd))})
	if t.helperAt == nil {
		t.helperAt = map[string]uint32{}
	}
	t.helperAt[name] = i
	return i
}
