package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// dispatchStories are bodies of dispatch Workers; D is the namespace, request the client's. What a story throws is its
// answer, as "name: message".
var dispatchStories = []struct{ name, code, want string }{
	{"get is synchronous and does not look", `const s = D.get("nobody"); return new Response(typeof s + " " + (s instanceof Promise) + " " + typeof s.fetch)`, "object false function"},
	{"the look-up is the fetch's", `const s = D.get("nobody"); try { await s.fetch(request) } catch (e) { return new Response(e.name + ": " + e.message + " " + (e instanceof Error)) }`, "Error: Worker not found true"},
	{"a name that is none", `return D.get("../x").fetch(request)`, "Error: Worker not found"},
	{"names are case-sensitive", `return D.get("ECHO").fetch(request)`, "Error: Worker not found"},
	{"get without a name", `return D.get().fetch(request)`, "TypeError"},
	{"get of a number is of its text", `return D.get(42).fetch(request)`, "Error: Worker not found"},
	{"a stub may be used again", `const s = D.get("echo"); return new Response(await (await s.fetch("http://a/1")).text() + await (await s.fetch("http://a/2")).text())`, "GET http://a/1 GET http://a/2 "},
	{"calls at once", `const all = await Promise.all([1, 2, 3].map((n) => D.get("echo").fetch("http://a/" + n).then((r) => r.text()))); return new Response(all.join(""))`, "GET http://a/1 GET http://a/2 GET http://a/3 "},
	{"fetch(url, init)", `return D.get("echo").fetch("http://a/x?y", { method: "POST", body: "data" })`, "POST http://a/x?y data"},
	{"fetch(URL)", `return D.get("echo").fetch(new URL("http://a/x"))`, "GET http://a/x "},
	{"fetch(Request)", `return D.get("echo").fetch(new Request("http://a/x", { method: "PUT", body: "data" }))`, "PUT http://a/x data"},
	{"fetch(Request, init)", `return D.get("echo").fetch(new Request("http://a/x", { method: "PUT", body: "old" }), { body: "new" })`, "PUT http://a/x new"},
	{"a relative URL", `return D.get("echo").fetch("/x")`, "TypeError"},
	{"a URL that is none", `return D.get("echo").fetch("no url")`, "TypeError"},
	{"fetch without arguments", `return D.get("echo").fetch()`, "TypeError"},
	{"the host is the request's, not the Worker's", `return D.get("header").fetch("http://other.example/", { headers: { "x-a": "b" } })`, "other.example b"},
	{"limits that are none", `return D.get("echo", {}, { limits: { cpuMs: "many" } }).fetch(request)`, "TypeError: options.limits.cpuMs is not a number"},
	{"limits below 0", `return D.get("echo", {}, { limits: { subRequests: -1 } }).fetch(request)`, "TypeError: options.limits.subRequests is not a number"},
	{"a CPU limit", `return D.get("loop", {}, { limits: { cpuMs: 5 } }).fetch(request)`, "Error: Worker exceeded CPU time limit."},
	{"no subrequests", `return D.get("fetches", {}, { limits: { subRequests: 0 } }).fetch(request)`, "Error: Too many subrequests."},
	{"redirects are followed", `const r = await D.get("redirects").fetch("http://a/x"); return new Response([r.status, r.redirected, r.url, await r.text()].join(" "))`, "200 true http://a/end end"},
	{"but not the client's own request", `const r = await D.get("redirects").fetch(request); return new Response([r.status, r.headers.get("location")].join(" "))`, "302 /end"},
	{"redirect: manual", `const r = await D.get("redirects").fetch("http://a/x", { redirect: "manual" }); return new Response([r.status, r.redirected, r.headers.get("location")].join(" "))`, "302 false /end"},
	{"redirect: error", `return D.get("redirects").fetch("http://a/x", { redirect: "error" })`, "Error: Unexpected redirect"},
	{"a body is used once", `const r = new Request("http://a/", { method: "POST", body: "x" }); await D.get("echo").fetch(r); return D.get("echo").fetch(r)`, "TypeError: Body has already been used."},
	{"of a clone, twice", `const r = new Request("http://a/", { method: "POST", body: "x" }); await D.get("echo").fetch(r.clone()); return D.get("echo").fetch(r)`, "POST http://a/ x"},
	{"a response's body is used once", `const r = await D.get("echo").fetch(request); await r.text(); return new Response(r.body)`, "TypeError: This ReadableStream is disturbed"},
	{"a response is read", `const r = await D.get("echo").fetch("http://a/"); return new Response((await r.text()).length)`, "14"},
	{"a response's head is immutable", `const r = await D.get("echo").fetch(request); r.headers.set("a", "b"); return r`, "TypeError: Can't modify immutable headers."},
	{"a request's head is immutable", `request.headers.set("a", "b"); return D.get("echo").fetch(request)`, "TypeError: Can't modify immutable headers."},
	{"a copy of a response is not", `const r = new Response((await D.get("echo").fetch("http://a/")).body, { headers: { "x-new": "yes" } }); return new Response(r.headers.get("x-new") + await r.text())`, "yesGET http://a/ "},
	{"a response is replaced", `const r = await D.get("fails").fetch(request); return r.status === 503 ? new Response("instead") : r`, "instead"},
	{"a response is transformed", `const r = await D.get("echo").fetch("http://a/"); const up = new TransformStream({ transform(c, t) { t.enqueue(c.map((b) => b >= 97 && b < 123 ? b - 32 : b)) } }); return new Response(r.body.pipeThrough(up), r)`, "GET HTTP://A/ "},
	{"a response is rewritten", `return new HTMLRewriter().on("b", { element(e) { e.setInnerContent("new") } }).transform(await D.get("html").fetch(request))`, "<b>new</b>"},
	{"clone()", `const r = await D.get("echo").fetch("http://a/"), c = r.clone(); return new Response(await r.text() + await c.text())`, "GET http://a/ GET http://a/ "},
	{"bodies stream both ways", `const { readable, writable } = new TransformStream(); const w = writable.getWriter(), e = new TextEncoder();
		const r = await D.get("stream").fetch("http://a/", { method: "POST", body: readable }), read = r.body.getReader(); let got = "";
		for (const word of ["one", "two", "three"]) { await w.write(e.encode(word)); got += new TextDecoder().decode((await read.read()).value) + "." } await w.close(); return new Response(got + (await read.read()).done)`, "one.two.three.true"},
	{"HEAD", `const r = await D.get("echo").fetch("http://a/", { method: "HEAD" }); return new Response(r.status + "[" + await r.text() + "]")`, "200[]"},
	{"204", `const r = await D.get("status").fetch("http://a/204"); return new Response(r.status + " " + r.body)`, "204 null"},
	{"304", `const r = await D.get("status").fetch("http://a/304"); return new Response(r.status + " " + r.body)`, "304 null"},
	{"an exception is the caller's", `try { await D.get("throws").fetch(request) } catch (e) { return new Response(e.message) }`, "boom"},
	{"a dispatcher that dispatches to itself", `return D.get("itself").fetch(request)`, "Error: Too many Workers in a chain of calls."},
	{"two that call each other", `return D.get("ping").fetch(request)`, "Error: Too many Workers in a chain of calls."},
	{"what is ours alone is not in a request, what the edge says may be", `return D.get("names").fetch(new Request(request, { headers: { "x-switchyard-a": "1", "cf-b": "2", connection: "x", "x-mine": "3" } }))`, "cf-b,x-mine"},
}

