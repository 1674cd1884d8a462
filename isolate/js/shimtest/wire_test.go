package shimtest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"switchyard/isolate/js"
)

// worker starts a guest with one ES module.
func worker(t *testing.T, source string) *guest {
	t.Helper()
	g := newGuest(t, js.Prelude())
	if e := g.start(moduleES, "main.js", module{"main.js", source, moduleES}); e != "" {
		t.Fatal(e)
	}
	return g
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestFetchResolves(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		const x = await fetch("https://origin.example/a", { method: "POST", body: "hi", headers: { k: "v" }, redirect: "error" });
		return new Response([x.status, x.statusText, x.ok, x.url, x.headers.get("server"), await x.text()].join());
	} }`)
	if a := g.event(7, event{}); a.answered {
		t.Fatalf("answered early: %+v", a)
	}
	c := g.take(js.HostFetch)
	equal(t, "request", c.fetch, fetchBlock{
		binding: -1, redirect: js.RedirectError, method: "POST", url: "https://origin.example/a",
		headers: "k: v\ncontent-type: text/plain;charset=UTF-8\n", bodyKind: js.BodyBytes, body: c.fetch.body, bytes: "hi",
	})
	equal(t, "request id", c.req, uint32(7))
	g.fetched(c, 201, 5, 6, "server: x\n", "https://origin.example/final")
	read := g.take(js.HostRead)
	equal(t, "body handle", read.arg, uint32(6))
	g.resolve(read, words(3, "abc"))
	g.resolve(g.take(js.HostRead), words(2, "de"))
	g.resolve(g.take(js.HostRead), words(0))
	equal(t, "answer", g.answers[7].body, "201,Created,true,https://origin.example/final,x,abcde")
}

func TestFetchFails(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		const out = [];
		for (const u of ["https://refused.example/", "https://broken.example/", "not a url"])
			try { await fetch(u) } catch (e) { out.push(e.name + ": " + e.message) }
		return new Response(out.join("|"));
	} }`)
	g.event(1, event{})
	g.fail(g.take(js.HostFetch), "Worker not found")
	equal(t, "errors", g.answers[1].body, "Error: Too many subrequests|Error: Worker not found|TypeError: Invalid URL string.")
}

