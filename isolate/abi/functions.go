package abi

import "slices"

// Module is the import module of the contract. The number after the slash is the contract's
// version: what changes the meaning of a function becomes switchyard:abi/2 beside this one.
const Module = "switchyard:abi/1"

// Names of a guest's exports.
const (
	ExportMemory     = "memory"
	ExportInitialize = "_initialize"       // optional: () -> (), once, before the snapshot
	ExportHandle     = "handle"            // (req i32) -> (), once a request
	ExportReseed     = "switchyard_reseed" // optional: () -> (), after every clone and reset
)

// Function is one line of an import table.
//
// Params and Result are written with one letter a value, so that a whole contract can be read
// as a table: i is an i32, I an i64. Result is "" for a function that returns nothing.
type Function struct {
	Name   string
	Params string
	Result string
	Args   string // names of the parameters and, after "->", of the result
}

// Functions is the whole of Module, in the order of ABI.md. A test holds the two together.
var Functions = []Function{
	{"request_head", "iii", "i", "req ptr cap -> len"},
	{"request_body", "i", "i", "req -> body"},
	{"body_read", "iiii", "i", "req body ptr cap -> n"},

	{"response_send", "iiiii", "i", "req head_ptr head_len body_ptr body_len -> code"},
	{"response_start", "iii", "i", "req head_ptr head_len -> stream"},
	{"response_pass", "iiii", "i", "req handle head_ptr head_len -> code"},
	{"throw", "iiii", "i", "req ptr len stack_len -> code"},

	{"stream_new", "i", "i", "req -> stream"},
	{"stream_write", "iiii", "i", "req stream ptr len -> n"},
	{"stream_end", "iii", "i", "req stream failed -> code"},

	{"fetch", "ii", "i", "req block_ptr -> op"},
	{"wait", "iiii", "i", "req ops_ptr count timeout_ms -> index"},
	{"op_response", "ii", "i", "req op -> response"},
	{"op_error", "iiii", "i", "req op ptr cap -> len"},
	{"response_head", "iiii", "i", "req response ptr cap -> len"},
	{"response_body", "ii", "i", "req response -> body"},
	{"response_url", "iiii", "i", "req response ptr cap -> len"},
	{"close", "ii", "i", "req handle -> code"},

	{"env", "iiiii", "i", "req name_ptr name_len ptr cap -> len"},
	{"binding", "iii", "i", "req name_ptr name_len -> binding"},
	{"log", "iiii", "i", "req level ptr len -> code"},
	{"now", "i", "I", "req -> ms"},
	{"random", "iii", "i", "req ptr len -> code"},
}

// exports are the functions a guest may offer to the host. All but handle are optional.
var exports = []Function{
	{ExportHandle, "i", "", "req"},
	{ExportInitialize, "", "", ""},
	{ExportReseed, "", "", ""},
}

// Import finds the function that a guest may import as module and name.
func Import(module, name string) (Function, bool) {
	switch module {
	case Module:
		return find(Functions, name)
	case WASIModule:
		return find(WASIFunctions, name)
	}
	return Function{}, false
}

// Export finds the signature that a guest's export must have, if the host would call it.
func Export(name string) (Function, bool) { return find(exports, name) }

func find(table []Function, name string) (Function, bool) {
	i := slices.IndexFunc(table, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return Function{}, false
	}
	return table[i], true
}

// Value types as the wasm binary format writes them.
const (
	I32 byte = 0x7f
	I64 byte = 0x7e
)

// Type returns the signature as value types of the wasm binary format.
func (f Function) Type() (params, results []byte) {
	return valueTypes(f.Params), valueTypes(f.Result)
}

// Matches reports whether a guest declared f with this signature.
func (f Function) Matches(params, results []byte) bool {
	p, r := f.Type()
	return slices.Equal(p, params) && slices.Equal(r, results)
}

// Signature is the signature as the wasm text format writes it, for messages.
func (f Function) Signature() string {
	return "(" + textTypes(f.Params) + ") -> (" + textTypes(f.Result) + ")"
}

func valueTypes(letters string) []byte {
	types := make([]byte, len(letters))
	for i := range letters {
		types[i] = I32
		if letters[i] == 'I' {
			types[i] = I64
		}
	}
	return types
}

func textTypes(letters string) string {
	var text []byte
	for i := range letters {
		if i > 0 {
			text = append(text, ' ')
		}
		if letters[i] == 'I' {
			text = append(text, "i64"...)
		} else {
			text = append(text, "i32"...)
		}
	}
	return string(text)
}
