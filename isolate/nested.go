package isolate

import (
	"context"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"switchyard/isolate/wasm"
)

// nest is what an isolate has of WebAssembly: the instances that JavaScript has made of its modules.
// Their memories are stretches of the isolate's (wasm.Relocate), so that the isolate's limit counts
// them and its snapshot has them. What is not in memory is kept in instances' states, from which an
// instance is made again when a clone of the isolate first calls into it.
//
// An instance runs within a call of the engine: it burns the isolate's fuel, and whatever ends the
// call unwinds it, too.
//
//	engine ─ host(WASM_CALL) ─► instance ─ call ─► engine, entered again ─ host(WASM_CALL) ─► …
type nest struct {
	is        *Isolate
	modules   []*nestedModule
	memories  []stretch
	instances []*nestedInstance
	born      int                       // instances that the snapshot has
	names     map[uint64]functionHandle // of funcrefs, by their 64 bits
	engine    []api.Function            // the engine's entry, a handle for each level it can be entered again at
	level     int
	kept      int // references that JavaScript has handed over, at most
}

// Ceilings of an isolate. One that has grown past the worn ones is not used for another request:
// neither instances nor references are ever given back.
const (
	maxInstances  = 1000
	wornInstances = 16
	wornKept      = 10_000
	maxLevel      = 100 // calls into modules that are inside of each other
)

// stretch is a module's memory.
type stretch struct{ Base, Size uint32 }

// functionHandle names a function to JavaScript: instance in the high 21 bits of 53, index + 1 below.
type functionHandle uint64

func newHandle(instance int, index uint32) functionHandle {
	return functionHandle(instance)<<32 | functionHandle(index+1)
}

func (h functionHandle) parts() (instance int, index uint32) { return int(h >> 32), uint32(h) - 1 }

// nestedState is an instance at rest.
type nestedState struct {
	Module  int
	Memory  int      // -1: none
	Imports []uint32 // the engine's numbers of imported functions
	Globals []uint64 // in the order of Rewritten.Globals
	Tables  [][]uint64
}

// nestedInstance is an instance: its state and, once it was called, what runs.
type nestedInstance struct {
	nestedState
	id     int
	live   api.Module
	ctx    context.Context
	fuel   api.MutableGlobal
	base   api.MutableGlobal
	size   api.MutableGlobal
	depth  api.MutableGlobal
	calls  map[string]*nestedCall
	refs   api.Function
	learnt bool // its funcrefs are in nest.names
}

// nested returns the isolate's nest, which begins as its snapshot's.
func (is *Isolate) nested() *nest {
	if is.nest == nil {
		is.nest = newNest(is, is.from.nested)
	}
	return is.nest
}

func newNest(is *Isolate, s *nestedImage) *nest {
	n := &nest{is: is, names: map[uint64]functionHandle{}}
	if s == nil {
		return n
	}
	n.modules, n.memories, n.born = s.modules, slices.Clone(s.memories), len(s.states)
	for i := range s.states {
		n.instances = append(n.instances, &nestedInstance{nestedState: s.states[i], id: i})
	}
	return n
}

// close forgets all instances.
func (n *nest) close() {
	if n == nil {
		return
	}
	for _, i := range n.instances {
		if i.live != nil {
			i.live.Close(context.Background())
		}
	}
}

// worn says that the isolate has more of WebAssembly than is worth keeping.
func (n *nest) worn() bool {
	return n != nil && (len(n.instances)-n.born > wornInstances || n.kept > wornKept)
}

// instance returns one that runs; it is made of its state if need be.
func (n *nest) instance(id int) *nestedInstance {
	if id < 0 || id >= len(n.instances) {
		breach("WebAssembly instance %d does not exist", id)
	}
	i := n.instances[id]
	if i.live == nil {
		n.revive(i)
	}
	return i
}

// start makes what runs of an instance: code, tables as they are at first, globals.
func (n *nest) start(i *nestedInstance) error {
	m := n.modules[i.Module]
	ctx := experimental.WithImportResolver(context.Background(), func(name string) api.Module {
		if name == wasm.LandlordModule {
			return n.is.instance
		}
		return nil
	})
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	live, err := n.is.module.rt.wazero.InstantiateModule(ctx, m.compiled, config)
	if err != nil {
		return fmt.Errorf("RangeError: WebAssembly.Instance(): %w", err)
	}
	i.live, i.calls = live, map[string]*nestedCall{}
	i.ctx = &isolateContext{context.Background(), n.is, i}
	i.fuel, i.depth = i.global(m.rewritten.Fuel), i.global(m.rewritten.Depth)
	i.base, i.size = i.global(wasm.RelocatedBase), i.global(wasm.RelocatedSize)
	i.global(wasm.RelocatedIO).Set(uint64(n.is.io))
	n.follow(i)
	return nil
}

