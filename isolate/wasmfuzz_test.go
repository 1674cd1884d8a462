package isolate

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"switchyard/isolate/abi"
)

// TestHostFunctionsTakeAnything calls the contract's functions with arguments as a hostile guest
// would choose them: a breach or the end of the call is fine, a panic of ours is not. Its seed
// is printed.
func TestHostFunctionsTakeAnything(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	rt := wasmRuntime(t)
	p := poolOf(t, rt, wasmSpec(readFile(t, "testdata/states.wasm"), PolicyReuse))
	for range 200 {
		m := newMisuse(t, p, rng)
		for range 300 {
			if !m.call() {
				break
			}
		}
		m.end()
	}
}

// misuse is a call whose guest is the test.
type misuse struct {
	t    *testing.T
	rng  *rand.Rand
	is   *Isolate
	c    *Call
	done chan struct{}
	stop context.CancelFunc
	last uint32 // what a function returned: perhaps a handle
}

// Addresses at which something valid lies.
const (
	fuzzHead  = 4096
	fuzzBlock = 8192
	fuzzOps   = 12288
)

func newMisuse(t *testing.T, p *Pool, rng *rand.Rand) *misuse {
	is, err := p.rt.newIsolate(p.module, p.snapshot, abi.ExportHandle)
	if err != nil {
		t.Fatal(err)
	}
	m := &misuse{t: t, rng: rng, is: is, done: make(chan struct{})}
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	m.stop = stop
	m.c = &Call{Context: ctx, Host: new(world), Request: wasmRequest("POST", "/", streamed(big[:1000])), Done: func(*Call, Usage) { close(m.done) }}
	if rng.IntN(2) == 0 {
		m.c.Limits.Wall = 30 * time.Millisecond
	}
	m.c.begin(p)
	m.c.state.is, m.c.state.id = is, is.nextID()
	m.c.state.handles.addEvent(m.c.Request)
	m.c.state.wasm.answer = make(chan outcome, 1)
	m.c.state.holds = 1
	is.meter.begin(m.c)
	m.plant()
	return m
}

// plant lays out a head, a block and a list of operations.
func (m *misuse) plant() {
	head := abi.AppendRequestHead(nil, "GET", "http://origin.example/one")
	if m.rng.IntN(2) == 0 {
		head = abi.AppendResponseHead(nil, 200)
	}
	copy(m.is.memory.bytes[fuzzHead:], head)
	block := abi.FetchBlock{
		Binding: -1, Head: fuzzHead, HeadLen: uint32(len(head)), Source: uint32(m.rng.IntN(2)),
		BodyKind: uint32(m.rng.IntN(4)), Body: m.argument(), BodyLen: int32(m.argument()),
	}
	copy(m.is.memory.bytes[fuzzBlock:], abi.AppendFetchBlock(nil, block))
	for i := range 8 {
		putWord(m.is.memory.bytes[fuzzOps:], i, uint32(opFirst+i+1))
	}
}

func (m *misuse) argument() uint32 {
	edges := []uint32{0, 1, 2, 3, 4, 16, 41, fuzzHead, fuzzBlock, fuzzOps, opFirst + 1, opFirst + 2, opFirst + 3,
		1<<31 - 1, 1 << 31, 1<<32 - 1, m.last, m.last, m.last, uint32(m.is.size()), uint32(m.is.size()) - 1}
	if m.rng.IntN(10) == 0 {
		return m.rng.Uint32()
	}
	return edges[m.rng.IntN(len(edges))]
}

// call makes one call and reports whether the guest lives.
func (m *misuse) call() (alive bool) {
	f := abi.Functions[m.rng.IntN(len(abi.Functions))]
	if f.Name == "response_start" && m.c.Limits.Wall == 0 {
		return true // from then on the call waits for as long as a stream may be idle
	}
	stack := []uint64{uint64(m.c.state.id) | 0xdead<<32, 0, 0, 0, 0, 0}
	for i := 1; i < len(stack); i++ {
		stack[i] = uint64(m.argument()) | 0xbeef<<32
	}
	arguments := slices.Clone(stack)
	defer func() {
		if r := recover(); r != nil {
			alive = m.mayPanic(f.Name, arguments, r)
		}
	}()
	guestImplementations[f.Name].host(m.is.ctx, nil, stack)
	m.last = uint32(stack[0])
	if f.Name != "now" && stack[0]>>32 != 0 {
		m.t.Errorf("%s%x returns %#x, which is no i32", f.Name, arguments, stack[0])
	}
	return true
}

// mayPanic reports whether the call could go on: after a breach it could not, but what is
// found then is worth as much.
func (m *misuse) mayPanic(name string, arguments []uint64, r any) (alive bool) {
	err, _ := r.(error)
	breach := (*breachError)(nil)
	if alive = errors.As(err, &breach); !alive && !errors.Is(err, ErrCanceled) && !errors.Is(err, ErrWallLimit) {
		m.t.Fatalf("%s%x: %v\n%s", name, arguments, r, debug.Stack())
	}
	return alive
}

// end leaves as a guest does that died, and wants the call to end.
func (m *misuse) end() {
	m.is.meter.end(m.is.module.rt.lane)
	if c := m.c; !c.state.delivered {
		if r, _ := c.deliver(); r != nil {
			r.Release()
		}
	} else if o := <-c.state.wasm.answer; o.response != nil {
		o.response.Release()
	}
	m.c.state.wasm.drop()
	m.c.finish()
	m.stop()
	m.is.close()
	select {
	case <-m.done:
	case <-time.After(5 * time.Second):
		m.t.Error("the call was never done")
	}
}

// TestEveryFunctionIsImplemented: no more and no less than the contract.
func TestEveryFunctionIsImplemented(t *testing.T) {
	var want []string
	for _, f := range abi.Functions {
		want = append(want, f.Name)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(guestImplementations)); !slices.Equal(got, want) {
		t.Errorf("implemented %v, want %v", got, want)
	}
}
