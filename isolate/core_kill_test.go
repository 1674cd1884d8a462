package isolate

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// hostileScripts are bodies that never end, or take far more than their CPU limit, each by
// another part of the engine.
var hostileScripts = []struct{ name, body string }{
	{"while(true)", `while (true);`},
	{"promise flood", `const f = () => Promise.resolve().then(f).then(f); f(); await new Promise(() => {})`},
	{"await loop", `for (;;) await null`},
	{"regex backtracking", `/^(a+)+$/.test("a".repeat(40) + "b")`},
	{"sort with a comparator", `Array.from({ length: 5e5 }, (_, i) => (i * 7919) % 500009).sort((a, b) => a - b)`},
	{"sort of strings", `Array.from({ length: 2e5 }, (_, i) => String((i * 7919) % 200003)).sort()`},
	{"BigInt power", `3n ** 2000000n`},
	{"BigInt to text", `(3n ** 200000n).toString()`},
	{"Array.fill", `Array(3e7).fill(0)`},
	{"indexOf", `const s = "a".repeat(2e7); for (let i = 0; i < 200; i++) s.indexOf("b")`},
	{"indexOf, bad needle", `const s = "a".repeat(2e7); for (;;) s.indexOf("a".repeat(50) + "b")`},
	{"JSON.stringify", `const o = Array.from({ length: 2e5 }, (_, i) => ({ i })); for (;;) JSON.stringify(o)`},
	{"JSON.parse", `const s = "[" + "1,".repeat(2e6) + "1]"; for (;;) JSON.parse(s)`},
	{"growing text", `let s = ""; for (let i = 0; ; i++) s += "x".repeat(1000)`},
	{"allocate and fill", `for (;;) new Uint8Array(60e6).fill(1)`},
	{"copyWithin", `const a = new Uint8Array(60e6); for (;;) a.copyWithin(1, 0)`},
	{"slice", `const a = new Uint8Array(40e6); for (;;) a.slice()`},
	{"first touch", `const a = new Uint8Array(100e6); for (let i = 0; ; i = (i + 4096) % 100e6) a[i] = 1`},
	{"TypedArray.set", `const a = new Uint8Array(60e6); for (;;) a.set(a.subarray(0, 59e6), 1000)`},
	{"deep recursion", `const f = (n) => { try { return f(n + 1) + 1 } catch { return n } }; for (;;) f(0)`},
	{"regex compiling", `for (;;) { try { new RegExp("(".repeat(500) + "a" + ")".repeat(500)) } catch {} }`},
	{"join and split", `const a = Array(2e5).fill("abc"); for (;;) a.join(",").split(",")`},
	{"Math", `let x = 1; for (;;) x = Math.sin(Math.pow(x, 1.1))`},
	{"parseFloat", `const s = "1".repeat(1e6); for (;;) parseFloat(s)`},
	{"normalize", `const s = "ä".repeat(2e6); for (;;) s.normalize("NFD").toLowerCase()`},
	{"cycles", `for (;;) { let a = []; for (let i = 0; i < 3e5; i++) { const o = {}; o.o = o; a.push(o) } }`},
	{"long list freed", `for (;;) { let l = null; for (let i = 0; i < 5e5; i++) l = { l } }`},
	{"URLs", `for (;;) new URL("http://xn--" + "ü".repeat(200) + ".test/")`},
	{"random", `for (;;) crypto.getRandomValues(new Uint8Array(65536))`},
	{"console", `for (;;) console.log("x".repeat(1e6))`},
}

// TestKillOverrun measures how far beyond 10 ms of CPU time a kill comes, and prints it.
func TestKillOverrun(t *testing.T) {
	rounds := 12
	if testing.Short() || raceEnabled {
		rounds = 2
	}
	const limit = 10 * time.Millisecond
	var all []time.Duration
	for _, s := range hostileScripts {
		p := newTestPool(t, jsSpec(handler(s.body)))
		var over []time.Duration
		for range rounds {
			c := &Call{Context: context.Background(), Host: new(fakeHost), Request: testRequest("GET", "http://a.test/", ""), Limits: Limits{CPU: limit}}
			r, err := p.Invoke(c)
			switch {
			case err == nil:
				r.Release() // done within its limit after all
			case errors.Is(err, ErrCPULimit):
				over = append(over, c.Usage.CPU-limit)
			}
		}
		if all = append(all, over...); len(over) > 0 {
			t.Logf("%-24s %2d kills, beyond the limit: %v", s.name, len(over), spread(over))
		}
	}
	t.Logf("all: %v", spread(all))
	if worst := slices.Max(all); worst > 50*time.Millisecond {
		t.Errorf("a kill came %v late", worst)
	}
}

type figures struct{ p50, p99, max time.Duration }

func spread(list []time.Duration) figures {
	list = slices.Sorted(slices.Values(list))
	n := len(list) - 1
	return figures{list[n/2], list[n*99/100], list[n]}
}

// TestLane: hogs, some of them without a CPU limit, that share the slow lane all get on; what ends
// them while they wait ends them; and afterwards the lane is empty.
func TestLane(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`if (request.url.endsWith("/quiet")) return new Response("q"); while (true);`)))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var hogs, quiet sync.WaitGroup
	for i := range 10 {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		hogs.Go(func() {
			limits := Limits{CPU: 15 * time.Millisecond}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			switch i % 3 {
			case 1:
				limits = Limits{Wall: time.Duration(200+rng.IntN(100)) * time.Millisecond}
			case 2:
				limits = Limits{}
				time.AfterFunc(time.Duration(200+rng.IntN(100))*time.Millisecond, cancel)
			}
			start := time.Now()
			_, err := p.Invoke(&Call{Context: ctx, Request: testRequest("GET", "http://a.test/hog", ""), Limits: limits})
			if want := []error{ErrCPULimit, ErrWallLimit, ErrCanceled}[i%3]; !errors.Is(err, want) && !errors.Is(err, ErrReset) {
				t.Errorf("a hog ended with %v, want %v", err, want)
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("a hog ended after %v", d)
			}
		})
	}
	for range 50 {
		quiet.Go(func() { wants(t, p, nil, testRequest("GET", "http://a.test/quiet", ""), "200 q") })
		time.Sleep(time.Millisecond)
	}
	quiet.Wait()
	hogs.Wait()
	if n := p.rt.lane.taken(); n != 0 || p.rt.lane.crowded() {
		t.Errorf("%d tokens of the lane are out", n)
	}
}