// Three fetches run side by side and may complete in any order.
func TestFetchParallel(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		const all = await Promise.all([1, 2, 3].map(async (n) => (await fetch("https://o.example/" + n)).status));
		return new Response(all.join());
	} }`)
	g.event(1, event{})
	calls := []hostCall{g.take(js.HostFetch), g.take(js.HostFetch), g.take(js.HostFetch)}
	for _, i := range []int{2, 0, 1} {
		g.fetched(calls[i], 200+i, uint32(10+i), 0, "", "")
	}
	equal(t, "statuses", g.answers[1].body, "200,201,202")
}

// A response that nobody looked into goes back by handle; reading its headers does not count.
func TestUntouchedResponse(t *testing.T) {
	for _, s := range []struct {
		name, script string
		untouched    bool
	}{
		{"returned", "return x", true},
		{"headers read", "x.headers.get('a'); return x", true},
		{"body stream looked at", "x.body; return x", true},
		{"cloned", "x.clone(); return x", false},
		{"copied", "return new Response(x.body, x)", false},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := worker(t, `export default { async fetch(r) { const x = await fetch("https://o.example/"); `+s.script+` } }`)
			g.event(1, event{})
			g.fetched(g.take(js.HostFetch), 200, 5, 6, "a: b\n", "")
			a := g.answers[1]
			if a.failure || !a.answered {
				t.Fatalf("%+v", a)
			}
			equal(t, "untouched", a.untouched, s.untouched)
			if s.untouched {
				equal(t, "handle", a.handle, uint32(5))
			} else {
				equal(t, "headers", a.headers, "a: b\n")
			}
			if s.name == "copied" {
				equal(t, "body by handle", []uint32{a.kind, a.handle}, []uint32{js.BodyHandle, 6})
			}
		})
	}
}

func TestUntouchedRequest(t *testing.T) {
	for _, s := range []struct {
		name, script string
		kind         uint32
	}{
		{"the request itself", "fetch(r)", js.RequestUntouched},
		{"a copy", "fetch(new Request(r))", js.RequestFlat},
		{"with init", "fetch(r, { headers: { a: 'b' } })", js.RequestFlat},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := worker(t, `export default { fetch(r) { return `+s.script+` } }`)
			g.event(3, event{method: "POST", url: "https://e.example/", headers: "x: y\n", body: 1})
			c := g.take(js.HostFetch)
			equal(t, "kind", c.fetch.kind, s.kind)
			if s.kind == js.RequestFlat {
				equal(t, "body", []uint32{c.fetch.bodyKind, c.fetch.body}, []uint32{js.BodyHandle, 1})
				equal(t, "head", []string{c.fetch.method, c.fetch.url}, []string{"POST", "https://e.example/"})
			}
		})
	}
}

func TestRequestBody(t *testing.T) {
	const source = `export default { async fetch(r) { return Response.json([await r.json(), r.bodyUsed, r.method]) } }`
	g := worker(t, source)
	a := g.event(1, event{method: "PUT", inline: `{"a":1}`})
	equal(t, "inline", a.body, `[{"a":1},true,"PUT"]`)
	g.event(2, event{method: "PUT", body: 9})
	c := g.take(js.HostRead)
	equal(t, "read", []uint32{c.req, c.arg}, []uint32{2, 9})
	g.resolve(c, words(4, `[1,2`))
	g.resolve(g.take(js.HostRead), words(1, `]`))
	g.resolve(g.take(js.HostRead), words(0))
	equal(t, "by handle", g.answers[2].body, `[[1,2],true,"PUT"]`)
	g.event(3, event{method: "PUT", body: 9})
	g.fail(g.take(js.HostRead), "the client has gone")
	equal(t, "failure", g.answers[3].message, "Error: the client has gone")
}

func TestStreamedResponse(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		const { readable, writable } = new TransformStream();
		const w = writable.getWriter(), e = new TextEncoder();
		(async () => { for (const s of ["a", "b", "c"]) await w.write(e.encode(s)); await w.close(); })();
		return new Response(readable);
	} }`)
	g.full = true
	a := g.event(1, event{})
	equal(t, "kind", a.kind, uint32(js.BodyStream))
	g.enter(js.OpResolve, g.take(js.HostWrite).id, js.ResolveOK, 0)
	equal(t, "before the second chunk was taken", g.stream(0).String(), "ab")
	g.full = false
	g.enter(js.OpResolve, g.take(js.HostWrite).id, js.ResolveOK, 0)
	equal(t, "stream", g.stream(0).String()+g.ended[0], "abcend:")
}

// A stream that was made from bytes and not touched is sent as bytes.
func TestBytesThroughStream(t *testing.T) {
	g := worker(t, `export default { fetch(r) {
		const x = Response.json({ a: 1 }); const y = new Response(x.body, { status: 203, headers: x.headers });
		return y;
	} }`)
	a := g.event(1, event{})
	equal(t, "body", []any{a.kind, a.status, a.body}, []any{uint32(js.BodyBytes), uint32(203), `{"a":1}`})
}

func TestStreamedRequest(t *testing.T) {
	g := worker(t, `export default { fetch(r) {
		const s = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("xyz")); c.close() } });
		return fetch("https://o.example/", { method: "POST", body: s });
	} }`)
	g.event(1, event{})
	c := g.take(js.HostFetch)
	equal(t, "kind", c.fetch.bodyKind, uint32(js.BodyStream))
	equal(t, "stream", g.stream(c.fetch.body).String()+g.ended[c.fetch.body], "xyzend:")
}