var dispatchCustomers = map[string]string{
	"echo":      `async fetch(r) { return new Response(r.method + " " + r.url + " " + await r.text()) }`,
	"header":    `fetch(r) { return new Response(new URL(r.url).host + " " + r.headers.get("x-a")) }`,
	"loop":      `fetch() { for (;;); }`,
	"fetches":   `fetch() { return fetch("http://127.0.0.1:1/") }`,
	"redirects": `fetch(r) { return new URL(r.url).pathname === "/end" ? new Response("end") : new Response(null, { status: 302, headers: { location: "/end" } }) }`,
	"fails":     `fetch() { return new Response("down", { status: 503 }) }`,
	"html":      `fetch() { return new Response("<b>old</b>", { headers: { "content-type": "text/html" } }) }`,
	"stream":    `fetch(r) { return new Response(r.body) }`,
	"status":    `fetch(r) { return new Response(null, { status: Number(new URL(r.url).pathname.slice(1)) }) }`,
	"throws":    `fetch() { throw new RangeError("boom") }`,
	"itself":    `fetch(r, env) { return env.DISPATCHER.get("itself").fetch(r) }`,
	"ping":      `fetch(r, env) { return env.DISPATCHER.get("pong").fetch(r) }`,
	"pong":      `fetch(r, env) { return env.DISPATCHER.get("ping").fetch(r) }`,
	"names":     `fetch(r) { return new Response([...r.headers.keys()].filter((n) => !["host", "user-agent", "accept-encoding"].includes(n)).join()) }`,
}

// TestDispatchTable holds dispatch against the table above.
func TestDispatchTable(t *testing.T) {
	p := serve(t, t.TempDir(), "--entry", "dispatcher")
	p.createNamespace("production")
	for name, code := range dispatchCustomers {
		var bindings []map[string]any
		if strings.Contains(code, "env") {
			bindings = append(bindings, dispatcherBinding("production", ""))
		}
		p.deploy(customers("production")+name, script("export default { "+code+" }", bindings...))
	}
	var code strings.Builder
	code.WriteString("const stories = [\n")
	for _, s := range dispatchStories {
		fmt.Fprintf(&code, "async (request, D) => { %s },\n", s.code)
	}
	code.WriteString(`];
export default { async fetch(request, env) {
	try { return await stories[Number(request.headers.get("x-story"))](request, env.DISPATCHER) }
	catch (e) { return new Response(e.name + ": " + e.message) }
} };`)
	p.deploy(plainScripts+"dispatcher", script(code.String(), dispatcherBinding("production", "")))
	client := p.client()
	for i, s := range dispatchStories {
		req, err := http.NewRequest("GET", "http://client.example.com/path", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Story", fmt.Sprint(i))
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		got := readAll(t, resp.Body)
		if got != s.want && !(strings.Contains(s.want, "Error") && strings.HasPrefix(got, s.want)) {
			t.Errorf("%s: %q, want %q", s.name, got, s.want)
		}
	}
}
