// Package shimtest drives the linked engine with a small host of its own: what the shim promises
// in PROTOCOL.md, without the isolate package.
package shimtest

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"golang.org/x/net/idna"

	"switchyard/isolate/js"
)

const heapLimit = 64 << 20

var engine = sync.OnceValues(func() (*compiled, error) {
	binary, err := js.Engine()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	if _, err := rt.NewHostModuleBuilder(js.ImportModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(hostEntry), []api.ValueType{i32, i32, i32, i32, i32}, []api.ValueType{i32}).
		Export(js.ImportName).Instantiate(ctx); err != nil {
		return nil, err
	}
	module, err := rt.CompileModule(ctx, binary)
	return &compiled{rt, module}, err
})

const i32 = api.ValueTypeI32

type compiled struct {
	rt     wazero.Runtime
	module wazero.CompiledModule
}

// guest is one running engine and what it has asked of its host.
type guest struct {
	t   testing.TB
	mod api.Module
	op  api.Function
	io  uint32

	now      float64
	random   *rand.Rand
	calls    []hostCall // fetches, reads and timers that wait for RESOLVE
	answers  map[uint32]answer
	log      []string
	rejected []string
	holds    map[uint32]int
	heads    map[uint32][]byte // by response handle
	streams  map[uint32]*strings.Builder
	ended    map[uint32]string
	stopped  []uint32
	woken    []uint32
	canceled []uint32
	full     bool // WRITE answers Pending
	quiet    bool // RESPOND is not looked at
}

// hostCall is one pending operation.
type hostCall struct {
	op    js.HostOp
	req   uint32
	id    uint32
	arg   uint32 // handle or milliseconds
	fetch fetchBlock
}

type fetchBlock struct {
	binding            int32
	kind, redirect     uint32
	method, url        string
	headers            string
	bodyKind, body     uint32
	bytes, name, extra string
}

// answer is what a handler came to.
type answer struct {
	status            uint32
	headers           string
	kind              uint32
	body              string
	handle            uint32
	length            int32
	untouched         bool
	message, stack    string
	answered, failure bool
}

type guestKey struct{}

// newGuest starts an engine with the prelude, or skips the test when there is no engine.
func newGuest(t testing.TB, prelude string) *guest {
	t.Helper()
	c, err := engine()
	if errors.Is(err, js.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{
		t: t, now: 1700000000000, random: rand.New(rand.NewPCG(1, 2)),
		answers: map[uint32]answer{}, holds: map[uint32]int{}, heads: map[uint32][]byte{},
		streams: map[uint32]*strings.Builder{}, ended: map[uint32]string{},
	}
	ctx := context.WithValue(context.Background(), guestKey{}, g)
	mod, err := c.rt.InstantiateModule(ctx, c.module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mod.Close(ctx) })
	g.mod, g.op = mod, mod.ExportedFunction(js.Export)
	g.io = uint32(g.enter(js.OpIO, 0, 0, 0))
	if r := g.give(js.OpInit, []byte(prelude), heapLimit); r != 0 {
		t.Fatalf("INIT: %s", g.text())
	}
	return g
}

// start registers the modules and evaluates the main one.
func (g *guest) start(kind uint32, main string, modules ...module) string {
	g.t.Helper()
	for _, m := range modules {
		block := binary.LittleEndian.AppendUint32(nil, uint32(len(m.name)))
		block = append(append(block, m.name...), m.source...)
		if r := g.give(js.OpModule, block, m.kind); r != 0 {
			return g.text()
		}
	}
	switch r := g.give(js.OpStart, []byte(main), kind); r {
	case js.StartDone:
		return ""
	case js.StartPending:
		return "pending"
	default:
		return g.text()
	}
}

type module struct {
	name, source string
	kind         uint32
}

// isolate.ModuleKind's values.
const (
	moduleES = iota
	moduleJS
	moduleWasm
	moduleText
	moduleData
	moduleJSON
)

func (g *guest) enter(op js.Op, a, b, c uint32) int32 {
	g.t.Helper()
	ctx := context.WithValue(context.Background(), guestKey{}, g)
	r, err := g.op.Call(ctx, uint64(op), uint64(a), uint64(b), uint64(c))
	if err != nil {
		g.t.Fatalf("op %d: %v", op, err)
	}
	return int32(uint32(r[0]))
}

// give passes data in memory of the guest's own.
func (g *guest) give(op js.Op, data []byte, c uint32) int32 {
	g.t.Helper()
	ptr := uint32(g.enter(js.OpAlloc, uint32(len(data)), 0, 0))
	g.mod.Memory().Write(ptr, data)
	r := g.enter(op, ptr, uint32(len(data)), c)
	g.enter(js.OpFree, ptr, 0, 0)
	return r
}

func (g *guest) text() string {
	n, _ := g.mod.Memory().ReadUint32Le(g.io)
	return g.read(g.io+4, n)
}

