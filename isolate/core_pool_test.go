package isolate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestCloneFails: those who wait are told, and a closed pool still gives everything back.
func TestCloneFails(t *testing.T) {
	spec := jsSpec(handler(`await fetch("http://o.test/"); while (true);`))
	spec.MaxIsolates, spec.Suspended = 1, 1
	p, err := jsRuntime(t).NewPool(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	p.onClose = func() { close(closed) }
	release, entered := make(chan struct{}), make(chan struct{}, 4)
	host := &fakeHost{fetch: func(context.Context, *Call, *Subrequest) (*Response, error) {
		entered <- struct{}{}
		<-release
		return testResponse(200, ""), nil
	}}
	failed := make(chan error, 4)
	for range 4 {
		go func() {
			_, err := ask(p, host, testRequest("GET", "http://a.test/", ""))
			failed <- err
		}()
	}
	waitFor(t, "three calls to wait", func() bool { return p.Stats().Waiting == 3 })
	<-entered
	p.snapshot.entry = "gone" // no clone will be had from now on
	close(release)
	for range 4 {
		select {
		case err := <-failed:
			if errors.Is(err, ErrBusy) || err == nil {
				t.Errorf("got %v, want the clone's error or the kill's", err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("a call still waits")
		}
	}
	if s := p.Stats(); s != (PoolStats{}) {
		t.Errorf("%+v, want nothing", s)
	}
	p.Close()
	p.Close()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Error("the pool never drained")
	}
}

// TestCloseDuringClone: a clone that fails, or is made, while the pool closes.
func TestCloseDuringClone(t *testing.T) {
	for i := range 60 {
		p, err := jsRuntime(t).NewPool(context.Background(), jsSpec(handler(`return new Response("x")`)))
		if err != nil {
			t.Fatal(err)
		}
		var closes atomic.Int32
		p.onClose = func() { closes.Add(1) }
		if i%2 == 0 {
			p.snapshot.entry = "gone"
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { ask(p, nil, testRequest("GET", "http://a.test/", "")) })
		}
		group.Go(p.Close)
		group.Wait()
		if n := closes.Load(); n != 1 {
			t.Fatalf("round %d: drained %d times", i, n)
		}
	}
}

// processState is what leaks show in.
type processState struct{ goroutines, fds, images int }

func (p processState) exceeds(o processState) bool {
	return p.goroutines > o.goroutines || p.fds > o.fds || p.images > o.images
}

func stateOfProcess(t testing.TB) processState {
	spare, goroutines := spareIsolates(t), runtime.NumGoroutine()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	return processState{goroutines, len(fds), strings.Count(string(maps), "memfd:switchyard-image") - spare}
}

// spareIsolates are what the shared Runtime keeps by design, once it makes no more.
func spareIsolates(t testing.TB) (spare int) {
	rt, err := testRuntime()
	if err != nil {
		return 0
	}
	waitFor(t, "spare isolates to be made", func() bool {
		rt.warm.mu.Lock()
		defer rt.warm.mu.Unlock()
		spare = len(rt.warm.mu.spare)
		return !rt.warm.mu.filling
	})
	return spare
}

// TestRefusedUploadsLeaveNothing: no file, no mapping, no goroutine.
func TestRefusedUploadsLeaveNothing(t *testing.T) {
	rt := jsRuntime(t)
	refused := []*Spec{
		jsSpec(`export default {`), jsSpec(`throw 1`), jsSpec(`export const x = 1`), jsSpec(`while (true);`),
		jsSpec(`import "./gone.js"`), {Name: "t", Main: "none"}, {MaxIsolates: -1},
		wasmSpec([]byte("\x00asm"), PolicyReuse), wasmSpec(readFile(t, "guest/c/hello.wasm")[:200], PolicyReuse),
	}
	tiny := jsSpec(handler(""))
	tiny.Memory = 1
	refused = append(refused, tiny)
	before := stateOfProcess(t)
	for range 3 {
		for i, spec := range refused {
			if p, err := rt.NewPool(context.Background(), spec); err == nil {
				p.Close()
				t.Errorf("upload %d was accepted", i)
			}
		}
	}
	var after processState
	waitFor(t, "everything to be given back", func() bool { after = stateOfProcess(t); return !after.exceeds(before) })
}

// TestRuntimesLeaveNothing: what a Runtime has is given back by Close.
func TestRuntimesLeaveNothing(t *testing.T) {
	round := func() {
		rt, err := NewRuntime(Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := rt.NewPool(context.Background(), wasmSpec(readFile(t, "guest/c/hello.wasm"), PolicyReuse))
		if err != nil {
			t.Fatal(err)
		}
		if got := wasmAsk(t, p, nil, "/"); got != "Hello" {
			t.Fatal(got)
		}
		p.Close()
		rt.Close()
	}
	round()
	before := stateOfProcess(t)
	for range 5 {
		round()
	}
	waitFor(t, "everything to be given back", func() bool { return !stateOfProcess(t).exceeds(before) })
}

// TestBadOptions are refused at once.
func TestBadOptions(t *testing.T) {
	for _, o := range []Options{{Memory: -1}, {Memory: 1 << 40}, {MaxIsolates: -1}, {Suspended: -1}, {StartupCPU: -1}, {WaitUntil: -1}} {
		if rt, err := NewRuntime(o); err == nil {
			rt.Close()
			t.Errorf("%+v was accepted", o)
		}
	}
}

// coreWorker has a path for every way that a call goes on or ends.
const coreWorker = `
const bytes = (n) => new Uint8Array(n).fill(7);
let shared;
export default { async fetch(request, env, ctx) {
	const path = new URL(request.url).pathname;
	switch (path) {
	case "/hello": return new Response("hello");
	case "/echo": return new Response(request.body);
	case "/read": return new Response(String((await request.bytes()).length));
	case "/spin": while (true);
	case "/throw": throw new Error("on purpose");
	case "/never": return new Promise(() => {});
	case "/timer": await scheduler.wait(3); return new Response("later");
	case "/timers": await Promise.all(Array.from({ length: 200 }, (_, i) => scheduler.wait(i % 7))); return new Response("later");
	case "/fetch": return fetch("http://o.test/small");
	case "/parallel": return new Response((await Promise.all([1, 2, 3].map(() => fetch("http://o.test/stream").then((r) => r.text())))).join("").length);
	case "/fail": await fetch("http://o.test/fail"); break;
	case "/pass": return fetch("http://o.test/stream");
	case "/abort": { const a = new AbortController(); const p = fetch("http://o.test/slow", { signal: a.signal }); await scheduler.wait(1); a.abort(); await p.catch(() => {}); return new Response("gone"); }
	case "/upload": return fetch("http://o.test/upload", { method: "POST", body: new ReadableStream({ pull(c) { c.enqueue(bytes(50000)); if (Math.random() < 0.2) c.close(); } }) });
	case "/stream": { let n = 0; return new Response(new ReadableStream({ async pull(c) { if (n++ % 5 === 0) await scheduler.wait(1); c.enqueue(bytes(30000)); if (n === 20) c.close(); } })); }
	case "/broken": { let n = 0; return new Response(new ReadableStream({ pull(c) { if (n++ > 3) c.error(new Error("broken")); else c.enqueue(bytes(40000)); } })); }
	case "/spinning": return new Response(new ReadableStream({ pull(c) { c.enqueue(bytes(70000)); while (true); } }));
	case "/tail": ctx.waitUntil(scheduler.wait(5).then(() => console.log("tail"))); return new Response("early");
	case "/tailspin": ctx.waitUntil(scheduler.wait(2).then(() => { while (true); })); return new Response("early");
	case "/share": shared ??= scheduler.wait(2).then(() => fetch("http://o.test/small")); await shared; shared = undefined; return new Response("shared");
	case "/leave": fetch("http://o.test/slow"); setTimeout(() => {}, 1000); return new Response("left");
	}
} };`

var corePaths = strings.Fields("/hello /hello /hello /echo /read /spin /throw /never /timer /timers /fetch /parallel /fail /pass /abort " +
	"/upload /stream /stream /broken /spinning /tail /tailspin /share /leave")

// origin answers the fetches of coreWorker.
func origin(ctx context.Context, _ *Call, sub *Subrequest) (*Response, error) {
	url := string(sub.Request.Head.URL())
	if s := sub.Request.Body.Stream; s != nil {
		io.CopyN(io.Discard, s, 200_000)
	}
	switch {
	case strings.HasSuffix(url, "/fail"):
		return nil, errors.New("connection refused")
	case strings.HasSuffix(url, "/slow"):
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	case strings.HasSuffix(url, "/stream"):
		r := testResponse(200, "")
		r.Body = Body{Stream: io.NopCloser(strings.NewReader(strings.Repeat("s", 150_000))), Length: 150_000}
		return r, nil
	}
	return testResponse(200, "small"), nil
}

// TestCoreHammer runs calls of every kind in shared isolates, with kills, clients that leave,
// readers that are slow or go, and the pool closed under them; then everything must be back.
func TestCoreHammer(t *testing.T) {
	rt := jsRuntime(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	before := stateOfProcess(t)
	for round := range 6 {
		spec := jsSpec(coreWorker)
		spec.Policy = Policy(round % 2)
		spec.Suspended, spec.MaxIsolates = 1+rng.IntN(8), 1+rng.IntN(4)
		t.Run(fmt.Sprintf("policy %d, %d isolates of %d", spec.Policy, spec.MaxIsolates, spec.Suspended), func(t *testing.T) {
			p, err := rt.NewPool(context.Background(), spec)
			if err != nil {
				t.Fatal(err)
			}
			early := round >= 4
			var group sync.WaitGroup
			for i := range 12 {
				h := &coreHammer{rng: rand.New(rand.NewPCG(seed, uint64(100*round+i+1))), pool: p, t: t, early: early}
				group.Go(h.run)
			}
			if early {
				time.Sleep(time.Duration(rng.IntN(100)) * time.Millisecond)
				p.Close()
			}
			group.Wait()
			p.Close()
			waitFor(t, "the pool to drain", func() bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return p.mu.drained && p.mu.count == 0 && p.mu.calls+p.mu.joint == 0 && len(p.mu.waiting)+len(p.mu.idle)+len(p.mu.seated)+p.slots.full() == 0
			})
		})
	}
	var after processState
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if after = stateOfProcess(t); !after.exceeds(before) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	}
	if n := rt.lane.taken(); n != 0 || rt.lane.crowded() {
		t.Errorf("%d tokens of the lane are out", n)
	}
}

type coreHammer struct {
	rng   *rand.Rand
	pool  *Pool
	t     *testing.T
	early bool // the pool closes meanwhile
	call  Call // used again and again
}

func (h *coreHammer) run() {
	for range 40 {
		h.once()
	}
}

func (h *coreHammer) once() {
	path := corePaths[h.rng.IntN(len(corePaths))]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if h.rng.IntN(4) == 0 {
		time.AfterFunc(time.Duration(h.rng.IntN(8000))*time.Microsecond, cancel)
	}
	r := testRequest("POST", "http://a.test"+path, strings.Repeat("b", h.rng.IntN(40_000)))
	if h.rng.IntN(2) == 0 {
		r.Body = Body{Stream: io.NopCloser(strings.NewReader(strings.Repeat("b", h.rng.IntN(200_000)))), Length: -1}
	}
	done := make(chan struct{})
	c := &h.call
	c.Context, c.Host, c.Request = ctx, &fakeHost{fetch: origin}, r
	c.Limits = Limits{CPU: 20 * time.Millisecond, Wall: time.Duration(h.rng.IntN(3)) * 2 * time.Second}
	c.Done = func(*Call, Usage) { close(done) }
	resp, err := h.pool.Invoke(c)
	if err == nil {
		h.read(resp)
	} else if !h.expected(err) {
		h.t.Errorf("%s: %v", path, err)
	}
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		h.t.Fatalf("%s was never done: %+v", path, h.pool.Stats())
	}
}

