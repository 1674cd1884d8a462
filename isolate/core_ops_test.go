package isolate

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// testCall is a call without an isolate, as between begin and finish.
func testCall() *Call {
	c := &Call{Context: context.Background()}
	c.begin(nil)
	return c
}

// TestStreamEndsBesideAWaitingWrite: what a write waited for is over, and the Call is clean.
func TestStreamEndsBesideAWaitingWrite(t *testing.T) {
	for _, end := range []string{"guest ends", "reader closes", "finish", "reader reads"} {
		c := testCall()
		out := newGuestStream(c)
		c.state.out = out
		op := c.newOperation(1, opWrite, opRunning)
		if _, full := out.write(make([]byte, streamWindow), op); !full {
			t.Fatal("a window's worth does not fill the window")
		}
		switch end {
		case "guest ends":
			c.endStream(out, nil)
		case "reader closes":
			out.Close()
		case "reader reads":
			io.CopyN(io.Discard, out, streamWindow)
		}
		if got, _ := c.take(); end != "finish" && got != op {
			t.Errorf("%s: the write was not completed", end)
		}
		c.finish()
		s := &c.state
		if len(s.mu.live) != 0 || s.mu.running != 0 || s.held.Load() != 0 {
			t.Errorf("%s: %d live, %d running, %d bytes held", end, len(s.mu.live), s.mu.running, s.held.Load())
		}
	}
}

// TestStreamBound: a guest that does not wait is refused, one that writes too much ends.
func TestStreamBound(t *testing.T) {
	c := testCall()
	defer c.finish()
	out := newGuestStream(c)
	c.state.out = out
	op := c.newOperation(1, opWrite, opRunning)
	out.write(make([]byte, streamWindow), op)
	if ok, _ := out.write([]byte("x"), nil); ok {
		t.Error("a second write was taken while the first one waits")
	}
	defer func() {
		if r := recover(); r != ErrMemoryLimit {
			t.Errorf("ended by %v, want %v", r, ErrMemoryLimit)
		}
	}()
	for range 3 {
		newGuestStream(c).write(make([]byte, maxHeld/2), nil)
	}
}

// TestQueueAndLive compares the call's lists with plain ones.
func TestQueueAndLive(t *testing.T) {
	c := testCall()
	s := &c.state
	const n = maxOperations
	for id := range uint32(n) {
		c.newOperation(id, opTimer, opReady)
	}
	if c.newOperation(n, opTimer, opReady) != nil {
		t.Error("one more than maxOperations was taken")
	}
	for id := range uint32(n / 2) {
		c.stop(2 * id)
	}
	for id := range uint32(n / 2) {
		if op, _ := c.take(); op == nil || op.id != 2*id+1 {
			t.Fatalf("got %+v, want operation %d", op, 2*id+1)
		}
	}
	if len(s.mu.live) != 0 || s.mu.ready.len() != 0 {
		t.Errorf("%d live, %d ready", len(s.mu.live), s.mu.ready.len())
	}
	c.finish()
}

// TestForgottenFetch: it is told to stop, and nobody waits for it.
func TestForgottenFetch(t *testing.T) {
	stopped := make(chan struct{})
	host := &fakeHost{fetch: func(ctx context.Context, _ *Call, _ *Subrequest) (*Response, error) {
		<-ctx.Done()
		close(stopped)
		return nil, ctx.Err()
	}}
	p := newTestPool(t, jsSpec(handler(`
		const a = new AbortController(), other = scheduler.wait(20);
		fetch("http://o.test/", { signal: a.signal }).catch(() => {});
		await other; a.abort(); await new Promise(() => {});`)))
	start := time.Now()
	wants(t, p, host, testRequest("GET", "http://a.test/", ""), "error: never generate a response")
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Error("the fetch went on")
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("the call took %v", d)
	}
}

// bugLog counts what the operator is told of bugs.
type bugLog struct {
	slog.Handler
	n     atomic.Int32
	stack atomic.Int32
}

func (b *bugLog) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "BUG:") {
		b.n.Add(1)
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "stack" && strings.Contains(a.Value.String(), "core_ops_test.go") {
				b.stack.Add(1)
			}
			return true
		})
	}
	return nil
}

type panickingHost struct {
	log bool
}

