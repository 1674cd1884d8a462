package isolate

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// What a frozen snapshot holds of WebAssembly: the modules, which a thawed version has from nowhere
// else, and the instances' states.
//
//	count │ name │ source │ … │ memories and states as JSON      each with its length in front
type frozenStates struct {
	Memories []stretch
	States   []nestedState
}

// appendFrozen appends it, or a count of 0.
func (s *nestedImage) appendFrozen(b []byte) []byte {
	if s == nil {
		return binary.AppendUvarint(b, 0)
	}
	part := func(p []byte) { b = append(binary.AppendUvarint(b, uint64(len(p))), p...) }
	b = binary.AppendUvarint(b, uint64(len(s.modules)))
	for _, m := range s.modules {
		part([]byte(m.name))
		part(m.source)
	}
	states, err := json.Marshal(frozenStates{s.memories, s.states})
	if err != nil {
		panic("BUG: the states of WebAssembly instances: " + err.Error())
	}
	part(states)
	return b
}

// part reads a length and that many bytes, which are the caller's.
func (r *frozenReader) part() []byte { return slices.Clone(r.take(int(r.number(uint64(len(r.b)))))) }

// thawNested reads what appendFrozen wrote and compiles the modules, or finds their native code.
func (p *Pool) thawNested(ctx context.Context, r *frozenReader) (*nestedImage, error) {
	count := int(r.number(uint64(len(r.b))))
	if r.bad || count == 0 && len(r.b) > 0 {
		return nil, ErrStale
	}
	if count == 0 {
		return nil, nil
	}
	var s Spec
	for range count {
		s.Modules = append(s.Modules, Module{Name: string(r.part()), Kind: ModuleWasm, Source: r.part()})
	}
	var states frozenStates
	if err := json.NewDecoder(bytes.NewReader(r.part())).Decode(&states); err != nil || r.bad || len(r.b) > 0 {
		return nil, ErrStale
	}
	modules, err := p.compileNested(ctx, &s)
	if err != nil {
		return nil, err
	}
	p.onClose = func() { closeNested(modules) }
	return &nestedImage{modules: modules, memories: states.Memories, states: states.States}, nil
}
