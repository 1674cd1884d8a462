package isolate

import (
	"fmt"

	"switchyard/isolate/wasm"
)

// nestedImage is what a snapshot has of WebAssembly. Memories and cells are in the snapshot's memory.
type nestedImage struct {
	modules  []*nestedModule
	memories []stretch
	states   []nestedState
}

// capture takes the states of all instances. The isolate must be at rest.
func (n *nest) capture(c *Call) (*nestedImage, error) {
	s := &nestedImage{modules: n.modules, memories: n.memories}
	for _, i := range n.instances {
		if err := n.save(c, i); err != nil {
			return nil, err
		}
		s.states = append(s.states, i.nestedState)
	}
	return s, nil
}

// save brings an instance's state up to date.
func (n *nest) save(c *Call, i *nestedInstance) error {
	if i.live == nil {
		return nil
	}
	m := n.modules[i.Module]
	if i.live.ExportedGlobal(wasm.RelocatedLost).Get() != 0 {
		return &StartupError{Module: m.name, Message: "it sets a global of a reference or vector type at module scope, which cannot be kept: instantiate it in a handler"}
	}
	i.Globals = i.Globals[:0]
	for _, name := range m.rewritten.Globals {
		i.Globals = append(i.Globals, i.global(name).Get())
	}
	i.Tables = nil
	n.is.meter.begin(c)
	defer n.is.meter.end(n.is.module.rt.lane)
	for t := range m.relocated.Tables {
		i.Tables = append(i.Tables, n.tableOf(i, t))
	}
	return nil
}

// tableOf reads a table: references and handles as JavaScript has them.
func (n *nest) tableOf(i *nestedInstance, t int) []uint64 {
	get, _, size, _ := wasm.TableNames(t)
	list := make([]uint64, n.work(i, size))
	for k := range list {
		list[k] = n.work(i, get, uint64(k))
	}
	return list
}

// work calls what works on a table, with up to two arguments in the I/O buffer.
func (n *nest) work(i *nestedInstance, name string, args ...uint64) uint64 {
	b := n.is.mustBytes(n.is.io, 16)
	clear(b)
	for k, a := range args {
		putWord(b, 2*k, uint32(a))
		putWord(b, 2*k+1, uint32(a>>32))
	}
	n.is.fuel.Set(sliceFuel)
	if n.call(i, name, uint64(n.is.io)) != 0 {
		panic(fmt.Sprintf("BUG: %s of a WebAssembly table failed: %s", name, n.is.text()))
	}
	return word64(b, 0)
}

// revive makes an instance of its state again.
func (n *nest) revive(i *nestedInstance) {
	if err := n.start(i); err != nil {
		panic(ErrMemoryLimit)
	}
	fuel := n.is.fuel.Get()
	level := n.level
	n.level = 0
	saved := [16]byte(n.is.mustBytes(n.is.io, 16))
	m := n.modules[i.Module]
	for k, name := range m.rewritten.Globals {
		i.global(name).Set(i.Globals[k])
	}
	n.follow(i)
	if n.call(i, wasm.RelocatedTables, 0) != 0 {
		panic("BUG: the tables of a WebAssembly instance cannot be made again")
	}
	for t, list := range i.Tables {
		n.fillTable(i, t, list)
	}
	copy(n.is.mustBytes(n.is.io, 16), saved[:])
	n.level = level
	n.is.fuel.Set(fuel)
}

func (n *nest) fillTable(i *nestedInstance, t int, list []uint64) {
	get, set, size, grow := wasm.TableNames(t)
	if have := n.work(i, size); have < uint64(len(list)) {
		n.work(i, grow, 0, uint64(len(list))-have)
	}
	for k, want := range list {
		if n.work(i, get, uint64(k)) != want {
			n.work(i, set, uint64(k), want)
		}
	}
}
