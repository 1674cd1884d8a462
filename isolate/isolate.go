package isolate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Isolate is one running instance of a module: its memory, its globals, and one cached handle
// of the function it is entered by. One goroutine at a time runs in it.
//
// An isolate whose guest trapped, was killed, panicked in the host or was abandoned is dead:
// it is discarded, never entered again.
type Isolate struct {
	module   *module
	instance api.Module
	memory   *memory
	globals  []api.MutableGlobal // what a reset restores
	fuel     api.MutableGlobal
	left     api.MutableGlobal // bytes of frames before the guest calls deep
	depth    uint32            // what was left when nothing ran
	shared   bool              // it has a token of Runtime.deep
	pages    api.MutableGlobal // virtual memory size
	dirty    api.MutableGlobal // set when tables or segments changed: such an isolate cannot be reset
	entry    api.Function
	name     string       // of entry
	reseed   api.Function // wasm: what makes clones differ; nil when there is none
	stack    [4]uint64
	ctx      context.Context
	meter    meter
	io       uint32 // JavaScript: address of the I/O buffer
	from     *snapshot
	cost     int64      // bytes, as the warm set reckons
	names    *nameCache // nil until the guest dispatches
	nest     *nest      // nil until the guest uses WebAssembly

	log guestOutput

	turn  sync.Mutex // held by the goroutine that runs in it; guards what is above
	dead  bool       // its state is unknown; also under turn
	calls []*Call    // that live in it, under turn
	ids   uint32     // of the last call

	// Of a joint isolate, under the pool's mutex; else its only call's.
	joint bool // several calls may be in it
	seats int  // calls that have a seat, while it is joint
}

// isolateContext carries the isolate to host functions. wazero asks for one value on every
// call; answering nil at once keeps a call at 15 ns.
type isolateContext struct {
	context.Context
	is     *Isolate
	nested *nestedInstance // that runs; nil while the isolate's own module does
}

func (c *isolateContext) Value(any) any { return nil }

func isolateOf(ctx context.Context) *Isolate { return ctx.(*isolateContext).is }

// newIsolate instantiates m, from s when it is not nil. Without a snapshot the data segments
// are in place but nothing has run.
func (rt *Runtime) newIsolate(m *module, s *snapshot, entry string) (*Isolate, error) {
	is := &Isolate{module: m, from: s}
	is.ctx = &isolateContext{context.Background(), is, nil}
	is.meter.watch = rt.options.slice
	if err := rt.warm.admit(is, s); err != nil {
		return nil, err
	}
	if err := is.instantiate(rt, s); err != nil {
		rt.warm.leave(is)
		return nil, err
	}
	re := m.rewritten
	is.fuel = is.global(re.Fuel)
	is.left, is.depth = is.global(re.Depth), m.key.depth
	is.setDepth(min(depthKept, m.key.depth))
	is.pages = is.global(re.Pages)
	is.dirty = is.global(re.Dirty)
	for _, name := range re.Globals {
		is.globals = append(is.globals, is.global(name))
	}
	if entry != "" {
		is.name = entry
		if is.entry = is.instance.ExportedFunction(entry); is.entry == nil {
			is.close()
			return nil, fmt.Errorf("wasm module does not export the function %q", entry)
		}
	}
	if s == nil {
		return is, is.load()
	}
	is.io = s.io
	is.restoreGlobals()
	return is, nil
}

func (is *Isolate) instantiate(rt *Runtime, s *snapshot) error {
	var im *image
	if s != nil {
		im = s.image
	}
	var failed error
	allocator := experimental.MemoryAllocatorFunc(func(_, max uint64) experimental.LinearMemory {
		m, err := newMemory(int(max), im, rt.reset)
		if err != nil { // wazero has no error for this: give it something to fail on
			failed = err
			return emptyMemory{}
		}
		is.memory = m
		return lastingMemory{m}
	})
	// Anonymous, so that no tenant can name another; its own randomness source, or every
	// instantiation seeds one for 8 µs; no start functions: the snapshot has run them.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(guestEntropy{is}).
		WithWalltime(is.walltime, 1_000_000).WithNanotime(is.nanotime, 1_000_000)
	ctx := experimental.WithMemoryAllocator(context.Background(), allocator)
	instance, err := rt.wazero.InstantiateModule(ctx, is.module.compiled, config)
	if failed != nil {
		err = failed
	}
	if err != nil {
		if is.memory != nil {
			is.memory.Free()
		}
		return fmt.Errorf("instantiate: %w", err)
	}
	is.instance = instance
	is.log.is = is
	return nil
}

// lastingMemory is memory that the isolate frees itself: wazero would when the first of the instances
// that use it is closed.
type lastingMemory struct{ experimental.LinearMemory }

func (lastingMemory) Free() {}

// emptyMemory stands in for a reservation that the kernel refused.
type emptyMemory struct{}

func (emptyMemory) Reallocate(uint64) []byte { return nil }
func (emptyMemory) Free()                    {}

func (is *Isolate) global(name string) api.MutableGlobal {
	if name == "" {
		return nil
	}
	g, ok := is.instance.ExportedGlobal(name).(api.MutableGlobal)
	if !ok {
		panic("BUG: rewritten module lacks the mutable global " + name)
	}
	return g
}

