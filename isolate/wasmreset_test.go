package isolate

import (
	"context"
	"fmt"
	"testing"
)

// wasmAsk runs one call and returns the answer's text.
func wasmAsk(t testing.TB, p *Pool, h Host, path string) string {
	t.Helper()
	r, err := p.Invoke(&Call{Context: context.Background(), Host: h, Request: wasmRequest("GET", path, Body{})})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	text, err := answerText(r)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return text
}

func TestPolicyRequestLeavesNothing(t *testing.T) {
	rt := wasmRuntime(t)
	spec := wasmSpec(readFile(t, "testdata/canary.wasm"), PolicyRequest)
	spec.Memory = 4 << 20
	p := poolOf(t, rt, spec)
	for i := range 200 {
		for _, plant := range []string{"/plant", "/beyond"} {
			wasmAsk(t, p, nil, plant)
			if found := wasmAsk(t, p, nil, "/search"); found != "0" {
				t.Fatalf("round %d: after %s, %s secrets are readable", i, plant, found)
			}
		}
	}
	if s := p.Stats(); s.Isolates != 1 {
		t.Errorf("%d isolates, want the one that is reset", s.Isolates)
	}
}

// TestCanaryFinds proves that the search would notice: under reuse everything stays.
func TestCanaryFinds(t *testing.T) {
	rt := wasmRuntime(t)
	spec := wasmSpec(readFile(t, "testdata/canary.wasm"), PolicyReuse)
	spec.Memory = 4 << 20
	p := poolOf(t, rt, spec)
	wasmAsk(t, p, nil, "/plant")
	wasmAsk(t, p, nil, "/beyond")
	if found := wasmAsk(t, p, nil, "/search"); found < "2" {
		t.Errorf("found %s secrets under reuse, want those in data and fresh memory", found)
	}
}

func TestReseed(t *testing.T) {
	rt := wasmRuntime(t)
	for policy, name := range map[Policy]string{PolicyReuse: "reuse", PolicyRequest: "request"} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			const rounds = 50
			for range rounds {
				w := new(world)
				p := poolOf(t, rt, wasmSpec(readFile(t, "testdata/canary.wasm"), policy))
				wasmAsk(t, p, w, "/random")
				if policy == PolicyRequest {
					wasmAsk(t, p, w, "/random")
				}
				for _, line := range w.lines() {
					seen[line] = true
				}
			}
			if want := rounds; len(seen) < want {
				t.Errorf("%d different seeds in %d clones", len(seen), rounds)
			}
		})
	}
}

func TestWasmStateStays(t *testing.T) {
	rt := wasmRuntime(t)
	for policy, want := range map[Policy]string{PolicyReuse: "3", PolicyRequest: "1"} {
		p := poolOf(t, rt, wasmSpec(readFile(t, "guest/c/example.wasm"), policy))
		for range 2 {
			wasmAsk(t, p, nil, "/count")
		}
		if got := wasmAsk(t, p, nil, "/count"); got != want {
			t.Errorf("policy %d: the third request counts %s, want %s", policy, got, want)
		}
	}
}

func TestWasmClonesDiffer(t *testing.T) {
	rt := wasmRuntime(t)
	p := poolOf(t, rt, wasmSpec(readFile(t, "guest/c/example.wasm"), PolicyRequest))
	seen := map[string]bool{}
	for range 100 {
		seen[wasmAsk(t, p, nil, "/random")] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different random numbers in 100 requests", len(seen))
	}
}

// warmHello is one call of the smallest guest, as the engine would make it: call, request and
// response are used again.
func warmHello(t testing.TB, policy Policy) func() {
	rt := wasmRuntime(t)
	p := poolOf(t, rt, wasmSpec(readFile(t, "guest/c/hello.wasm"), policy))
	c := &Call{Context: context.Background()}
	req := wasmRequest("GET", "/", Body{})
	req.Free = nil
	return func() {
		c.Request = req
		r, err := p.Invoke(c)
		if err != nil || string(r.Body.Bytes) != "Hello" {
			panic(fmt.Sprint("hello: ", err))
		}
		r.Release()
	}
}

func TestWasmHelloAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for policy, name := range map[Policy]string{PolicyReuse: "reuse", PolicyRequest: "request"} {
		t.Run(name, func(t *testing.T) {
			call := warmHello(t, policy)
			call()
			if n := testing.AllocsPerRun(2000, call); n > 0 {
				t.Errorf("%v allocations a call, want none", n)
			}
		})
	}
}

// BenchmarkWasmGuests is /hello in every example.
func BenchmarkWasmGuests(b *testing.B) {
	rt := wasmRuntime(b)
	for _, g := range exampleGuests {
		source := g.build(b)
		for policy, name := range map[Policy]string{PolicyReuse: "reuse", PolicyRequest: "request"} {
			b.Run(g.name+"/"+name, func(b *testing.B) {
				p := poolOf(b, rt, wasmSpec(source, policy))
				wasmAsk(b, p, nil, "/hello")
				b.ReportAllocs()
				for b.Loop() {
					wasmAsk(b, p, nil, "/hello")
				}
			})
		}
	}
}

func BenchmarkWasmHello(b *testing.B) {
	for policy, name := range map[Policy]string{PolicyReuse: "reuse", PolicyRequest: "request"} {
		b.Run(name, func(b *testing.B) {
			call := warmHello(b, policy)
			call()
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
