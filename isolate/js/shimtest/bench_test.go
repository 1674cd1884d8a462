package shimtest

import (
	"context"
	"testing"

	"switchyard/isolate/js"
)

// BenchmarkEvent is one request in the engine, with a host that does nothing.
func BenchmarkEvent(b *testing.B) {
	for _, s := range []struct{ name, handler string }{
		{"sync", `fetch(r) { return new Response("Hello") }`},
		{"async", `async fetch(r) { return new Response("Hello") }`},
		{"url", `async fetch(r) { return new Response("Hello " + new URL(r.url).pathname) }`},
		{"await", `async fetch(r) { await null; return new Response("Hello") }`},
		{"headers", `async fetch(r) { return new Response(r.headers.get("user-agent"), { status: 201, headers: { a: "b", c: "d" } }) }`},
		{"json", `async fetch(r) { return Response.json({ a: [1, 2, 3], m: r.method }) }`},
	} {
		b.Run(s.name, func(b *testing.B) {
			g := newGuest(b, js.Prelude())
			if e := g.start(moduleES, "main.js", module{"main.js", "export default { " + s.handler + " }", moduleES}); e != "" {
				b.Fatal(e)
			}
			head := requestHead("GET", "https://example.com/a/b?c=d", "host: example.com\nuser-agent: bench/1.0 (x)\naccept: */*\naccept-encoding: gzip, br\n")
			block := words(len(head), 0, 0, 0, 0, 0, head)
			if a := g.event(1, event{}); a.failure {
				b.Fatal(a.message)
			}
			g.quiet = true
			ctx := context.WithValue(context.Background(), guestKey{}, g)
			g.mod.Memory().Write(g.io, block)
			var stack [4]uint64
			for b.Loop() {
				stack = [4]uint64{uint64(js.OpEvent), 1, uint64(g.io), uint64(len(block))}
				if err := g.op.CallWithStack(ctx, stack[:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
