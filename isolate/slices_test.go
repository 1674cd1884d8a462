package isolate

import (
	"context"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"switchyard/isolate/js"
)

// TestSlices prints how long guests run from yield to yield, in CPU time, whatever they do: that is
// what everybody else waits. It is a table to read: run it with -v.
func TestSlices(t *testing.T) {
	limit, rounds := 150*time.Millisecond, 2
	if !testing.Verbose() || testing.Short() || raceEnabled {
		limit, rounds = 10*time.Millisecond, 1
	}
	runtime.LockOSThread() // the guests' thread too: its clock is theirs
	defer runtime.UnlockOSThread()
	w := new(sliceWatch)
	rt, err := NewRuntime(w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	for _, s := range hostileGuests(t) {
		p := poolOf(t, rt, s.spec)
		w.took = nil
		for range rounds {
			c := &Call{Context: context.Background(), Host: hungryHost(), Request: testRequest("GET", "http://a.test"+s.path, ""), Limits: Limits{CPU: limit, Wall: 5 * time.Second}}
			if r, err := p.Invoke(c); err == nil {
				r.Release()
			}
		}
		p.Close()
		if len(w.took) == 0 {
			t.Errorf("%s never gave its processor back", s.name)
		}
		f := spread(w.took)
		t.Logf("%-24s %5d slices, p50 %6.0f p99 %6.0f max %6.0f µs", s.name, len(w.took), micros(f.p50), micros(f.p99), micros(f.max))
	}
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }

// sliceWatch measures slices by the clock of the thread that all of them run on.
type sliceWatch struct {
	began time.Duration
	open  bool
	took  []time.Duration
}

func (w *sliceWatch) options(t *testing.T) Options {
	if _, ok := threadCPU(); !ok {
		t.Skip("there is no thread clock")
	}
	engine, err := js.Engine()
	if err != nil {
		t.Skip(err)
	}
	return Options{Engine: engine, Prelude: js.Prelude(), slice: w.see}
}

// see is called on the thread of the guest: of spare isolates, which others make, it sees nothing.
func (w *sliceWatch) see(begins bool) {
	now, _ := threadCPU()
	if !begins && w.open {
		w.took = append(w.took, now-w.began)
	}
	w.began, w.open = now, begins
}

// hungryHost reads the bodies of requests to the end.
func hungryHost() Host {
	return &fakeHost{fetch: func(_ context.Context, _ *Call, sub *Subrequest) (*Response, error) {
		if s := sub.Request.Body.Stream; s != nil {
			io.Copy(io.Discard, s)
		}
		return testResponse(200, "eaten"), nil
	}}
}

type hostileGuest struct {
	name string
	spec *Spec
	path string
}

// hostileGuests are hostileScripts, large copies of the host's and of the engine's natives, and the same in wasm.
func hostileGuests(t *testing.T) (list []hostileGuest) {
	scripts := append(hostileScripts[:len(hostileScripts):len(hostileScripts)], []struct{ name, body string }{
		{"large response", `return new Response(new Uint8Array(90e6).fill(1))`},
		{"large fetches", `const body = new Uint8Array(50e6); for (;;) await fetch("http://o.test/", { method: "POST", body })`},
		{"large stream", `const a = new Uint8Array(50e6); const body = new ReadableStream({ pull(c) { c.enqueue(a.slice()) } })
			await fetch("http://o.test/", { method: "POST", body })`},
		{"TextDecoder", `const a = new Uint8Array(20e6).fill(97), d = new TextDecoder(); for (;;) d.decode(a)`},
		{"TextEncoder", `const s = "ä".repeat(1e7), e = new TextEncoder(); for (;;) e.encode(s)`},
		{"btoa", `const s = "a".repeat(1e7); for (;;) btoa(s)`},
		{"structuredClone", `const a = new Uint8Array(40e6); for (;;) structuredClone(a)`},
		{"Blob", `const a = new Uint8Array(20e6); for (;;) await new Blob([a, a]).arrayBuffer()`},
		{"digest", `const a = new Uint8Array(50e6); for (;;) await crypto.subtle.digest("SHA-256", a)`},
		{"Headers", `for (;;) new Headers(Array.from({ length: 1000 }, (_, i) => ["x" + i, "v"]))`},
	}...)
	for _, s := range scripts {
		list = append(list, hostileGuest{s.name, jsSpec(handler(s.body)), "/"})
	}
	source, err := os.ReadFile("testdata/hostile.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{
		"a loop", "deep recursion", "call_indirect", "divisions", "floats", "memory.fill", "memory.copy", "first touch", "every line touched", "memory.grow",
		"now", "random", "random_get of 62 MB", "log of 62 MB", "env", "request_head", "response of 62 MB", "stream_write", "table.grow", "table.fill", "62 million lines", "8 million buffers",
	} {
		list = append(list, hostileGuest{"wasm: " + name, wasmSpec(source, PolicyRequest), "/" + string(rune('a'+i))})
	}
	return list
}
