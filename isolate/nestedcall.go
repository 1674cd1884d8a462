package isolate

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/js"
	"switchyard/isolate/wasm"
)

// nestedCall is a handle of an exported function. It has a stack of its own, so a function that is
// called again before it returned takes another.
type nestedCall struct {
	fn    api.Function
	stack [2]uint64
	busy  bool
}

// hostNested answers the operations on WebAssembly.
func (is *Isolate) hostNested(op js.HostOp, x, y, z uint32) int32 {
	n := is.nested()
	switch op {
	case js.HostWasmCall:
		return n.call(n.instance(int(x)), callName(y), uint64(z))
	case js.HostWasmMemory:
		return n.hostMemory(x, y, z)
	case js.HostWasmInstantiate:
		return n.hostInstantiate(x, y)
	case js.HostWasmGlobal:
		return n.hostGlobal(x, y, z)
	case js.HostWasmCustom:
		return n.hostCustom(x, y, z)
	case js.HostWasmCount:
		return int32(len(n.instances))
	case js.HostWasmAddress:
		return int32(x)
	case js.HostWasmValidate:
		return is.hostValidate(x, y)
	}
	breach("host operation %d is unknown", op)
	return 0
}

// tableCalls begin the numbers of what works on tables: get, set, size and grow of each.
const tableCalls = 1 << 30

func callName(index uint32) string {
	if index < tableCalls {
		return wasm.EntryName(index)
	}
	get, set, size, grow := wasm.TableNames(int(index-tableCalls) / 4)
	return [...]string{get, set, size, grow}[index%4]
}

// errThrown is an exception of JavaScript that unwinds a module; the engine keeps its value.
var errThrown = errors.New("JavaScript threw")

// errNestedStack is a module that recurses too deep, alone or with JavaScript.
var errNestedStack = errors.New("nested stack")

// call runs an export of the instance: 0, js.Refused and a text, or js.Thrown. What ends the whole
// call goes on upwards.
func (n *nest) call(i *nestedInstance, name string, args ...uint64) int32 {
	if n.level == maxLevel {
		return n.is.fail("RangeError: Maximum call stack size exceeded")
	}
	c := i.handle(name)
	if c == nil {
		breach("WebAssembly function %q does not exist", name)
	}
	n.follow(i)
	copy(c.stack[:], args)
	i.fuel.Set(n.is.fuel.Get())
	depth := i.depth.Get()
	n.level++
	c.busy = true
	err := c.fn.CallWithStack(i.ctx, c.stack[:])
	c.busy = false
	n.level--
	n.is.fuel.Set(i.fuel.Get())
	if err == nil {
		return 0
	}
	i.depth.Set(depth)
	delete(i.calls, name) // its stack may be large
	return n.failed(err)
}

// failed turns what ended an instance's function into what JavaScript can catch.
func (n *nest) failed(err error) int32 {
	switch {
	case errors.Is(err, errThrown):
		return js.Thrown
	case errors.Is(err, errNestedStack):
		return n.is.fail("RangeError: Maximum call stack size exceeded")
	}
	fault := guestFault(err)
	trap := (*trapError)(nil)
	if !errors.As(fault, &trap) {
		panic(fault)
	}
	return n.is.fail("RuntimeError: %s", trapMessage(trap.name))
}

// trapMessages are V8's words for the engine's.
var trapMessages = map[string]string{
	"unreachable":                   "unreachable",
	"out of bounds memory access":   "memory access out of bounds",
	"integer divide by zero":        "divide by zero",
	"integer overflow":              "divide result unrepresentable",
	"invalid conversion to integer": "float unrepresentable in integer range",
	"invalid table access":          "table index is out of bounds",
	"indirect call type mismatch":   "null function or function signature mismatch",
}

func trapMessage(name string) string {
	if m, ok := trapMessages[name]; ok {
		return m
	}
	return name
}

// handle returns a handle of the export that nobody is in; nil when there is no such function.
func (i *nestedInstance) handle(name string) *nestedCall {
	c := i.calls[name]
	if c != nil && !c.busy {
		return c
	}
	fn := i.live.ExportedFunction(name)
	if fn == nil {
		return nil
	}
	fresh := &nestedCall{fn: fn}
	if c == nil {
		i.calls[name] = fresh
	}
	return fresh
}

