package isolate

import (
	"context"
	"strings"
	"testing"
)

func TestNameCache(t *testing.T) {
	var n nameCache
	long := strings.Repeat("x", maxCachedName+1)
	for _, name := range []string{"a", "", "b", "a", long, "na\u00efve", long} {
		b := []byte(name)
		got := n.intern(b)
		clear(b)
		if got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
	b := []byte("again")
	n.intern(b)
	if k := testing.AllocsPerRun(100, func() { n.intern(b) }); k > 0 {
		t.Errorf("%v allocations for a name that is known", k)
	}
}

// TestJSAllocates: a warm call allocates nothing, dispatched fetch included.
func TestJSAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, s := range []struct{ name, handler string }{
		{"hello", `fetch() { return new Response("Hello") }`},
		{"url", `async fetch(r) { return new Response(new URL(r.url).pathname) }`},
		{"dispatch", `async fetch(r, env) { return env.D.get("customer").fetch(r) }`},
	} {
		t.Run(s.name, func(t *testing.T) {
			spec := jsSpec("export default { " + s.handler + " }")
			spec.Env = []byte(`[{"name":"D","type":"dispatch_namespace","index":0}]`)
			p := newTestPool(t, spec)
			c := &Call{Context: context.Background(), Host: new(originHost)}
			call := func() {
				r := newRequest()
				r.fill(benchHead, nil)
				c.Request = r
				resp, err := p.Invoke(c)
				if err != nil {
					t.Fatal(err)
				}
				resp.Release()
			}
			call()
			if n := testing.AllocsPerRun(2000, call); n > 0 {
				t.Errorf("%v allocations a call, want none", n)
			}
		})
	}
}