func (h *panickingHost) Fetch(_ context.Context, _ *Call, sub *Subrequest) (*Response, error) {
	sub.Request.Release() // it is the host's: nobody may give it back again
	panic("BUG: on purpose")
}

func (h *panickingHost) Log(*Call, LogLevel, []byte) {
	if h.log {
		panic("BUG: on purpose")
	}
}

// TestHostPanics: the guest goes on, or catches an error without our words in it; the operator gets the stack, once.
func TestHostPanics(t *testing.T) {
	rt := jsRuntime(t)
	bugs := &bugLog{Handler: slog.DiscardHandler}
	defer func(l *slog.Logger) { rt.options.Logger = l }(rt.options.Logger)
	rt.options.Logger = slog.New(enabled{bugs})
	for _, s := range []struct {
		name, body, want string
		log              bool
	}{
		{"fetch inline", `try { await fetch("http://o.test/") } catch (e) { return new Response(e.message) }`, "200 internal error", false},
		{"fetch beside another", `const w = scheduler.wait(1); try { await fetch("http://o.test/") } catch (e) { await w; return new Response(e.message) }`, "200 internal error", false},
		{"log", `console.log("x"); return new Response("ok")`, "200 ok", true},
	} {
		t.Run(s.name, func(t *testing.T) {
			bugs.n.Store(0)
			bugs.stack.Store(0)
			p := newTestPool(t, jsSpec(handler(s.body)))
			wants(t, p, &panickingHost{log: s.log}, testRequest("GET", "http://a.test/", ""), s.want)
			if bugs.n.Load() != 1 || bugs.stack.Load() != 1 {
				t.Errorf("%d log lines, %d with the stack; want one", bugs.n.Load(), bugs.stack.Load())
			}
		})
	}
}

// enabled hands everything to a handler.
type enabled struct{ *bugLog }

func (enabled) Enabled(context.Context, slog.Level) bool { return true }

// TestBodyLimits: by declared length, by bytes, and while a stream is read.
func TestBodyLimits(t *testing.T) {
	js := newTestPool(t, jsSpec(handler(`
		const u = new URL(request.url).pathname;
		if (u === "/read") return new Response((await request.bytes()).length);
		const bytes = new Uint8Array(1001);
		if (u === "/bytes") return new Response(bytes);
		return new Response(new ReadableStream({ pull(c) { c.enqueue(bytes); c.close(); } }));`)))
	for _, s := range []struct {
		path              string
		body              Body
		request, response int64
		want              string
	}{
		{"/read", Body{Bytes: make([]byte, 1000)}, 1000, 0, "200 1000"},
		{"/read", Body{Bytes: make([]byte, 1001)}, 1000, 0, "error: Body exceeds"},
		{"/read", Body{Stream: io.NopCloser(strings.NewReader(strings.Repeat("x", 1000))), Length: -1}, 1000, 0, "200 1000"},
		{"/read", Body{Stream: io.NopCloser(strings.NewReader(strings.Repeat("x", 1001))), Length: -1}, 1000, 0, "error: Body exceeds"},
		{"/read", Body{Stream: io.NopCloser(strings.NewReader("")), Length: 1001}, 1000, 0, "error: Body exceeds"},
		{"/bytes", Body{}, 0, 1001, "200"},
		{"/bytes", Body{}, 0, 1000, "error: Response body exceeds"},
		{"/stream", Body{}, 0, 1001, "200"},
		{"/stream", Body{}, 0, 1000, "error: Response body exceeds"},
	} {
		r := testRequest("POST", "http://a.test"+s.path, "")
		r.Body = s.body
		c := &Call{Context: context.Background(), Request: r, Limits: Limits{RequestBytes: s.request, ResponseBytes: s.response}}
		resp, err := js.Invoke(c)
		got := ""
		if err == nil {
			var text string
			text, err = answerText(resp)
			got = fmt.Sprintf("%d %s", 200, text)
		}
		if text, ok := strings.CutPrefix(s.want, "error: "); ok && (err == nil || !strings.Contains(err.Error(), text)) || !ok && (err != nil || !strings.HasPrefix(got, s.want)) {
			t.Errorf("%s, request %d, response %d: %.20q, error %v; want %q", s.path, s.request, s.response, got, err, s.want)
		}
	}
}

