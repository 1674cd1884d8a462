package isolate

import (
	"context"
	"crypto/sha256"

	"github.com/tetratelabs/wazero"

	"switchyard/isolate/wasm"
)

// module is compiled guest code: rewritten so that it can be metered, snapshotted and cloned.
// It runs nothing itself. There is one for equal bytes and rules, shared by all versions that
// have them, and counted:
//
//	compile ──► being made ──► used ──last close──► closed
//	                 └─────────last close─────────► given up
//
// A Pool closes its module when the last call has left it.
type module struct {
	rt     *Runtime
	key    moduleKey
	cancel context.CancelFunc // of its making, which nobody waits for any more

	users int  // under rt.modules
	made  bool // under rt.modules: whoever is the last closes compiled

	done      chan struct{} // closed when what follows is there
	compiled  wazero.CompiledModule
	rewritten *wasm.Rewritten
	relocated *wasm.Relocated // of one that JavaScript instantiates
	err       error
}

// moduleKey is everything that native code depends on but for this build of the program.
type moduleKey struct {
	source [sha256.Size]byte
	rules  string // importRules.name
	memory int64
	depth  uint32
}

const (
	// engineDepth is the frame limit of the JavaScript engine: below 32 MiB its own RangeError
	// never comes and an ordinary stack overflow kills the isolate. Frames of compiled code are
	// counted at about twice their size.
	engineDepth = 40 << 20
	guestDepth  = 1 << 20
	wasmPage    = 64 << 10
	defaultHeap = 128 << 20
	maxMemory   = 4 << 30
)

// importRules decide what a module may import. Rules of one name are the same rules.
type importRules struct {
	name   string
	nested bool // relocate it
	may    func(module, name string, params, results []byte) error
}

// compile returns binary as a module with a memory of at most maxMemory bytes, and counts the
// caller: close gives it back. The error names what is wrong with the binary.
func (rt *Runtime) compile(ctx context.Context, binary []byte, maxMemory int64, depth uint32, rules importRules) (*module, error) {
	m := rt.join(moduleKey{sha256.Sum256(binary), rules.name, maxMemory, depth}, binary, rules)
	select {
	case <-m.done:
	case <-ctx.Done():
		m.close()
		return nil, ctx.Err()
	}
	if m.err != nil {
		m.close()
		return nil, m.err
	}
	return m, nil
}

// join counts one more user of the module, which at the latest now begins to be made.
func (rt *Runtime) join(key moduleKey, binary []byte, rules importRules) *module {
	rt.modules.Lock()
	defer rt.modules.Unlock()
	m := rt.modules.byKey[key]
	if m == nil {
		m = &module{rt: rt, key: key, done: make(chan struct{})}
		rt.modules.byKey[key] = m
		var ctx context.Context
		ctx, m.cancel = context.WithCancel(context.Background())
		rt.modules.making.Go(func() { m.make(ctx, binary, rules) }) // ends by itself, soon after cancel
	}
	m.users++
	return m
}

// close counts one user less.
func (m *module) close() {
	m.rt.modules.Lock()
	m.users--
	last, made := m.users == 0, m.made
	if last {
		delete(m.rt.modules.byKey, m.key) // nobody joins any more
	}
	m.rt.modules.Unlock()
	if last {
		m.cancel()
	}
	if last && made {
		m.free()
	}
}

// make is the goroutine of a module's making.
func (m *module) make(ctx context.Context, binary []byte, rules importRules) {
	if rules.nested {
		m.relocated, m.err = wasm.Relocate(binary, uint32(m.key.memory/wasmPage), wasm.Limits{})
	}
	if m.relocated != nil {
		binary = m.relocated.Binary
		m.relocated.Binary = nil
	}
	if m.err == nil {
		m.rewritten, m.compiled, m.err = m.rt.translate(ctx, m.key, binary, rules)
	}
	if m.rewritten != nil {
		m.rewritten.Binary = nil // wazero has it
	}
	if m.err == nil && m.rewritten.MemoryPages == 0 {
		m.err = errNoMemory
	}
	m.rt.modules.Lock()
	m.made = true
	wanted := m.users > 0
	m.rt.modules.Unlock()
	close(m.done)
	if !wanted {
		m.free()
	}
}

func (m *module) free() {
	if m.compiled != nil {
		m.compiled.Close(context.Background())
	}
}

// translate rewrites binary and finds or makes the native code of the result.
func (rt *Runtime) translate(ctx context.Context, key moduleKey, binary []byte, rules importRules) (*wasm.Rewritten, wazero.CompiledModule, error) {
	if len(binary) > rewriteHere && !rt.codes.compiles.Load() {
		return rt.translateAside(ctx, key, binary, rules)
	}
	re, err := wasm.Rewrite(binary, key.options(rules))
	if err != nil {
		return nil, nil, err
	}
	compiled, err := rt.native(ctx, key, re.Binary)
	return re, compiled, err
}
