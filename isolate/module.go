package isolate

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"

	"switchyard/isolate/wasm"
)

// module is compiled guest code: rewritten so that it can be metered, snapshotted and cloned.
// It is shared by every isolate of a version and runs nothing itself.
type module struct {
	rt        *Runtime
	compiled  wazero.CompiledModule
	rewritten *wasm.Rewritten
}

const (
	// engineDepth is the frame limit of the JavaScript engine: below 6 MiB its own RangeError
	// never comes and an ordinary stack overflow kills the isolate.
	engineDepth = 8 << 20
	guestDepth  = 1 << 20
	wasmPage    = 64 << 10
	defaultHeap = 128 << 20
	maxMemory   = 4 << 30
)

// mayImport decides what a module may import.
type mayImport func(module, name string, params, results []byte) error

// compile rewrites and compiles binary with a memory of at most maxMemory bytes. The error
// names what is wrong with the binary.
func (rt *Runtime) compile(ctx context.Context, binary []byte, maxMemory int64, depth uint32, may mayImport) (*module, error) {
	re, err := wasm.Rewrite(binary, wasm.Options{
		MaxPages: uint32((maxMemory + wasmPage - 1) / wasmPage), MaxDepth: depth, MayImport: may,
	})
	if err != nil {
		return nil, err
	}
	if re.MemoryPages == 0 {
		return nil, errors.New("wasm module has no memory of its own")
	}
	rt.compiling.Lock()
	defer rt.compiling.Unlock()
	compiled, err := rt.wazero.CompileModule(compileContext(ctx), re.Binary)
	if err != nil {
		return nil, fmt.Errorf("wasm module does not validate: %w", err)
	}
	re.Binary = nil // wazero has it
	return &module{rt: rt, compiled: compiled, rewritten: re}, nil
}

func (m *module) close() { m.compiled.Close(context.Background()) }
