package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"switchyard/isolate/js"
)

// smallRuntime is a Runtime of its own with the engine, closed and found empty at the end.
func smallRuntime(t testing.TB, o Options) *Runtime {
	t.Helper()
	jsRuntime(t) // skips without an engine
	o.Engine, _ = js.Engine()
	o.Prelude = js.Prelude()
	rt, err := NewRuntime(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		rt.Close()
		if s := rt.Stats(); s.Isolates != 0 || s.Spare != 0 || s.Reckoned != 0 || s.ImageBytes != 0 {
			t.Errorf("after Close there is %+v", s)
		}
	})
	return rt
}

// warmthOf makes one call and says how its isolate came to be.
func warmthOf(t *testing.T, p *Pool, want string) Warmth {
	t.Helper()
	c := &Call{Context: context.Background(), Host: new(fakeHost), Request: testRequest("GET", "http://a.test/", "")}
	r, err := p.Invoke(c)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := answerText(r)
	if got != want {
		t.Fatalf("answered %q, want %q", got, want)
	}
	return c.Isolate
}

func tenant(i int) (spec *Spec, answer string) {
	answer = fmt.Sprintf("tenant %d: 1", i)
	return jsSpec(fmt.Sprintf(`const secret = "canary %d".repeat(%d); let n = 0;
		export default { fetch() { globalThis.left = secret + n; return new Response("tenant %d: " + ++n) } }`, i, 1+i*300, i)), answer
}

// TestReskin: with room for few isolates many versions share them, and each finds its own state and
// nothing else's.
func TestReskin(t *testing.T) {
	rt := smallRuntime(t, Options{most: 4})
	var pools []*Pool
	var answers []string
	for i := range 12 {
		spec, answer := tenant(i)
		pools, answers = append(pools, poolOf(t, rt, spec)), append(answers, answer)
	}
	seen := map[Warmth]int{}
	for range 5 {
		for i, p := range pools {
			seen[warmthOf(t, p, answers[i])]++
		}
	}
	if seen[Reskin] < 50 {
		t.Errorf("isolates were %v, nearly all should be re-skinned", seen)
	}
	if n := rt.Stats().Isolates; n > 4 {
		t.Errorf("there are %d isolates", n)
	}
}

// TestReskinEqualsClone compares all of a re-skinned isolate, memory and globals, with a clone, by
// every way of resetting.
func TestReskinEqualsClone(t *testing.T) {
	for _, method := range []resetMethod{resetScan, resetRead, resetRemap} {
		t.Run(method.String(), func(t *testing.T) {
			if best, err := bestReset(); best > method {
				t.Skip(err)
			}
			rt := smallRuntime(t, Options{reset: method})
			big := jsSpec(`const kept = []; for (let i = 0; i < 20000; i++) kept.push({ i, s: "x" + i });` + "\n" +
				`export default { fetch() { kept.push(1); return new Response("big") } }`)
			pools := []*Pool{poolOf(t, rt, big)}
			for i := range 4 {
				spec, _ := tenant(i)
				pools = append(pools, poolOf(t, rt, spec))
			}
			if pools[0].snapshot.image.base != nil || pools[1].snapshot.image.base == nil {
				t.Fatal("the big one should have an image of its own, the small one a skin")
			}
			is, err := rt.newIsolate(rt.js.module, rt.js.base, js.Export)
			if err != nil {
				t.Fatal(err)
			}
			defer is.close()
			for round := range 20 {
				p := pools[round*3%len(pools)]
				if err := is.become(p.snapshot); err != nil {
					t.Fatal(err)
				}
				equalsClone(t, p, is)
				c := &Call{Context: context.Background(), Host: new(fakeHost), Request: testRequest("POST", "http://a.test/", strings.Repeat("canary", 5000))}
				c.begin(p)
				is.turn.Lock()
				c.state.is, c.state.id = is, is.nextID()
				err = is.event(c)
				is.memory.learn()
				is.turn.Unlock()
				if err != nil {
					t.Fatal(err)
				}
				c.finish()
			}
		})
	}
}

func equalsClone(t *testing.T, p *Pool, is *Isolate) {
	t.Helper()
	fresh, err := p.rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.close()
	if !bytes.Equal(is.memory.bytes, fresh.memory.bytes) {
		t.Error("its memory differs from a fresh one")
	}
	for i, g := range is.globals {
		if g.Get() != fresh.globals[i].Get() {
			t.Errorf("global %s is %d, was %d", p.module.rewritten.Globals[i], g.Get(), fresh.globals[i].Get())
		}
	}
	if is.names != nil || is.log.line != nil || is.from != p.snapshot || len(is.calls) > 0 {
		t.Error("the host kept something")
	}
}

