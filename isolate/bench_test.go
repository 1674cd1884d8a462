package isolate

import (
	"context"
	"testing"

	"switchyard/isolate/abi"
)

var benchHead = abi.AppendHeader(abi.AppendRequestHead(nil, "GET", "http://bench.example/some/path"), 0, "host", "bench.example")

// benchInvoke runs one warm call after the other, as the engine does.
func benchInvoke(b *testing.B, spec *Spec, host Host) {
	p := newTestPool(b, spec)
	c := &Call{Context: context.Background(), Host: host}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		r := newRequest()
		r.fill(benchHead, nil)
		c.Request = r
		resp, err := p.Invoke(c)
		if err != nil {
			b.Fatal(err)
		}
		resp.Release()
	}
}

func BenchmarkJSHello(b *testing.B) {
	benchInvoke(b, jsSpec(`export default { fetch() { return new Response("Hello World") } }`), new(fakeHost))
}

func BenchmarkJSURL(b *testing.B) {
	benchInvoke(b, jsSpec(handler(`return new Response("Hello " + new URL(request.url).pathname)`)), new(fakeHost))
}

func BenchmarkJSRequestPolicy(b *testing.B) {
	spec := jsSpec(`export default { fetch() { return new Response("Hello World") } }`)
	spec.Policy = PolicyRequest
	benchInvoke(b, spec, new(fakeHost))
}

// poolHost answers a dispatch with another Worker, as the engine does.
type poolHost struct {
	fakeHost
	user *Pool
}

func (h *poolHost) Fetch(ctx context.Context, c *Call, sub *Subrequest) (*Response, error) {
	child := &Call{Context: ctx, Host: &h.fakeHost, Request: sub.Request}
	return h.user.Invoke(child)
}

func BenchmarkJSDispatch(b *testing.B) {
	user := newTestPool(b, jsSpec(`export default { fetch() { return new Response("Hello World") } }`))
	spec := jsSpec(`export default { async fetch(request, env) { const name = new URL(request.url).hostname.split(".")[0]; const w = env.DISPATCHER.get(name); return w.fetch(request); } }`)
	spec.Env = []byte(`[{"name":"DISPATCHER","type":"dispatch_namespace","index":0}]`)
	benchInvoke(b, spec, &poolHost{user: user})
}

// originHost answers every fetch at once.
type originHost struct{ fakeHost }

var originHead, originBody = testResponse(200, "").Head, []byte("body")

func (h *originHost) Fetch(_ context.Context, _ *Call, sub *Subrequest) (*Response, error) {
	sub.Request.Release()
	r := newResponse()
	r.Head, r.Body.Bytes = originHead, originBody
	return r, nil
}

// BenchmarkJSVariants tells what each step on the way to a dispatcher adds.
func BenchmarkJSVariants(b *testing.B) {
	for _, v := range []struct{ name, handler string }{
		{"sync", `fetch() { return new Response("Hello World") }`},
		{"async", `async fetch() { return new Response("Hello World") }`},
		{"await", `async fetch() { await null; return new Response("Hello World") }`},
		{"url", `async fetch(r) { return new Response("Hello " + new URL(r.url).pathname) }`},
		{"get", `fetch(r, env) { env.D.get("x"); return new Response("Hello World") }`},
		{"get options", `fetch(r, env) { env.D.get("x", {}, { limits: { cpuMs: 5 } }); return new Response("Hello World") }`},
		{"get fetch", `fetch(r, env) { return env.D.get("x").fetch(r) }`},
		{"get fetch await", `async fetch(r, env) { return await env.D.get("x").fetch(r) }`},
		{"get fetch async", `async fetch(r, env) { return env.D.get("x").fetch(r) }`},
		{"fetch url", `async fetch() { return fetch("http://origin.test/x") }`},
		{"fetch init", `async fetch() { return fetch("http://origin.test/x", { method: "POST", body: "abc" }) }`},
		{"fetch text", `async fetch() { return new Response(await (await fetch("http://origin.test/x")).text()) }`},
	} {
		b.Run(v.name, func(b *testing.B) {
			spec := jsSpec("export default { " + v.handler + " }")
			spec.Env = []byte(`[{"name":"D","type":"dispatch_namespace","index":0}]`)
			benchInvoke(b, spec, new(originHost))
		})
	}
}

// BenchmarkJSON is a handler that parses 2 KB of JSON, changes it and answers with it.
func BenchmarkJSON(b *testing.B) {
	p := newTestPool(b, jsSpec(`
const users = JSON.stringify(Array.from({ length: 20 }, (_, i) => ({ id: i, name: "User " + i, mail: "user" + i + "@example.com", active: i % 2 === 0, tags: ["a", "b"], score: i * 1.5 })));
export default { fetch() { const list = JSON.parse(users); list[3].name = "changed"; return new Response(JSON.stringify(list)) } }`))
	for b.Loop() {
		if _, err := ask(p, nil, testRequest("GET", "http://a.test/", "")); err != nil {
			b.Fatal(err)
		}
	}
}