// nestedFunctions is what relocated modules import.
func nestedFunctions() []hostFunction {
	i32, i64, x, f := []byte{api.ValueTypeI32}, []byte{api.ValueTypeI64}, []byte{api.ValueTypeExternref}, []byte{funcref}
	same := func(ctx context.Context, _ api.Module, _ []uint64) { isolateOf(ctx).nest.kept++ }
	return []hostFunction{
		{wasm.NestedModule, wasm.NestedCall, i32, nil, func(ctx context.Context, _ api.Module, stack []uint64) {
			c := ctx.(*isolateContext)
			k := uint32(stack[0])
			if int(k) >= len(c.nested.Imports) {
				breach("WebAssembly import %d does not exist", k)
			}
			c.is.nest.callback(c.nested, c.nested.Imports[k])
		}},
		{wasm.NestedModule, wasm.NestedGrow, i32, i32, func(ctx context.Context, _ api.Module, stack []uint64) {
			c := ctx.(*isolateContext)
			stack[0] = uint64(c.is.nest.grow(c.nested, uint32(stack[0])))
		}},
		{wasm.NestedModule, wasm.NestedKeep, x, i64, same}, // a reference is its 64 bits
		{wasm.NestedModule, wasm.NestedGive, i64, x, same},
		{wasm.NestedModule, wasm.NestedName, f, i64, func(ctx context.Context, _ api.Module, stack []uint64) {
			stack[0] = isolateOf(ctx).nest.nameOf(stack[0])
		}},
		{wasm.NestedModule, wasm.NestedFind, i64, f, func(ctx context.Context, _ api.Module, stack []uint64) {
			stack[0] = isolateOf(ctx).nest.find(functionHandle(stack[0]))
		}},
	}
}

// funcref is a value type that wazero has no public name for.
const funcref api.ValueType = 0x70

// callback has the engine run an import. Arguments and results are in the I/O buffer.
func (n *nest) callback(i *nestedInstance, number uint32) {
	if r := n.reenter(i, js.OpCall, number); r == js.Failed {
		panic(errThrown)
	}
	n.follow(i)
}

// reenter enters the engine again, from inside the instance, which stays on the stack.
func (n *nest) reenter(i *nestedInstance, op js.Op, arg uint32) int32 {
	is := n.is
	if n.level > len(n.engine) {
		n.engine = append(n.engine, is.instance.ExportedFunction(js.Export))
	}
	is.fuel.Set(i.fuel.Get())
	stack := [4]uint64{uint64(op), uint64(arg)}
	if err := n.engine[n.level-1].CallWithStack(is.ctx, stack[:]); err != nil {
		panic(guestFault(err))
	}
	i.fuel.Set(is.fuel.Get())
	return int32(uint32(stack[0]))
}

// grow is memory.grow: the prelude's import 0 moves the memory.
func (n *nest) grow(i *nestedInstance, pages uint32) uint32 {
	b := n.is.mustBytes(n.is.io, 16)
	putWord(b, 0, uint32(i.Memory))
	putWord(b, 2, pages)
	n.callback(i, 0)
	return getWord(b, 0)
}

// nameOf is the handle of a funcref; 0 for null.
func (n *nest) nameOf(ref uint64) uint64 {
	if ref == 0 {
		return 0
	}
	for _, i := range n.instances {
		if h, ok := n.names[ref]; ok {
			return uint64(h)
		}
		n.learn(i)
	}
	return uint64(n.names[ref])
}

// learn notes the funcrefs of all of an instance's functions that have an entry.
func (n *nest) learn(i *nestedInstance) {
	if i.live == nil || i.learnt {
		return
	}
	i.learnt = true
	for k, index := range n.modules[i.Module].relocated.Refs {
		if index != wasm.NoFunction {
			n.names[i.ref(k)] = newHandle(i.id, index)
		}
	}
}

// ref is the k-th of Relocated.Refs.
func (i *nestedInstance) ref(k int) uint64 {
	if i.refs == nil {
		i.refs = i.live.ExportedFunction(wasm.RelocatedRef)
	}
	stack := [1]uint64{uint64(k)}
	if err := i.refs.CallWithStack(i.ctx, stack[:]); err != nil {
		panic("BUG: the functions of a relocated module: " + err.Error())
	}
	return stack[0]
}

// find is the funcref of a handle.
func (n *nest) find(h functionHandle) uint64 {
	if h == 0 {
		return 0
	}
	id, index := h.parts()
	i := n.instance(id)
	k, ok := slices.BinarySearch(n.modules[i.Module].relocated.Entries, index)
	if !ok {
		breach("WebAssembly function %d has no reference", index)
	}
	return i.ref(k)
}

// hostValidate reports whether bytes are a module, as far as that can be told without compiling it.
func (is *Isolate) hostValidate(ptr, n uint32) int32 {
	binary := is.mustBytes(ptr, n)
	is.spend(len(binary))
	re, err := wasm.Relocate(slices.Clone(binary), 1, wasm.Limits{})
	if err == nil {
		_, err = wasm.Rewrite(re.Binary, wasm.Options{MaxPages: 1, MayImport: nestedRules.may})
	}
	if err != nil && !strings.Contains(err.Error(), "not supported") {
		return 0
	}
	return 1
}
