package isolate

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"switchyard/isolate/wasm"
)

// Derived keeps what can be made again, by name: native code and what Workers are after their
// start. What it returns was put by this program and is whole, or it is not returned: native
// code is run as it is. Names are of lower-case letters, digits, - and /.
type Derived interface {
	Get(name string) (value []byte, ok bool)
	Put(name string, value []byte)
}

// noDerived keeps nothing.
type noDerived struct{}

func (noDerived) Get(string) ([]byte, bool) { return nil, false }
func (noDerived) Put(string, []byte)        {}

// codeFolder begins the names of native code in a Derived. The module's hash follows, so that
// who knows which modules are in use can tell which code is:
//
//	code/SHA-256 of the module as uploaded-what else its rewriting depends on
const codeFolder = "code/"

func (k *moduleKey) name() string {
	return fmt.Sprintf("%s%x-%s-%x-%x", codeFolder, k.source, k.rules, k.memory, k.depth)
}

// wholeName is that of the code with the rewritten module, which must be of this rewriter: code
// alone is called by what the rewritten module hashes to.
func (k *moduleKey) wholeName() string { return fmt.Sprintf("%s-%d", k.name(), wasm.Version) }

// CodeOf returns the hexadecimal SHA-256 of the module that a name in a Derived is the native
// code of; false when the name is of something else.
func CodeOf(name string) (hash string, ok bool) {
	rest, ok := strings.CutPrefix(name, codeFolder)
	hash, _, _ = strings.Cut(rest, "-")
	return hash, ok && len(hash) == 2*len(moduleKey{}.source)
}

// Runs reports whether a module whose native code has this name in the Derived is in use.
func (rt *Runtime) Runs(name string) bool {
	rt.modules.Lock()
	defer rt.modules.Unlock()
	for key := range rt.modules.byKey {
		if key.name() == name || key.wholeName() == name {
			return true
		}
	}
	return false
}

// native returns a rewritten module with its native code: what is kept, if it was made of these
// bytes by this version of wazero for this CPU; else made now, and kept.
func (rt *Runtime) native(ctx context.Context, key moduleKey, rewritten []byte) (wazero.CompiledModule, error) {
	name := key.name()
	if code, ok := rt.options.Derived.Get(name); ok {
		if c, err := rt.load(rewritten, code); err == nil {
			return c, nil
		}
	}
	var c wazero.CompiledModule
	var code nativeCode
	var err error
	if rt.codes.compiles.Load() {
		c, code, err = rt.compileHere(rewritten)
	} else {
		c, code, err = rt.compileAside(ctx, rewritten)
	}
	if err == nil && code != nil {
		rt.options.Derived.Put(name, code)
	}
	return c, err
}

// load makes a module whose native code is there already.
func (rt *Runtime) load(rewritten []byte, code nativeCode) (wazero.CompiledModule, error) {
	withdraw := rt.codes.offer(code)
	defer withdraw()
	return rt.wazero.CompileModule(context.Background(), rewritten)
}

// compileHere compiles a module in this process, one at a time: it uses every processor already.
func (rt *Runtime) compileHere(rewritten []byte) (wazero.CompiledModule, nativeCode, error) {
	rt.compiling.Lock()
	defer rt.compiling.Unlock()
	c, err := rt.wazero.CompileModule(compileContext(), rewritten)
	if err != nil {
		err = fmt.Errorf("wasm module does not validate: %w", err)
	}
	return c, rt.codes.take(), err
}

// compileContext lets one compilation use every processor.
func compileContext() context.Context {
	return experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
}