// TestHeldBytes: a guest cannot have the host keep more for it than it may have itself.
func TestHeldBytes(t *testing.T) {
	host := &fakeHost{fetch: func(ctx context.Context, _ *Call, _ *Subrequest) (*Response, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	p := newTestPool(t, jsSpec(handler(`
		const body = new Uint8Array(30e6);
		await Promise.all([1, 2, 3, 4, 5, 6].map((i) => fetch("http://o.test/" + i, { method: "POST", body })));`)))
	_, err := p.Invoke(&Call{Context: context.Background(), Host: host, Request: testRequest("GET", "http://a.test/", "")})
	if err != ErrMemoryLimit {
		t.Errorf("got %v, want %v", err, ErrMemoryLimit)
	}
}

// TestSmallHeap: a Worker with little memory has a limit, not none.
func TestSmallHeap(t *testing.T) {
	spec := jsSpec(handler(`const list = []; try { for (;;) list.push(new Uint8Array(1 << 20)) } catch (e) { return new Response(String(list.length)) }`))
	spec.Memory = 6 << 20
	p := newTestPool(t, spec)
	got, err := ask(p, nil, testRequest("GET", "http://a.test/", ""))
	if err != nil || got > "200 5" {
		t.Errorf("%q MiB, error %v; want at most 5", got, err)
	}
}

// TestLongDomain: mapping a domain takes the square of its length, and cannot be stopped.
func TestLongDomain(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`
		let s = ""; for (let i = 0; i < 20000; i++) s += String.fromCodePoint(0x4e00 + i);
		try { new URL("http://" + s + ".test/") } catch (e) { return new Response(e.name) }`)))
	start := time.Now()
	wants(t, p, nil, testRequest("GET", "http://a.test/", ""), "200 TypeError")
	if d := time.Since(start); d > 500*time.Millisecond {
		t.Errorf("took %v", d)
	}
}

// TestLogBytes: no line and no flood of lines is larger than the limit.
func TestLogBytes(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`for (let i = 0; i < 5000; i++) console.log(""); console.log("y".repeat(1e6)); return new Response("ok")`)))
	host := new(fakeHost)
	c := &Call{Context: context.Background(), Host: host, Request: testRequest("GET", "http://a.test/", ""), Limits: Limits{LogBytes: 1000}}
	r, err := p.Invoke(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
	if n := len(host.mu.lines); n != 1001 || !strings.Contains(host.mu.lines[1000], "log limit") {
		t.Errorf("%d lines, the last is %q: want the 1000 that the limit has room for, and one that says so", n, host.mu.lines[n-1])
	}
	host = new(fakeHost)
	c = &Call{Context: context.Background(), Host: host, Request: testRequest("GET", "http://a.test/", "")}
	if r, err = p.Invoke(c); err != nil {
		t.Fatal(err)
	}
	r.Release()
	if last := host.mu.lines[len(host.mu.lines)-1]; len(last) > maxLine+10 {
		t.Errorf("a line of %d bytes", len(last))
	}
}

// TestCancelWhileReading: a guest that cancels a body ends the read that waits for it.
func TestCancelWhileReading(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`
		const reader = (await fetch("http://o.test/")).body.getReader(), read = reader.read();
		await scheduler.wait(10); await reader.cancel(); await read; await new Promise(() => {})`)))
	body := make(stalledBody)
	host := &fakeHost{fetch: func(context.Context, *Call, *Subrequest) (*Response, error) {
		r := testResponse(200, "")
		r.Body = Body{Stream: body, Length: -1}
		return r, nil
	}}
	wants(t, p, host, testRequest("GET", "http://a.test/", ""), "error: never generate a response")
}

// TestStoppedWhileItRuns: a fetch that the guest stops, and that still runs when its call is over, counts once.
func TestStoppedWhileItRuns(t *testing.T) {
	c := testCall()
	op := c.newOperation(1, opFetch, opRunning)
	c.stop(1)
	c.finish()
	op.settle(nil)
	if s := &c.state; len(s.mu.live) != 0 || s.mu.running != 0 || s.mu.dropped != 0 {
		t.Fatalf("%d live, %d running, %d dropped", len(s.mu.live), s.mu.running, s.mu.dropped)
	}
	c.begin(nil) // the record's next call
	c.newOperation(2, opTimer, opRunning)
	if !c.state.waiting() {
		t.Error("a call that waits for an operation does not wait")
	}
}
