package wasm

import "strconv"

// A relocated module lives in the memory of another, its landlord: JavaScript's engine. It is
// what WebAssembly.Instance is made of. Its own memory becomes a stretch of the landlord's:
//
//	landlord's memory   0 ─────────── base ─────────── base+size ─────────
//	                                  │ 0 … guest's memory … size │
//
// Every access is checked against size and moved by base, both globals that the host sets. An
// access that is out of bounds goes to address -1 instead, where the engine traps.
//
// Nothing of the guest's imports and exports is left; all of that goes through the host:
//
//   - A function that it imports becomes a stub, which writes the arguments to the buffer at io,
//     calls the host with the import's number, and reads the results there.
//   - A function that it exports, or whose address it takes, has an entry, (pointer)→(), which
//     reads the arguments at the pointer and writes the results there: 8 bytes each.
//   - A mutable global that is imported or exported is a cell in the landlord's memory.
//
// Functions: the host's │ a stub for each import │ guest's own │ entries and helpers. So the index of
// each of the guest's functions moves by the number of the host's.

// NestedModule is what a relocated module imports its host functions from.
const NestedModule = "switchyard:nested"

// LandlordModule is what it imports its memory from, once it has been rewritten.
const (
	LandlordModule = "switchyard:landlord"
	LandlordMemory = "memory"
)

// The host functions, in the order of their indices.
const (
	NestedCall = "call" // (import number): arguments and results are at io
	NestedGrow = "grow" // memory.grow: (pages) → old size, or -1
	NestedKeep = "keep" // (externref) → its 64 bits
	NestedGive = "give" // the reverse
	NestedName = "name" // (funcref) → what JavaScript calls it by
	NestedFind = "find" // the reverse
	nHosts     = 6
)

// Exports of a relocated module, besides the numbered ones.
const (
	RelocatedBase   = "base"   // i32 global: where the guest's memory begins
	RelocatedSize   = "size"   // i64 global: its bytes
	RelocatedIO     = "io"     // i32 global: buffer for arguments of imports
	RelocatedLost   = "lost"   // i32 global: not 0 once a global was set that the host cannot read
	RelocatedTables = "tables" // function: applies the element segments, and what imported globals initialise
	RelocatedData   = "data"   // function: applies the data segments and the initial values of Cells
	RelocatedRef    = "ref"    // function: (position in Refs) → funcref
)

// EntryName is the export that enters function index; GlobalName is the global of that index, or
// the address of its cell.
func EntryName(index uint32) string  { return "f" + strconv.Itoa(int(index)) }
func GlobalName(index uint32) string { return "g" + strconv.Itoa(int(index)) }

// TableNames are the exports that work on a table, entries of functions: get (i)→ref, set (i, ref),
// size ()→n, grow (ref, n)→old size or -1.
func TableNames(table int) (get, set, size, grow string) {
	n := strconv.Itoa(table)
	return "tg" + n, "ts" + n, "tz" + n, "tw" + n
}

// Relocated is a relocated module, to be rewritten with Options.Landlord, and what JavaScript can
// know of the original.
type Relocated struct {
	Binary  []byte
	Imports []Extern
	Exports []Extern
	Memory  *Extern  // its own or imported; nil without
	Start   uint32   // function that runs once data and tables are there; NoFunction without
	Entries []uint32 // functions that have one, in order
	Types   []string // of each of Entries, as Extern.Type
	Refs    []uint32 // what RelocatedRef returns: Entries, then what active element segments hold; NoFunction for null
	Tables  []Extern
	Cells   []uint32 // its own globals that are cells
	Custom  []Custom
}

// NoFunction is no function's index.
const NoFunction = noFunction

// Extern is an import or export.
type Extern struct {
	Module  string `json:"module,omitempty"`
	Name    string `json:"name"`
	Kind    byte   `json:"kind"`
	Index   uint32 `json:"index"`
	Type    string `json:"type,omitempty"`    // function: letters of its parameters, ">", of its results; global, table: one letter
	Mutable bool   `json:"mutable,omitempty"` // global
	Min     uint32 `json:"min,omitempty"`     // memory, table
	Max     *int64 `json:"max,omitempty"`
}

// Custom is a custom section.
type Custom struct {
	Name  string
	Bytes []byte
}

// letters name value types in Extern.Type: i i32, I i64, f f32, F f64, v v128, x externref, r funcref.
var letters = map[byte]byte{typeI32: 'i', typeI64: 'I', typeF32: 'f', typeF64: 'F', typeV128: 'v', typeExternref: 'x', typeFuncref: 'r'}

func typeLetters(types []byte) string {
	b := make([]byte, len(types))
	for i, t := range types {
		b[i] = letters[t]
	}
	return string(b)
}

func (t funcType) letters() string { return typeLetters(t.params) + ">" + typeLetters(t.results) }

func (l limits) ceiling() *int64 {
	if !l.hasMax {
		return nil
	}
	n := int64(l.max)
	return &n
}

// Relocate prepares a module for a life in another's memory, of landlord pages. Every error is an
// *Error. Like Rewrite it does not check operand types.
func Relocate(binary []byte, landlord uint32, l Limits) (*Relocated, error) {
	o := &Options{MaxPages: maxPages, Limits: l}
	t := &tenant{module: module{binary: binary, o: o, limits: l.withDefaults(), start: noFunction}, landlord: landlord}
	if err := t.decode(); err != nil {
		return nil, err
	}
	t.plan()
	if err := t.emit(); err != nil {
		return nil, err
	}
	return t.re, nil
}

// tenant is a module that is being relocated. Its index spaces begin with what it imports.
type tenant struct {
	module
	landlord uint32
	re       *Relocated

	externs         []Extern // imports
	importedGlobals int
	ownMemory       bool
	initials        []constantExpression // of globals; imported ones have none
	segments        []elements
	offsets         []constantExpression // of data segments
	cells           []bool               // globals that are cells
	addressed       map[uint32]bool      // functions that need an entry

	added    [][]byte // types
	typeAt   map[string]uint32
	helpers  []helper
	helperAt map[string]uint32 // name → function index
	base     uint32            // global indices
	size     uint32
	io       uint32
	lost     uint32
}

func (t *tenant) address(function uint32) {
	if t.addressed == nil {
		t.addressed = map[uint32]bool{}
	}
	t.addressed[function] = true
}

// helper is a function that relocation adds.
type helper struct {
	name     string
	exported bool
	typ      uint32
	body     []byte // locals, instructions, end
}

// constantExpression is an initial value or an offset.
type constantExpression struct {
	op    opcode
	index uint32 // of global.get and ref.func
	at    span   // all of it, without its end
}

// elements is an element segment.
type elements struct {
	active, declared bool
	table            uint32
	offset           constantExpression
	typ              byte
	items            []constantExpression
	ref              int // position of the first item in Relocated.Refs
}