// TestReskinRandomness: an isolate that became the same version again goes on with other numbers.
func TestReskinRandomness(t *testing.T) {
	rt := smallRuntime(t, Options{most: 1})
	dice := poolOf(t, rt, jsSpec(handler(`return new Response(String(Math.random()))`)))
	spec, answer := tenant(1)
	other := poolOf(t, rt, spec)
	seen := map[string]bool{}
	for range 200 {
		got, err := ask(dice, nil, testRequest("GET", "http://a.test/", ""))
		if err != nil {
			t.Fatal(err)
		}
		seen[got] = true
		warmthOf(t, other, answer)
	}
	if len(seen) != 200 {
		t.Errorf("%d different numbers in 200 calls", len(seen))
	}
}

// TestNoRoom: a call for which no isolate can be had is told so, or waits for one of its version.
func TestNoRoom(t *testing.T) {
	rt := smallRuntime(t, Options{most: 1})
	waiting := poolOf(t, rt, jsSpec(handler(`await fetch("http://o.test/"); return new Response("done")`)))
	spec, answer := tenant(1)
	other := poolOf(t, rt, spec)
	release := make(chan struct{})
	host := &fakeHost{fetch: func(context.Context, *Call, *Subrequest) (*Response, error) {
		<-release
		return testResponse(200, ""), nil
	}}
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { wants(t, waiting, host, testRequest("GET", "http://a.test/", ""), "200 done") })
	}
	waitFor(t, "a call to suspend", func() bool { return waiting.Stats().Calls+waiting.Stats().Waiting == 2 })
	if _, err := ask(other, nil, testRequest("GET", "http://a.test/", "")); !errors.Is(err, ErrNoRoom) {
		t.Errorf("got %v, want %v", err, ErrNoRoom)
	}
	close(release)
	group.Wait()
	warmthOf(t, other, answer)
}

// TestBudget: idle isolates go when the process takes more than it may, the least used first.
func TestBudget(t *testing.T) {
	rt := smallRuntime(t, Options{})
	var pools []*Pool
	for i := range warmLeast + 8 {
		spec, answer := tenant(i)
		pools = append(pools, poolOf(t, rt, spec))
		warmthOf(t, pools[i], answer)
	}
	rt.warm.trim(2 << 30)
	if n := rt.Stats().Isolates; n > warmLeast+spareLeast {
		t.Errorf("%d isolates are left", n)
	}
}

// TestReskinHammer has more versions than isolates, calls of every kind, kills among them, and Pools
// that close and come again meanwhile.
func TestReskinHammer(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rt := smallRuntime(t, Options{most: 8})
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for range 4 {
				hammerTenant(t, rt, rng, i)
			}
		})
	}
	all.Wait()
	waitFor(t, "isolates to go", func() bool { return rt.Stats().Isolates <= spareMost })
}

// hammerTenant is the life of one Pool, whose every answer must be its own.
func hammerTenant(t *testing.T, rt *Runtime, rng *rand.Rand, i int) {
	spec := jsSpec(fmt.Sprintf(`const own = "tenant %d"; globalThis.seen = [];
		export default { async fetch(request) {
			const path = new URL(request.url).pathname;
			if (globalThis.canary && globalThis.canary !== own) return new Response("LEAK " + globalThis.canary);
			globalThis.canary = own;
			if (path === "/spin") while (true);
			if (path === "/wait") await scheduler.wait(1);
			return new Response(own);
		} }`, i))
	spec.Policy, spec.MaxIsolates = Policy(rng.IntN(2)), 1+rng.IntN(3)
	var p *Pool
	for p == nil {
		var err error
		if p, err = rt.NewPool(context.Background(), spec); err != nil && !errors.Is(err, ErrNoRoom) {
			t.Error(err)
			return
		}
	}
	defer p.Close()
	var group sync.WaitGroup
	for range 2 {
		paths := make([]string, 30)
		for i := range paths {
			paths[i] = []string{"/", "/", "/wait", "/spin"}[rng.IntN(4)]
		}
		group.Go(func() {
			for _, path := range paths {
				got, err := askFor(p, path)
				if err == nil && got != fmt.Sprintf("200 tenant %d", i) {
					t.Errorf("tenant %d got %q", i, got)
				}
				if err != nil && !errors.Is(err, ErrNoRoom) && !errors.Is(err, ErrCPULimit) && !errors.Is(err, ErrReset) {
					t.Errorf("tenant %d: %v", i, err)
				}
			}
		})
	}
	group.Wait()
}

func askFor(p *Pool, path string) (string, error) {
	c := &Call{Context: context.Background(), Host: new(fakeHost), Request: testRequest("GET", "http://a.test"+path, ""), Limits: Limits{CPU: 5 * time.Millisecond}}
	r, err := p.Invoke(c)
	if err != nil {
		return "", err
	}
	body, err := answerText(r)
	return fmt.Sprintf("%d %s", 200, body), err
}
