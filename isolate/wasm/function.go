package wasm

// function is what is known of one defined function. The scan fills the upper part, the call
// graph and the cost analysis the lower.
type function struct {
	typ      uint32
	body     span     // locals and instructions
	code     int      // offset of the first instruction
	frame    int64    // bytes; see frame.go
	edges    []uint32 // of the call graph
	cut      bool     // breaks the cycles of the call graph that it is on
	entry    bool     // charges fuel on entry
	deep     bool     // counts its frames
	charges  []charge // in order of offset; the first is the entry's
	weight   int32    // fuel: longest path without a charge; 0 if it charges on entry
	chain    int64    // see depth.go
	reach    int64
	progress int8 // of the walk over the call graph
}

// uses says what emission has to provide because some function needs it.
type uses struct {
	grow, fill, copy, charge bool
	dirty                    bool
	deep                     bool             // some function counts its frames
	segments                 bool             // memory.init or data.drop: data segments keep their indices
	init                     []uint32         // data segments that memory.init names, as found
	initHelper               map[uint32]int32 // position in init
}
