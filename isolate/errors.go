package isolate

import (
	"context"
	"errors"
)

// A guest's fault is one of these values. Their messages are what a dispatch Worker sees in
// the exception it may catch, so scripts depend on the words.
var (
	ErrCPULimit     = errors.New("Worker exceeded CPU time limit.")
	ErrWallLimit    = errors.New("Worker exceeded wall time limit.")
	ErrMemoryLimit  = errors.New("Worker exceeded memory limit.")
	ErrSubrequests  = errors.New("Too many subrequests.")
	ErrStack        = errors.New("Worker exceeded its stack: too deep recursion.")
	ErrTrap         = errors.New("Worker trapped")                                        // wrapped with the trap's name
	ErrReset        = errors.New("isolate was reset")                                     // a co-resident call was killed
	ErrNoResponse   = errors.New("The script will never generate a response.")            // every promise is idle
	ErrBusy         = errors.New("Too many concurrent requests for this Worker.")         // every isolate of the pool is taken
	ErrNoRoom       = errors.New("This server has no room for another Worker.")           // for an isolate more: memory, or mappings
	ErrClosed       = errors.New("Worker was replaced or deleted while it was starting.") // pool closed
	ErrCanceled     = errors.New("The client has disconnected.")                          // call's context ended
	ErrBodyTooLarge = errors.New("Body exceeds the configured limit.")                    // a request's

	ErrCompiling        = errors.New("Too many modules are waiting to be compiled.")
	ErrResponseTooLarge = errors.New("Response body exceeds the configured limit.")
)

// Exception is what a guest threw and did not catch.
type Exception struct {
	Message string // e.g. "TypeError: x is not a function"
	Stack   string // "    at f (index.js:3:7)" lines; may be empty
}

func (e *Exception) Error() string { return e.Message }

// StartupError is why a Worker could not be made from an upload: a syntax error, an exception
// at module scope, a limit passed while evaluating, a wasm module that does not validate.
type StartupError struct {
	Module  string // name of the module at fault; may be empty
	Message string // names line and column, or offset, where known
	Stack   string
}

func (e *StartupError) Error() string {
	if e.Module == "" {
		return e.Message
	}
	return e.Module + ": " + e.Message
}

// compileError is why a module was not compiled: its own fault, or nobody's.
func compileError(module string, err error) error {
	for _, other := range []error{ErrCompiling, errCompiler, context.Canceled} {
		if errors.Is(err, other) {
			return err
		}
	}
	return &StartupError{Module: module, Message: err.Error()}
}