func (g *guest) setText(s string) { g.mod.Memory().Write(g.io, words(uint32(len(s)), s)) }

func (g *guest) read(ptr, n uint32) string {
	b, ok := g.mod.Memory().Read(ptr, n)
	if !ok {
		g.t.Fatalf("the guest named memory at %d+%d", ptr, n)
	}
	return string(b)
}

func (g *guest) word(ptr uint32, i int) uint32 {
	w, ok := g.mod.Memory().ReadUint32Le(ptr + uint32(4*i))
	if !ok {
		g.t.Fatalf("the guest named memory at %d", ptr)
	}
	return w
}

// words packs integers and strings.
func words(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case uint32:
			b = binary.LittleEndian.AppendUint32(b, p)
		case int:
			b = binary.LittleEndian.AppendUint32(b, uint32(int32(p)))
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

// headers makes a block of "name: value" lines.
func headerBlock(lines string) (count uint32, block []byte) {
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		block = append(block, words(len(name), len(value), name, value)...)
		count++
	}
	return count, block
}

func requestHead(method, url, headers string) []byte {
	n, block := headerBlock(headers)
	return words(len(method), len(url), n, len(block), method, url, block)
}

func responseHead(status int, headers string) []byte {
	n, block := headerBlock(headers)
	return words(status, 0, n, len(block), block)
}

// headerLines is the inverse of headerBlock.
func headerLines(block string) string {
	var out strings.Builder
	for len(block) > 0 {
		n := binary.LittleEndian.Uint32([]byte(block[:4]))
		v := binary.LittleEndian.Uint32([]byte(block[4:8]))
		out.WriteString(block[8:8+n] + ": " + block[8+n:8+n+v] + "\n")
		block = block[8+n+v:]
	}
	return out.String()
}

// event is what a test sends in.
type event struct {
	method, url, headers       string
	params, entrypoint, inline string
	body                       uint32 // handle; with inline its bytes travel in the block
}

func (g *guest) event(req uint32, e event) answer {
	g.t.Helper()
	if e.method == "" {
		e.method = "GET"
	}
	if e.url == "" {
		e.url = "https://example.com/"
	}
	var flags uint32
	if e.body != 0 {
		flags = js.EventHasBody
	}
	if e.inline != "" {
		flags = js.EventHasBody | js.EventInline
		e.body = 1
	}
	head := requestHead(e.method, e.url, e.headers)
	block := words(len(head), len(e.params), len(e.entrypoint), flags, e.body, len(e.inline), 0,
		head, e.params, e.entrypoint, e.inline)
	g.mod.Memory().Write(g.io, block)
	g.enter(js.OpEvent, req, g.io, uint32(len(block)))
	return g.answers[req]
}

// take removes the oldest pending operation of that kind.
func (g *guest) take(op js.HostOp) hostCall {
	g.t.Helper()
	for i, c := range g.calls {
		if c.op == op {
			g.calls = append(g.calls[:i:i], g.calls[i+1:]...)
			return c
		}
	}
	g.t.Fatalf("the guest waits for no host operation %d", op)
	return hostCall{}
}

func (g *guest) resolve(c hostCall, payload []byte) {
	g.t.Helper()
	g.mod.Memory().Write(g.io, payload)
	g.enter(js.OpResolve, c.id, js.ResolveOK, g.io)
}

func (g *guest) fail(c hostCall, message string) {
	g.t.Helper()
	g.setText(message)
	g.enter(js.OpResolve, c.id, js.ResolveFailed, g.io)
}

// fetched completes a fetch: a response with handle, its head and, with body > 0, a body handle.
func (g *guest) fetched(c hostCall, status int, handle, body uint32, headers, url string) {
	g.t.Helper()
	g.heads[handle] = responseHead(status, headers)
	g.resolve(c, words(status, handle, body, -1, len(url), 0, 0, url))
}

func hostEntry(ctx context.Context, _ api.Module, stack []uint64) {
	g := ctx.Value(guestKey{}).(*guest)
	w := func(i int) uint32 { return uint32(stack[i]) }
	stack[0] = uint64(uint32(g.host(js.HostOp(w(0)), w(1), w(2), w(3), w(4))))
}