func (i *nestedInstance) global(name string) api.MutableGlobal {
	g, ok := i.live.ExportedGlobal(name).(api.MutableGlobal)
	if !ok {
		panic("BUG: a relocated module lacks the mutable global " + name)
	}
	return g
}

// follow tells an instance where its memory is now.
func (n *nest) follow(i *nestedInstance) {
	if i.Memory >= 0 {
		s := n.memories[i.Memory]
		i.base.Set(uint64(s.Base))
		i.size.Set(uint64(s.Size))
	}
}

// fail is what a WASM operation answers when it did not work: class and message.
func (is *Isolate) fail(format string, args ...any) int32 {
	is.setText(fmt.Sprintf(format, args...))
	return -2
}

// hostMemory says where a memory is: a new one, or one that has grown.
func (n *nest) hostMemory(id, base, size uint32) int32 {
	n.is.mustBytes(base, size)
	switch {
	case int(id) < len(n.memories):
		n.memories[id] = stretch{base, size}
	case int(id) == len(n.memories) && id < 2*maxInstances:
		n.memories = append(n.memories, stretch{base, size})
	default:
		return n.is.fail("RangeError: WebAssembly.Memory(): could not allocate memory")
	}
	return int32(id)
}

// hostInstantiate makes an instance and runs its initialisation. At ptr are words of 64 bits: the
// memory or -1, one for each import (a function's number, a constant's bits, a cell's address), then
// the addresses of the module's own cells.
func (n *nest) hostInstantiate(module, ptr uint32) int32 {
	if len(n.instances) == maxInstances {
		return n.is.fail("RangeError: WebAssembly.Instance(): too many instances: the limit is %d", maxInstances)
	}
	if int(module) >= len(n.modules) {
		breach("WebAssembly module %d does not exist", module)
	}
	re := n.modules[module].relocated
	words := n.is.mustBytes(ptr, uint32(8*(1+len(re.Imports)+len(re.Cells))))
	i := &nestedInstance{id: len(n.instances)}
	i.Module, i.Memory = int(module), int(int32(getWord(words, 0)))
	if i.Memory >= len(n.memories) || i.Memory < 0 && re.Memory != nil {
		breach("WebAssembly memory %d does not exist", i.Memory)
	}
	if err := n.start(i); err != nil {
		return n.is.fail("%v", err)
	}
	n.instances = append(n.instances, i)
	n.link(i, re, words)
	return n.initialise(i, re)
}

func word64(b []byte, i int) uint64 { return uint64(getWord(b, 2*i)) | uint64(getWord(b, 2*i+1))<<32 }

func (n *nest) link(i *nestedInstance, re *wasm.Relocated, words []byte) {
	for k, x := range re.Imports {
		switch x.Kind {
		case wasm.KindFunction:
			i.Imports = append(i.Imports, uint32(word64(words, 1+k)))
		case wasm.KindGlobal:
			i.global(wasm.GlobalName(x.Index)).Set(word64(words, 1+k))
		}
	}
	for k, g := range re.Cells {
		i.global(wasm.GlobalName(g)).Set(word64(words, 1+len(re.Imports)+k))
	}
}

// initialise runs what instantiation runs: the instance's number, or a failure.
func (n *nest) initialise(i *nestedInstance, re *wasm.Relocated) int32 {
	names := []string{wasm.RelocatedTables, wasm.RelocatedData}
	if re.Start != wasm.NoFunction {
		names = append(names, wasm.EntryName(re.Start))
	}
	for _, name := range names {
		if answer := n.call(i, name, uint64(n.is.io)); answer < 0 {
			return answer
		}
	}
	return int32(i.id)
}

// hostGlobal reads an exported constant.
func (n *nest) hostGlobal(instance, index, ptr uint32) int32 {
	g := n.instance(int(instance)).live.ExportedGlobal(wasm.GlobalName(index))
	if g == nil {
		breach("WebAssembly global %d is not exported", index)
	}
	b := n.is.mustBytes(ptr, 8)
	putWord(b, 0, uint32(g.Get()))
	putWord(b, 1, uint32(g.Get()>>32))
	return 0
}

// hostCustom copies the contents of a custom section.
func (n *nest) hostCustom(module, section, ptr uint32) int32 {
	if int(module) >= len(n.modules) || int(section) >= len(n.modules[module].relocated.Custom) {
		breach("WebAssembly custom section %d of module %d does not exist", section, module)
	}
	bytes := n.modules[module].relocated.Custom[section].Bytes
	return int32(copy(n.is.mustBytes(ptr, uint32(len(bytes))), bytes))
}
