package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A dispatch Worker as operators write them: each way of touching request or response.
const manyWays = `export default { async fetch(request, env, ctx) {
	const name = new URL(request.url).hostname.split(".")[0];
	const user = env.DISPATCHER.get(name, {}, { limits: { cpuMs: 50, subRequests: 5 } });
	const ways = {
		plain: () => user.fetch(request),
		headers() {
			const headers = new Headers(request.headers);
			headers.set("x-added", "1");
			headers.delete("x-secret");
			return user.fetch(new Request(request, { headers }));
		},
		rewrite() {
			const url = new URL(request.url);
			url.pathname = "/inner" + url.pathname;
			return user.fetch(new Request(url, request));
		},
		url: () => user.fetch("https://elsewhere.example/path?x=1"),
		async clone() {
			const seen = (await request.clone().text()).length;
			const response = await user.fetch(request);
			const copy = new Response(response.body, response);
			copy.headers.set("x-seen", seen);
			return copy;
		},
		async read() { return user.fetch(request.url, { method: "POST", body: (await request.text()).toUpperCase() }); },
		async readTwice() { await request.text(); return user.fetch(request); },
		async cookie() {
			const response = new Response((await user.fetch(request)).body, await user.fetch(request.url));
			response.headers.append("set-cookie", "d=1");
			return response;
		},
		async immutable() { (await user.fetch(request)).headers.set("a", "b"); },
		async transform() {
			const response = await user.fetch(request);
			return new Response(response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({
				transform(chunk, c) { c.enqueue(chunk.toUpperCase()); } })).pipeThrough(new TextEncoderStream()), response);
		},
		async both() {
			const parts = await Promise.all(["a", "b"].map(async (x) => (await env.DISPATCHER.get(x).fetch(request.url)).text()));
			return new Response(parts.join("+"));
		},
		timeout: () => user.fetch(new Request("http://x/slow", { signal: AbortSignal.timeout(30) })),
		missing: () => env.DISPATCHER.get("nobody").fetch(request),
		unused() { env.DISPATCHER.get("nobody"); return new Response("a stub alone is no error"); },
		noName: () => env.DISPATCHER.get().fetch(request),
		rewriter: async () => new HTMLRewriter().transform(await user.fetch(request)),
	};
	try {
		return await ways[request.headers.get("x-way")]();
	} catch (e) {
		return new Response("caught " + e.name + ": " + e.message, { status: e.message.startsWith("Worker not found") ? 404 : 500 });
	}
} }`

// TestWaysToDispatch is a table of what dispatch Workers in public documentation do.
func TestWaysToDispatch(t *testing.T) {
	p := serve(t, t.TempDir(), "--entry", "dispatcher")
	p.createNamespace("production")
	p.deploy(plainScripts+"dispatcher", script(manyWays, dispatcherBinding("production", "")))
	p.deploy(customers("production")+"a", script(`export default { async fetch(request) {
		const { pathname, search } = new URL(request.url);
		if (pathname === "/slow") await scheduler.wait(5000);
		const headers = new Headers({ "x-user": "a" });
		headers.append("set-cookie", "a=1");
		headers.append("set-cookie", "b=2");
		const text = [request.method, pathname + search, request.headers.get("x-added"), request.headers.get("x-secret"), await request.text()].join(" ");
		return new Response(text, { headers });
	} }`))
	p.deploy(customers("production")+"b", script(`export default { fetch: () => new Response("B") }`))
	for _, c := range []struct {
		way     string
		status  int
		body    string
		cookies int
	}{
		{"plain", 200, "POST /p?q=1  s hello", 2},
		{"headers", 200, "POST /p?q=1 1  hello", 2},
		{"rewrite", 200, "POST /inner/p?q=1  s hello", 2},
		{"url", 200, "GET /path?x=1   ", 2},
		{"clone", 200, "POST /p?q=1  s hello", 2},
		{"read", 200, "POST /p?q=1   HELLO", 2},
		{"readTwice", 500, "caught TypeError: Body has already been used.", 0},
		{"cookie", 200, "POST /p?q=1  s hello", 3},
		{"immutable", 500, "caught TypeError: Can't modify immutable headers.", 0},
		{"transform", 200, "POST /P?Q=1  S HELLO", 2},
		{"both", 200, "GET /p?q=1   +B", 0},
		{"timeout", 500, "caught TimeoutError: The operation was aborted due to timeout", 0},
		{"missing", 404, "caught Error: Worker not found", 0},
		{"unused", 200, "a stub alone is no error", 0},
		{"noName", 500, "caught TypeError: get: 1 argument required", 0},
		{"rewriter", 200, "POST /p?q=1  s hello", 2},
	} {
		r, err := http.NewRequest("POST", "http://a.example.com/p?q=1", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("x-way", c.way)
		r.Header.Set("x-secret", "s")
		resp, err := p.client().Do(r)
		if err != nil {
			t.Fatalf("%s: %v", c.way, err)
		}
		body := readAll(t, resp.Body)
		if cookies := len(resp.Header.Values("Set-Cookie")); resp.StatusCode != c.status || !strings.HasPrefix(body, c.body) || cookies != c.cookies {
			t.Errorf("%s: %d %q with %d cookies, want %d %q with %d", c.way, resp.StatusCode, body, cookies, c.status, c.body, c.cookies)
		}
	}
}

// TestStreamFault: the client sees that the response is not whole, the tenant's log why.
func TestStreamFault(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"late", script(`export default { fetch() {
		let left = 3;
		return new Response(new ReadableStream({ async pull(c) {
			await scheduler.wait(5);
			if (left-- === 0) throw new RangeError("after the head");
			c.enqueue(new Uint8Array(10));
		} }));
	} }`))
	resp, err := p.client().Get("http://late.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil || len(body) != 30 {
		t.Errorf("%d bytes, %v: want 30 bytes and an error", len(body), err)
	}
	p.stop()
	if log := p.log.String(); !strings.Contains(log, "production/late 1: Uncaught RangeError: after the head") {
		t.Error("the log does not say why the stream ended")
	}
}
