package wasm

import "slices"

// The host functions that a rewritten module imports, both without parameters and results.
const (
	MeterModule = "switchyard:meter"
	MeterYield  = "yield" // fuel is below zero: refill it, or end the guest by a panic
	MeterDeep   = "deep"  // frames would pass the limit: add to Depth, or end the guest by a panic
)

// Version is of what Rewrite makes of a binary: who keeps a Rewritten must not use it when this has
// changed. A test compares what comes out with what did.
const Version = 2

// MinRefill is the least fuel that yield may leave: a guest that cannot pay for the next piece
// of its code yields again, without end.
const MinRefill = chargeCap

// Prefix starts the names of all exports that rewriting adds. A guest may not use it.
const Prefix = "switchyard:"

// Options say what a rewritten module may use.
type Options struct {
	MaxPages uint32 // ceiling of the memory in 64 KiB pages, at most 65,536
	MaxDepth uint32 // bytes of frames, which may really take half as many more, before the call to deep. Default 1 MiB
	Limits   Limits // bounds of the binary; the zero value means the defaults
	Landlord bool   // the memory is another's: LandlordMemory of LandlordModule is imported in place of its own; see Relocate

	// MayImport decides on each imported function, given value type bytes. An error refuses
	// the module. Default: every import is refused.
	MayImport func(module, name string, params, results []byte) error
}

// Rewritten is a module that can be metered, stopped, snapshotted and reset, and what the
// host has to know to do so. Its byte slices may alias the original binary.
type Rewritten struct {
	Binary      []byte
	MemoryPages uint32    // size of the memory, minimum and maximum alike; 0 when there is none
	Fuel        string    // exported i64 global: fuel left. The host refills it
	Depth       string    // exported i32 global: bytes of frames that are left before the call to deep; MaxDepth at first
	Pages       string    // exported i32 global: size of the memory as the guest sees it, in pages; "" without memory
	Dirty       string    // exported i32 global: not 0 once state changed that a reset cannot restore; "" when none can
	Globals     []string  // exported mutable globals that a reset must restore, Depth and Pages among them
	Start       string    // exported start function, which instantiation no longer runs; "" when there is none
	Data        []Segment // active data segments, in the order they apply; all lie inside the first Pages
	Imports     []Import  // functions to be satisfied, besides the two of MeterModule
	Exports     []Export  // the guest's own
	Frames      []uint32  // bytes that the depth limit counts for a frame of each function that the guest defines
}

// Segment is bytes to be copied into memory before anything runs.
type Segment struct {
	Offset uint32
	Bytes  []byte
}

// Import is a function that the guest imports, with value type bytes.
type Import struct {
	Module, Name    string
	Params, Results []byte
}

// Kinds of exports.
const (
	KindFunction byte = 0
	KindTable    byte = 1
	KindMemory   byte = 2
	KindGlobal   byte = 3
)

// Export is what the guest exports. Params and Results are value type bytes of a function.
type Export struct {
	Name            string
	Kind            byte
	Params, Results []byte
}

// Rewrite decodes binary, checks it against the limits, and rewrites it. Every error is an
// *Error. What it accepts may still fail to validate in the engine: operand types are not
// checked here.
func Rewrite(binary []byte, o Options) (*Rewritten, error) {
	m, err := decode(binary, &o)
	if err != nil {
		return nil, err
	}
	functions, uses, err := scan(m)
	if err != nil {
		return nil, err
	}
	g := newGraph(m, functions)
	g.measure(o.depth())
	if err := g.boundCharges(); err != nil {
		return nil, err
	}
	return emit(m, functions, uses), nil
}

func emit(m *module, functions []function, u *uses) *Rewritten {
	u.deep = slices.ContainsFunc(functions, func(f function) bool { return f.deep })
	p := newPlan(m, u)
	o := &output{plan: p, m: m, re: new(Rewritten), b: []byte(header)}
	for i := range functions {
		if f := &functions[i]; f.deep {
			p.blockType(f.typ) // adds types before they are written
		}
	}
	o.types()
	o.imports()
	o.functions()
	o.tables()
	o.memory()
	o.globals()
	o.exports()
	o.elements()
	o.dataCount()
	o.code(functions)
	o.data()
	o.names()
	o.re.Binary = o.b
	return o.re
}