func TestTimers(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		const stop = setTimeout(() => console.log("never"), 5);
		clearTimeout(stop);
		await new Promise((ok) => setTimeout(ok, 20));
		return new Response("" + Date.now());
	} }`)
	g.event(1, event{})
	equal(t, "stopped", len(g.stopped), 1)
	g.take(js.HostTimer) // the stopped one: this host keeps it listed
	c := g.take(js.HostTimer)
	equal(t, "delay", c.arg, uint32(20))
	g.now += 20
	g.enter(js.OpResolve, c.id, js.ResolveOK, 0)
	equal(t, "time moved", g.answers[1].body, "1700000000020")
}

// A late RESOLVE for something stopped, dropped or long done finds nothing.
func TestStaleResolve(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		const x = await fetch("https://o.example/"); return new Response("" + x.status);
	} }`)
	g.event(1, event{})
	stale := g.take(js.HostFetch)
	g.enter(js.OpDrop, 1, 0, 0)
	g.event(2, event{})
	fresh := g.take(js.HostFetch)
	if fresh.id == stale.id {
		t.Fatal("an operation id was used again at once")
	}
	g.fetched(stale, 500, 5, 0, "", "")
	g.enter(js.OpResolve, 0, 0, 0)
	g.enter(js.OpResolve, 0xFFFFFFFF, 0, 0)
	if g.answers[1].answered || g.answers[2].answered {
		t.Fatal("a stale RESOLVE settled something")
	}
	g.fetched(fresh, 200, 5, 0, "", "")
	equal(t, "answer", g.answers[2].body, "200")
}