func (g *guest) host(op js.HostOp, req, x, y, z uint32) int32 {
	switch op {
	case js.HostLog:
		g.log = append(g.log, g.read(y, z))
	case js.HostRespond:
		if !g.quiet {
			g.respond(req, x)
		}
	case js.HostThrown:
		g.answers[req] = answer{answered: true, failure: true, message: g.read(x, y), stack: g.read(x+y, z)}
	case js.HostFetch:
		return g.fetch(req, x, y)
	case js.HostRead:
		g.calls = append(g.calls, hostCall{op: op, req: req, arg: x, id: y})
		return js.Pending
	case js.HostTimer:
		g.calls = append(g.calls, hostCall{op: op, req: req, id: x, arg: y})
		return js.Pending
	case js.HostWrite:
		g.stream(0).WriteString(g.read(x, y))
		if g.full {
			g.calls = append(g.calls, hostCall{op: op, req: req, id: z})
			return js.Pending
		}
	case js.HostEnd:
		g.ended[0] = "end:" + g.read(x, y)
	case js.HostStream:
		g.stream(uint32(len(g.streams) + 100))
		return int32(len(g.streams) + 99)
	case js.HostWrite2:
		g.stream(g.word(x, 0)).WriteString(g.read(g.word(x, 1), g.word(x, 2)))
	case js.HostEnd2:
		g.ended[x] = "end:" + g.read(y, z)
	default:
		return g.small(op, req, x, y, z)
	}
	return 0
}

// small answers the operations that need no story.
func (g *guest) small(op js.HostOp, req, x, y, z uint32) int32 {
	switch op {
	case js.HostNow:
		g.mod.Memory().WriteUint64Le(x, math.Float64bits(g.now))
	case js.HostRandom:
		if req == 0 {
			return js.Refused
		}
		for i := range y {
			g.mod.Memory().WriteByte(x+i, byte(g.random.Uint32()))
		}
	case js.HostHold:
		g.holds[req] += int(int32(x))
	case js.HostGone: // no client leaves
		return js.Pending
	case js.HostSource: // there are no modules of Node's here
		return js.Refused
	case js.HostHead:
		head := g.heads[x]
		if len(head) <= int(z) {
			g.mod.Memory().Write(y, head)
		}
		return int32(len(head))
	case js.HostIDNA:
		return g.idna(x, y, z)
	case js.HostService: // nothing comes of any: there is no encoding of that label
	case js.HostCancel:
		g.canceled = append(g.canceled, x)
	case js.HostWake:
		g.woken = append(g.woken, req)
	case js.HostStop:
		g.stopped = append(g.stopped, x)
	case js.HostRejected:
		g.rejected = append(g.rejected, g.read(x, y))
	default:
		g.t.Fatalf("unknown host operation %d", op)
	}
	return 0
}

func (g *guest) stream(id uint32) *strings.Builder {
	if g.streams[id] == nil {
		g.streams[id] = new(strings.Builder)
	}
	return g.streams[id]
}

func (g *guest) respond(req, ptr uint32) {
	w := func(i int) uint32 { return g.word(ptr, i) }
	a := answer{
		answered: true, status: w(js.ResponseStatus), kind: w(js.ResponseBodyKind), handle: w(js.ResponseHandle),
		length: int32(w(js.ResponseBodyLen)), untouched: w(js.ResponseFlags)&js.ResponseUntouched != 0,
		headers: headerLines(g.read(w(js.ResponseHeaders), w(js.ResponseHeadersLen))),
	}
	switch a.kind {
	case js.BodyBytes:
		a.body = g.read(w(js.ResponseBody), w(js.ResponseBodyLen))
	case js.BodyHandle:
		a.handle = w(js.ResponseBody)
	}
	g.answers[req] = a
}

func (g *guest) fetch(req, ptr, id uint32) int32 {
	w := func(i int) uint32 { return g.word(ptr, i) }
	f := fetchBlock{
		binding: int32(w(js.FetchBinding)), kind: w(js.FetchRequestKind), redirect: w(js.FetchRedirect),
		bodyKind: w(js.FetchBodyKind), body: w(js.FetchBody),
		name: g.read(w(js.FetchName), w(js.FetchNameLen)), extra: g.read(w(js.FetchOptions), w(js.FetchOptionsLen)),
	}
	if f.kind == js.RequestFlat {
		head := w(js.FetchHead)
		m, u, h := g.word(head, 0), g.word(head, 1), g.word(head, 3)
		f.method, f.url = g.read(head+16, m), g.read(head+16+m, u)
		f.headers = headerLines(g.read(head+16+m+u, h))
		if f.bodyKind == js.BodyBytes {
			f.bytes = g.read(f.body, w(js.FetchBodyLen))
		}
	}
	if strings.HasPrefix(f.url, "https://refused.example") {
		g.setText("Too many subrequests")
		return js.Refused
	}
	g.calls = append(g.calls, hostCall{op: js.HostFetch, req: req, id: id, fetch: f})
	return js.Pending
}

var toASCII = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.CheckHyphens(false),
	idna.CheckJoiners(true), idna.BidiRule(), idna.StrictDomainName(false), idna.VerifyDNSLength(false))

func (g *guest) idna(ptr, n, out uint32) int32 {
	ascii, err := toASCII.ToASCII(g.read(ptr, n))
	if err != nil || len(ascii) > js.MaxIDNA {
		return js.Refused
	}
	g.mod.Memory().WriteString(out, ascii)
	return int32(len(ascii))
}
