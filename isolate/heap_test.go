package isolate

import (
	"context"
	"errors"
	"testing"
	"time"
)

// hogs fill the heap in one way each, for ever.
var hogs = []struct{ name, code string }{
	{"arrays", `const l = []; for (;;) l.push(new Array(1000).fill(0))`},
	{"objects", `const l = []; for (;;) l.push({ a: 1, b: {} })`},
	{"strings", `const l = []; for (let i = 0;; i++) l.push("x".repeat(1e5) + i)`},
	{"typed arrays", `const l = []; for (;;) l.push(new Uint8Array(1 << 20))`},
	{"one typed array", `new Uint8Array(1e9)`},
	{"closures", `const l = []; for (;;) l.push(() => l)`},
	{"promises", `const l = []; for (;;) l.push(new Promise(() => {}))`},
	{"a map", `const m = new Map(); for (let i = 0;; i++) m.set(i, i)`},
	{"expressions", `const l = []; for (let i = 0;; i++) l.push(new RegExp("a{" + i + "}"))`},
	{"parsed JSON", `const s = "[" + "1,".repeat(1e6) + "1]", l = []; for (;;) l.push(JSON.parse(s))`},
	{"stringified JSON", `const a = new Array(1000).fill("x".repeat(1000)), l = []; for (;;) l.push(JSON.stringify(a))`},
	{"joined arrays", `let a = [1]; for (;;) a = a.concat(a)`},
	{"headers", `const h = new Headers(); for (let i = 0;; i++) h.append("x" + i, "y".repeat(1000))`},
	{"parameters", `const p = new URLSearchParams(); for (let i = 0;; i++) p.append("x" + i, "y".repeat(1000))`},
	{"responses", `const l = []; for (;;) l.push(new Response("x".repeat(1e6)))`},
	{"blobs", `const l = []; for (;;) l.push(new Blob(["x".repeat(1e6)]))`},
	{"encoded text", `const l = []; for (;;) l.push(new TextEncoder().encode("x".repeat(1e6)))`},
	{"async functions", `const l = []; const f = async () => { await new Promise(() => {}) }; for (;;) l.push(f())`},
	{"generators", `const l = []; function* g() { yield 1 } for (;;) { const i = g(); i.next(); l.push(i) }`},
	{"symbols", `const l = []; for (;;) l.push(Symbol("x".repeat(1000)))`},
	{"properties", `const o = {}; for (let i = 0;; i++) o["k" + i] = i`},
	{"a sort", `const a = Array.from({ length: 3e6 }, (_, i) => "" + i); a.sort()`},
	{"a split", `"x,".repeat(2e7).split(",")`},
	{"clones", `const a = new Array(1e4).fill({}), l = []; for (;;) l.push(structuredClone(a))`},
	{"microtasks", `for (;;) queueMicrotask(() => {})`},
	{"a stream", `new ReadableStream({ start(c) { for (;;) c.enqueue(new Uint8Array(1e6)) } })`},
}

func invokeHog(t *testing.T, source string) (string, error) {
	t.Helper()
	s := jsSpec(source)
	s.Memory = 16 << 20
	p, err := jsRuntime(t).NewPool(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := &Call{Context: context.Background(), Host: &fakeHost{}, Request: testRequest("GET", "http://a.test/", ""), Limits: Limits{CPU: 20 * time.Second}}
	r, err := p.Invoke(c)
	if err != nil {
		return "", err
	}
	defer r.Release()
	return string(r.Body.Bytes), nil
}

// Whatever fills the heap, the guest catches an error that says so, never null, and can answer.
func TestFullHeapIsCaught(t *testing.T) {
	for _, hog := range hogs {
		t.Run(hog.name, func(t *testing.T) {
			got, err := invokeHog(t, handler(`try { `+hog.code+` } catch (e) { return new Response((e instanceof Error) + ": " + e?.message) }`))
			if err != nil || got != "true: out of memory" { // InternalError; of an expression being compiled SyntaxError
				t.Errorf("got %q, error %v", got, err)
			}
		})
	}
}

// A guest that catches the error and fills on is ended.
func TestFullHeapEndsTheGuest(t *testing.T) {
	for _, code := range []string{
		`let o = null; for (;;) try { for (;;) o = { o } } catch {}`,
		`let p = null; for (;;) try { for (;;) { const q = new Promise(() => {}); q.p = p; p = q } } catch {}`,
		`const m = new Map(); let i = 0; for (;;) try { for (;;) m.set(i++, {}) } catch {}`,
	} {
		if got, err := invokeHog(t, handler(code)); !errors.Is(err, ErrMemoryLimit) {
			t.Errorf("%s: got %q, error %v", code, got, err)
		}
	}
}

// Cyclic garbage is collected before the heap is said to be full, though the engine alone would
// not: its next collection is due beyond the limit.
func TestGarbageNearTheLimit(t *testing.T) {
	got, err := invokeHog(t, handler(`
const kept = []; for (let i = 0; i < 9_000; i++) kept.push(new Array(100).fill(i));
for (let i = 0; i < 30_000; i++) { const a = new Array(100).fill(0), b = [a]; a[0] = b; }
return new Response("kept " + kept.length)`))
	if err != nil || got != "kept 9000" {
		t.Errorf("got %q, error %v", got, err)
	}
}

// An ordinary stack overflow is a RangeError, in whatever recursion.
func TestStackOverflowIsCaught(t *testing.T) {
	for _, s := range []struct{ name, code string }{
		{"a function", `const f = () => f(); f()`},
		{"toJSON", `const a = { toJSON() { return JSON.stringify(a) } }; JSON.stringify(a)`},
		{"parsed JSON", `JSON.parse("[".repeat(1e5))`},
		{"toString", `const o = { toString() { return "" + o } }; "" + o`},
		{"a proxy", `const p = new Proxy({}, { get(t, k, r) { return r[k] } }); p.x`},
		{"proxies", `let p = {}; for (let i = 0; i < 1e4; i++) p = new Proxy(p, {}); p.x`},
		{"a getter", `const o = { get x() { return this.x } }; o.x`},
		{"a comparison", `const s = () => [1, 2].sort(s); s()`},
		{"a clone", `let a = []; for (let i = 0; i < 1e5; i++) a = [a]; structuredClone(a)`},
		{"flat", `let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a.flat(Infinity)`},
		{"join", `let a = []; for (let i = 0; i < 1e5; i++) a = [a]; String(a)`},
		{"generators", `function* g(n) { if (n) yield* g(n - 1); else yield 1 } [...g(1e5)]`},
		{"constructors", `let C = class {}; for (let i = 0; i < 1e4; i++) C = class extends C {}; new C`},
		{"a replacer", `const f = (s) => s.replace(/a/, f); f("a")`},
	} {
		t.Run(s.name, func(t *testing.T) {
			got, err := invokeHog(t, handler(`try { `+s.code+`; return new Response("?") } catch (e) { return new Response(e.constructor.name) }`))
			if err != nil || got != "RangeError" {
				t.Errorf("got %q, error %v", got, err)
			}
		})
	}
}