// Requests that wait in one isolate keep their ids: each operation says whose it is.
func TestRequestIds(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		await fetch(r.url + "1"); await fetch(r.url + "2"); return new Response(r.url);
	} }`)
	for req := uint32(1); req <= 20; req++ {
		g.event(req, event{url: "https://h" + string('a'+rune(req)) + ".example/"})
	}
	for range 2 {
		for req := uint32(20); req >= 1; req-- {
			for i, c := range g.calls {
				if c.req == req {
					g.calls = append(g.calls[:i:i], g.calls[i+1:]...)
					g.fetched(c, 200, 5, 0, "", "")
					break
				}
			}
		}
	}
	for req := uint32(1); req <= 20; req++ {
		equal(t, "body", g.answers[req].body, "https://h"+string('a'+rune(req))+".example/")
	}
}

// A body belongs to the request it came with: another request can neither pass its handle on nor
// mistake it for a handle of its own.
func TestForeignBody(t *testing.T) {
	for _, s := range []struct{ name, script string }{
		{"request", "return fetch(kept)"},
		{"request copied", "return fetch(new Request(kept))"},
		{"its body in a response", "return new Response(kept.body)"},
		{"its text", "return new Response(await kept.text())"},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := worker(t, `let kept; export default { async fetch(r) { if (kept) { `+s.script+` } kept = r; return new Response("kept"); } }`)
			g.event(1, event{method: "POST", body: 1})
			a := g.event(2, event{method: "POST", body: 1})
			if !strings.Contains(a.message, "on behalf of a different request") {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestTurns: what waits for a promise goes on in the turn of its own request, whoever settles it.
func TestTurns(t *testing.T) {
	g := worker(t, `let settle; export default { async fetch(r) {
		if (!settle) { await new Promise((ok) => { settle = ok; }); await fetch("http://o.test/"); return new Response("first"); }
		settle(); return new Response("second"); } }`)
	g.event(1, event{})
	a := g.event(2, event{})
	equal(t, "body", a.body, "second")
	equal(t, "woken", fmt.Sprint(g.woken), "[1]")
	g.enter(js.OpTurn, 1, 0, 0)
	equal(t, "the fetch is of the request that awaits", g.take(js.HostFetch).req, uint32(1))
}

func TestThrown(t *testing.T) {
	for _, s := range []struct{ name, script, message, stack string }{
		{"sync", "throw new TypeError('no')", "TypeError: no", "main.js:1"},
		{"async", "await null; null.x", "TypeError: Cannot read properties of null (reading 'x')", "main.js:1"},
		{"a string", "throw 'text'", "text", ""},
		{"undefined", "throw undefined", "undefined", ""},
		{"unprintable", "throw Object.create(null)", "(a value that cannot be made a string)", ""},
		{"not a response", "return 'text'", "TypeError: Incorrect type for Promise: the Promise did not resolve to 'Response', but to a string.", ""},
		{"nothing", "", "TypeError: Incorrect type for Promise: the Promise did not resolve to 'Response', but to undefined.", ""},
		{"used body", "const x = new Response('x'); await x.text(); return x", "TypeError: Body has already been used. It can only be used once. Use tee() first if you need to read it twice.", ""},
		{"error response", "return Response.error()", "TypeError: Return value from handler must not be an error response (like Response.error()).", ""},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := worker(t, `export default { async fetch(r) { `+s.script+` } }`)
			a := g.event(1, event{})
			equal(t, "failure", a.failure, true)
			equal(t, "message", a.message, s.message)
			if !strings.Contains(a.stack, s.stack) {
				t.Errorf("stack %q does not name %q", a.stack, s.stack)
			}
			equal(t, "unhandled", len(g.rejected), 0)
		})
	}
}

func TestUnhandledRejections(t *testing.T) {
	g := worker(t, `export default { fetch(r) {
		Promise.reject(new Error("lost"));
		const late = Promise.reject(new Error("caught late")); Promise.resolve().then(() => late.catch(() => {}));
		queueMicrotask(() => { throw new Error("from a microtask") });
		return new Response("ok");
	} }`)
	equal(t, "answer", g.event(1, event{}).body, "ok")
	all := strings.Join(append(g.rejected, g.log...), "\n")
	for _, want := range []string{"lost", "from a microtask"} {
		if strings.Count(all, want) != 1 {
			t.Errorf("%q is not reported once in %q", want, all)
		}
	}
	if strings.Contains(all, "caught late") {
		t.Errorf("reported too early: %q", all)
	}
}

func TestWaitUntil(t *testing.T) {
	g := worker(t, `export default { fetch(r, env, ctx) {
		ctx.waitUntil(fetch("https://o.example/")); ctx.waitUntil(Promise.reject(new Error("in waitUntil"))); ctx.waitUntil(5);
		return new Response("ok");
	} }`)
	equal(t, "answer", g.event(4, event{}).body, "ok")
	equal(t, "held", g.holds[4], 1)
	g.fetched(g.take(js.HostFetch), 200, 5, 0, "", "")
	equal(t, "released", g.holds[4], 0)
	equal(t, "reported", len(g.rejected), 1)
}

func TestEnv(t *testing.T) {
	g := worker(t, `let first; export default { fetch(r, env) {
		first ??= env; return Response.json([env.A, env.J?.x, env.P, env === first]);
	} }`)
	const env = `[{"name":"A","type":"plain_text","text":"hi"},{"name":"J","type":"json","json":{"x":[1]}}]`
	if r := g.give(js.OpEnv, []byte(env), 0); r != 0 {
		t.Fatal(g.text())
	}
	equal(t, "env", g.event(1, event{}).body, `["hi",[1],null,true]`)
	equal(t, "params", g.event(2, event{params: `{"P":"p","A":"over"}`}).body, `["over",[1],"p",false]`)
	equal(t, "params are for one call", g.event(3, event{}).body, `["hi",[1],null,true]`)
	equal(t, "bad env", g.give(js.OpEnv, []byte(`[{`), 0), int32(js.Failed))
	if !strings.Contains(g.text(), "SyntaxError") {
		t.Errorf("text %q", g.text())
	}
}

func TestDispatch(t *testing.T) {
	g := worker(t, `export default { async fetch(request, env) {
		try {
			const name = new URL(request.url).hostname.split(".")[0];
			return await env.D.get(name, {}, { limits: { cpuMs: 5 } }).fetch(request);
		} catch (e) { return new Response(e.message, { status: e.message.startsWith("Worker not found") ? 404 : 500 }) }
	} }`)
	g.give(js.OpEnv, []byte(`[{"name":"D","type":"dispatch_namespace","index":2}]`), 0)
	g.event(1, event{url: "https://alice.example.com/"})
	c := g.take(js.HostFetch)
	equal(t, "fetch", c.fetch, fetchBlock{
		binding: 2, kind: js.RequestUntouched, redirect: js.RedirectManual, name: "alice", extra: `{"args":{},"limits":{"cpuMs":5}}`,
	})
	g.fetched(c, 200, 3, 4, "", "")
	equal(t, "by handle", g.answers[1].untouched, true)
	g.event(2, event{url: "https://bob.example.com/"})
	g.fail(g.take(js.HostFetch), "Worker not found")
	equal(t, "missing", g.answers[2].status, uint32(404))
}

const bindings = `[{"name":"D","type":"dispatch_namespace","index":2},{"name":"S","type":"service","index":1}]`

// Bindings are objects of two classes that only the platform makes.
func TestBindings(t *testing.T) {
	for _, s := range []struct{ name, script, want string }{
		{"tags", `[env.D, env.S, env.D.get("a")].map(String).join()`, "[object DispatchNamespace],[object Fetcher],[object Fetcher]"},
		{"names", `env.D.constructor.name + env.S.constructor.name + typeof Fetcher + typeof DispatchNamespace`, "DispatchNamespaceFetcherundefinedundefined"},
		{"members", `[...Object.keys(Object.getPrototypeOf(env.D)), ...Object.keys(Object.getPrototypeOf(env.S))].join()`, "get,fetch"},
		{"no constructors", `caught(() => new env.S.constructor()) + caught(() => new env.D.constructor(5))`, "TypeError: Illegal constructorTypeError: Illegal constructor"},
		{"get without a name", `caught(() => env.D.get())`, "TypeError: get: 1 argument required, but only 0 present"},
		{"get of a symbol", `caught(() => env.D.get(Symbol("x")))`, "TypeError: Cannot convert a Symbol value to a string"},
		{"get with bad options", `caught(() => env.D.get("a", {}, { limits: { cpuMs: "5" } })).slice(0, 50)`, "TypeError: options.limits.cpuMs is not a number fr"},
		{"get of something else", `caught(() => env.D.get.call(env.S, "a")).slice(0, 9)`, "TypeError"},
		{"fetch of something else", `(await env.S.fetch.call(env.D, "https://a/").catch(String)).slice(0, 9)`, "TypeError"},
		{"fetch without an argument", `await env.S.fetch().catch(String)`, "TypeError: fetch: 1 argument required, but only 0 present"},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := worker(t, `const caught = (f) => { try { f() } catch (e) { return String(e) } };
				export default { async fetch(request, env) { return new Response(`+s.script+`) } }`)
			g.give(js.OpEnv, []byte(bindings), 0)
			equal(t, "answer", g.event(1, event{}).body, s.want)
		})
	}
}

// What get() is given travels as JSON with every fetch of the stub.
func TestDispatchOptions(t *testing.T) {
	for _, s := range []struct{ arguments, want string }{
		{`undefined, undefined`, ""},
		{`null, {}`, ""},
		{`null, { limits: null, outbound: undefined }`, ""},
		{`{}`, `{"args":{}}`},
		{`{ tier: 1, "\u00e9\ud800": ["\"", null] }`, `{"args":{"tier":1,"é\ud800":["\"",null]}}`},
		{`() => 1, { limits: {} }`, `{"limits":{}}`},
		{`{}, { limits: { cpuMs: 10.7, subRequests: 5 }, outbound: { customer: "c" } }`, `{"args":{},"limits":{"cpuMs":10,"subRequests":5},"outbound":{"customer":"c"}}`},
		{`null, { limits: { subRequests: 0 } }`, `{"limits":{"subRequests":0}}`},
		{`null, { limits: { cpuMs: 2147483647 } }`, `{"limits":{"cpuMs":2147483647}}`},
		{`5`, "TypeError: args is not an object"},
		{`{}, 5`, "TypeError: options is not an object"},
		{`{}, { limits: 5 }`, "TypeError: options.limits is not an object"},
		{`{}, { outbound: "x" }`, "TypeError: options.outbound is not an object"},
		{`{}, { limits: { cpuMs: "5" } }`, "TypeError: options.limits.cpuMs is not a number from 0 to 2147483647"},
		{`{}, { limits: { cpuMs: 5n } }`, "TypeError: options.limits.cpuMs is not a number from 0 to 2147483647"},
		{`{}, { limits: { cpuMs: NaN } }`, "TypeError: options.limits.cpuMs is not a number from 0 to 2147483647"},
		{`{}, { limits: { subRequests: -0.5 } }`, "TypeError: options.limits.subRequests is not a number from 0 to 2147483647"},
		{`{}, { limits: { subRequests: 2147483647.5 } }`, "TypeError: options.limits.subRequests is not a number from 0 to 2147483647"},
		{`{}, { get limits() { throw new RangeError("mine") } }`, "RangeError: mine"},
		{`{ toJSON() { throw new RangeError("mine") } }`, "RangeError: mine"},
		{`{}, { outbound: { n: 1n } }`, "TypeError: Do not know how to serialize a BigInt"},
	} {
		t.Run(s.arguments, func(t *testing.T) {
			g := worker(t, `export default { fetch(request, env) {
				try { return env.D.get("a", `+s.arguments+`).fetch(request) } catch (e) { return new Response(String(e)) }
			} }`)
			g.give(js.OpEnv, []byte(bindings), 0)
			got := g.event(1, event{}).body
			if got == "" {
				got = g.take(js.HostFetch).fetch.extra
			}
			equal(t, "options", got, s.want)
		})
	}
}

// Whichever way a request leaves, its own request goes by handle unless something was changed in it.
func TestRoutes(t *testing.T) {
	for _, s := range []struct {
		name, script string
		want         fetchBlock
	}{
		{"plain", `fetch(request)`, fetchBlock{binding: -1, kind: js.RequestUntouched, redirect: js.RedirectManual}},
		{"service", `env.S.fetch(request)`, fetchBlock{binding: 1, kind: js.RequestUntouched, redirect: js.RedirectManual}},
		{"script", `env.D.get("na\u00efve").fetch(request)`, fetchBlock{binding: 2, kind: js.RequestUntouched, redirect: js.RedirectManual, name: "na\u00efve"}},
		{"options", `env.D.get("a", { x: [1] }).fetch(request)`, fetchBlock{binding: 2, kind: js.RequestUntouched, redirect: js.RedirectManual, name: "a", extra: `{"args":{"x":[1]}}`}},
		{"options that say nothing", `env.D.get("a", null, {}).fetch(request)`, fetchBlock{binding: 2, kind: js.RequestUntouched, redirect: js.RedirectManual, name: "a"}},
		{"a signal that was asked for", `(request.signal, env.S.fetch(request))`, fetchBlock{binding: 1, kind: js.RequestUntouched, redirect: js.RedirectManual}},
		{"undefined init", `env.S.fetch(request, undefined)`, fetchBlock{binding: 1, kind: js.RequestUntouched, redirect: js.RedirectManual}},
		{"a URL", `env.S.fetch(new URL("https://a.test/b"))`, fetchBlock{binding: 1, method: "GET", url: "https://a.test/b"}},
		{"init", `env.D.get("a").fetch("https://a.test/", { method: "PUT" })`, fetchBlock{binding: 2, method: "PUT", url: "https://a.test/", name: "a"}},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := worker(t, `export default { fetch(request, env) { return `+s.script+` } }`)
			g.give(js.OpEnv, []byte(bindings), 0)
			g.event(1, event{url: "https://example.com/"})
			c := g.take(js.HostFetch)
			equal(t, "fetch", c.fetch, s.want)
			g.fetched(c, 200, 3, 4, "", "")
			equal(t, "answered", g.answers[1].answered, true)
		})
	}
}

// An abort stops the operation, and the promise rejects with its reason.
func TestAbort(t *testing.T) {
	g := worker(t, `export default { async fetch(request, env) {
		const c = new AbortController();
		const pending = env.D.get("a").fetch("https://a.test/", { signal: c.signal });
		c.abort(new Error("enough"));
		return new Response(await pending.catch(String));
	} }`)
	g.give(js.OpEnv, []byte(bindings), 0)
	equal(t, "answer", g.event(1, event{}).body, "Error: enough")
	equal(t, "stopped", g.stopped, []uint32{g.take(js.HostFetch).id})
}

func TestFetchAtModuleScope(t *testing.T) {
	g := worker(t, `let failure; fetch("https://a.test/").catch((e) => { failure = String(e) });
		export default { fetch() { return new Response(failure) } }`)
	if got := g.event(1, event{}).body; !strings.HasPrefix(got, "Error: Disallowed operation called within global scope.") {
		t.Errorf("answer %q", got)
	}
}

// A head larger than the I/O buffer is brought in by a second HEAD.
func TestLargeHead(t *testing.T) {
	g := worker(t, `export default { async fetch(r) {
		const x = await fetch("https://o.example/"); return new Response([...x.headers].length + x.headers.get("h99").slice(0, 3));
	} }`)
	var lines strings.Builder
	for i := range 100 {
		lines.WriteString("h" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + ": " + strings.Repeat("v", 1000) + "\n")
	}
	g.event(1, event{})
	g.fetched(g.take(js.HostFetch), 200, 5, 0, lines.String(), "")
	equal(t, "headers", g.answers[1].body, "100vvv")
}