// load copies the active data segments, as instantiation would have done.
func (is *Isolate) load() error {
	for _, d := range is.module.rewritten.Data {
		if uint64(d.Offset)+uint64(len(d.Bytes)) > uint64(is.size()) {
			is.close()
			return fmt.Errorf("data segment at %d with %d bytes is out of bounds of memory", d.Offset, len(d.Bytes))
		}
		copy(is.memory.bytes[d.Offset:], d.Bytes)
	}
	return nil
}

// fatGrowth is the memory that a guest may take beyond its snapshot and be kept: what one
// greedy request made of an isolate would else be held for ever.
const fatGrowth = 32 << 20

// fat says that the guest has grown too much to be kept. A guest's memory never shrinks.
func (is *Isolate) fat() bool {
	return is.from != nil && (is.size() > is.from.image.size+fatGrowth || is.nest.worn())
}

// size is the guest's memory size in bytes as it sees it.
func (is *Isolate) size() int {
	if is.pages == nil {
		return len(is.memory.bytes)
	}
	return int(uint32(is.pages.Get())) * wasmPage
}

func (is *Isolate) restoreGlobals() {
	for i, g := range is.globals {
		g.Set(is.from.globals[i])
	}
}

// reset makes the isolate equal its snapshot again. It fails when the guest changed a table, or the
// kernel does not answer: then the isolate must be discarded.
func (is *Isolate) reset() error { return is.restore(is.from) }

func (is *Isolate) restore(s *snapshot) error {
	if is.dirty != nil && is.dirty.Get() != 0 {
		return errors.New("tables were changed")
	}
	if _, err := is.memory.become(s.image); err != nil {
		return err
	}
	is.from, is.io = s, s.io
	is.restoreGlobals()
	is.nest.close()
	is.nest = nil
	return nil
}

// become makes an isolate at rest a clone of s, another snapshot of its module, whoever's it was:
// nothing of that is left, in the guest or in what the host keeps for it.
func (is *Isolate) become(s *snapshot) error {
	if is.module != s.module || is.dead || len(is.calls) > 0 {
		panic("BUG: an isolate that is not at rest, or of another module, is to be re-skinned")
	}
	if err := is.restore(s); err != nil {
		return err
	}
	is.names, is.log.line, is.stack, is.ids = nil, nil, [4]uint64{}, 0
	is.module.rt.warm.recost(is, s)
	return nil
}

// nextID numbers the calls of the isolate; 0 is module scope.
func (is *Isolate) nextID() uint32 {
	if is.ids++; is.ids == 0 {
		is.ids = 1
	}
	return is.ids
}

// close gives memory and instance back.
func (is *Isolate) close() {
	is.dead = true
	is.nest.close()
	is.nest = nil
	is.entry, is.reseed = nil, nil // who still knows the isolate must not keep its stacks
	if is.instance != nil {
		is.instance.Close(context.Background())
		is.instance = nil
		is.memory.Free()
		is.module.rt.warm.leave(is)
	}
}

// enter runs the entry function for c with up to four arguments, in the isolate's turn. A
// non-nil error means that the guest's state is unknown: the isolate is dead.
func (is *Isolate) enter(c *Call, a0, a1, a2, a3 uint32) (int32, error) {
	if is.dead {
		return 0, ErrReset
	}
	is.stack = [4]uint64{uint64(a0), uint64(a1), uint64(a2), uint64(a3)}
	is.fuel.Set(sliceFuel)
	is.meter.begin(c)
	err := is.entry.CallWithStack(is.ctx, is.stack[:])
	is.meter.end(is.module.rt.lane)
	wasDeep := is.surface()
	if err != nil {
		is.dead = true
		return 0, guestFault(err)
	}
	if c.Limits.CPU > 0 && c.state.usage.CPU > c.Limits.CPU { // passed in a last, short slice
		is.dead = true
		return 0, ErrCPULimit
	}
	if wasDeep {
		is.entry = is.instance.ExportedFunction(is.name)
	}
	return int32(uint32(is.stack[0])), nil
}

// run calls the exported function name, which has neither parameters nor results, while c
// pays for it. A module without it is fine.
func (is *Isolate) run(c *Call, name string) error {
	if is.dead {
		return ErrReset
	}
	if fn := is.instance.ExportedFunction(name); fn != nil {
		return is.call0(c, fn)
	}
	return nil
}

// call0 calls a function without parameters and results.
func (is *Isolate) call0(c *Call, fn api.Function) error {
	if is.dead { // wazero would run a closed module, on what its memory has become
		return ErrReset
	}
	is.fuel.Set(sliceFuel)
	is.meter.begin(c)
	err := fn.CallWithStack(is.ctx, nil)
	is.meter.end(is.module.rt.lane)
	is.surface()
	if err != nil {
		is.dead = true
		return guestFault(err)
	}
	return nil
}

// bytesAt returns the guest's memory at [ptr, ptr+n), nil when that is out of bounds.
func (is *Isolate) bytesAt(ptr, n uint32) []byte {
	end := uint64(ptr) + uint64(n)
	if end > uint64(is.size()) {
		return nil
	}
	return is.memory.bytes[ptr:end:end]
}
