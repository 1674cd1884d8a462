package wasm

import "fmt"

// Error says what is wrong with a binary, and where. Every module that Rewrite refuses is
// refused with one.
type Error struct {
	Offset int    // of the offending byte from the start of the binary
	Msg    string // names the construct or the limit
	Err    error  // why an import was refused; else nil
}

func (e *Error) Error() string {
	return fmt.Sprintf("wasm module at byte %d: %s", e.Offset, e.Msg)
}

func (e *Error) Unwrap() error { return e.Err }
