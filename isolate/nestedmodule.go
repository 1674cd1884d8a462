package isolate

import (
	"context"
	"encoding/json"
	"fmt"

	"switchyard/isolate/wasm"
)

// nestedModule is a wasm module that a JavaScript Worker imports: compiled so that its instances live
// in the memory of the Worker's isolate.
type nestedModule struct {
	*module
	name   string // as imported
	source []byte
}

// nestedRules are what a relocated module may import. What the original imports, JavaScript provides.
// The name has the version of wasm.Relocate, since native code is kept under it.
var nestedRules = importRules{name: "nested1", nested: true, may: func(module, name string, _, _ []byte) error {
	if module != wasm.NestedModule {
		return fmt.Errorf("BUG: a relocated module imports it")
	}
	return nil
}}

// compileNested compiles the modules of a version that JavaScript can import.
func (p *Pool) compileNested(ctx context.Context, s *Spec) (modules []*nestedModule, err error) {
	for i := range s.Modules {
		m := &s.Modules[i]
		if m.Kind != ModuleWasm {
			continue
		}
		n := &nestedModule{name: m.Name, source: m.Source}
		if n.module, err = p.rt.compile(ctx, m.Source, p.rt.options.Memory, guestDepth, nestedRules); err != nil {
			closeNested(modules)
			return nil, compileError(m.Name, fmt.Errorf("CompileError: %w", err))
		}
		modules = append(modules, n)
	}
	return modules, nil
}

func closeNested(modules []*nestedModule) {
	for _, m := range modules {
		m.close()
	}
}

// description is what the prelude makes a WebAssembly.Module of.
type description struct {
	ID      int           `json:"id"`
	Imports []wasm.Extern `json:"imports"`
	Exports []wasm.Extern `json:"exports"`
	Memory  *wasm.Extern  `json:"memory"`
	Tables  []wasm.Extern `json:"tables"`
	Cells   []uint32      `json:"cells"`
	Types   []string      `json:"types"`   // of entries
	Entries []uint32      `json:"entries"` // functions that may be in tables
	Custom  []customJSON  `json:"custom"`
}

type customJSON struct {
	Name   string `json:"name"`
	Length int    `json:"length"`
}

// describe is the module's description as JSON; id is its place among the version's.
func (m *nestedModule) describe(id int) []byte {
	re := m.relocated
	d := description{ID: id, Imports: re.Imports, Exports: re.Exports, Memory: re.Memory, Tables: re.Tables, Cells: re.Cells, Types: re.Types, Entries: re.Entries}
	for _, c := range re.Custom {
		d.Custom = append(d.Custom, customJSON{c.Name, len(c.Bytes)})
	}
	b, err := json.Marshal(d)
	if err != nil {
		panic("BUG: a module's description: " + err.Error())
	}
	return b
}