// read reads the body: not at all, a part, slowly, or whole.
func (h *coreHammer) read(r *Response) {
	defer r.Release()
	if r.Body.Stream == nil {
		return
	}
	switch h.rng.IntN(4) {
	case 0:
	case 1:
		io.CopyN(io.Discard, r.Body.Stream, int64(h.rng.IntN(100_000)))
	case 2:
		for range 10 {
			time.Sleep(time.Millisecond)
			if _, err := r.Body.Stream.Read(make([]byte, 10_000)); err != nil {
				return
			}
		}
	default:
		io.Copy(io.Discard, r.Body.Stream)
	}
}

func (h *coreHammer) expected(err error) bool {
	for _, known := range []error{ErrCPULimit, ErrCanceled, ErrReset, ErrNoResponse, ErrWallLimit} {
		if errors.Is(err, known) {
			return true
		}
	}
	thrown := (*Exception)(nil)
	return errors.As(err, &thrown) || h.early && errors.Is(err, ErrClosed)
}

// TestNoMemory: a Worker whose memory has no page at first is one like any other.
func TestNoMemory(t *testing.T) {
	for _, pages := range []byte{0, 1} {
		source := []byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x01\x7f\x00\x03\x02\x01\x00\x05\x03\x01\x00" + string(pages) +
			"\x07\x13\x02\x06memory\x02\x00\x06handle\x00\x00\x0a\x09\x01\x07\x00\x41\x00\x40\x00\x1a\x0b")
		p, err := wasmRuntime(t).NewPool(context.Background(), wasmSpec(source, PolicyRequest))
		if err != nil {
			t.Errorf("%d pages: %v", pages, err)
			continue
		}
		for range 2 {
			wants(t, p, nil, wasmRequest("GET", "/", Body{}), "error: never generate a response")
		}
		p.Close()
	}
}
