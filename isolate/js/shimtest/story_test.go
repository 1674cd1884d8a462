package shimtest

import (
	"testing"

	"switchyard/isolate/js"
)

// Each story is an expression or the body of an async function `run(request, env, ctx)`; its
// result, made a string, is the response's text.
var stories = []struct{ name, script, want string }{
	// Headers
	{"headers combine", `const h = new Headers(); h.append("A", "1"); h.append("a", " 2\t"); return h.get("a")`, "1, 2"},
	{"headers sort", `return [...new Headers({ b: "2", A: "1", "set-cookie": "x" })].join(";")`, "a,1;b,2;set-cookie,x"},
	{"set-cookie stands alone", `const h = new Headers([["set-cookie","a=1"],["Set-Cookie","b=2"]]); return h.getSetCookie().join("|") + [...h].length + h.get("set-cookie")`, "a=1|b=22a=1, b=2"},
	{"headers set keeps place", `const h = new Headers([["a","1"],["b","2"],["a","3"]]); h.set("a","longer value"); return JSON.stringify([...h])`, `[["a","longer value"],["b","2"]]`},
	{"headers delete", `const h = new Headers({a:"1",b:"2"}); h.delete("A"); return h.has("a") + "," + h.get("b") + "," + h.get("zz")`, "false,2,null"},
	{"header names are tokens", `try { new Headers({ "a b": "1" }) } catch (e) { return e.name + e.message }`, "TypeErrorInvalid header name."},
	{"header values do not split", `try { new Headers({ a: "1\n2" }) } catch (e) { return e.name + e.message }`, "TypeErrorInvalid header value."},
	{"header values are bytes", `const h = new Headers({ a: "\xe9" }); try { h.set("b", "\u0100") } catch (e) { return h.get("a") + e.name }`, "\u00e9TypeError"},
	{"headers are live to iterate", `const h = new Headers({ a: "1", b: "2" }); const seen = []; for (const [k] of h) { seen.push(k); if (k === "a") h.delete("b"); } return seen.join()`, "a"},
	{"headers forEach", `const out = []; new Headers({ x: "1" }).forEach(function (v, k, h) { out.push(v, k, h instanceof Headers, this.t) }, { t: 7 }); return out.join()`, "1,x,true,7"},
	{"headers tag", `return Object.prototype.toString.call(new Headers()) + Object.prototype.toString.call(new Headers().keys())`, "[object Headers][object Headers Iterator]"},
	{"headers from pairs of three", `try { new Headers([["a","b","c"]]) } catch (e) { return e.name }`, "TypeError"},
	{"incoming headers are immutable", `try { request.headers.set("a", "1") } catch (e) { return e.message }`, "Can't modify immutable headers."},
	{"a copy is mutable", `const h = new Headers(request.headers); h.set("x-a", "2"); return h.get("x-a") + request.headers.get("x-a")`, "21"},

	// Request
	{"request fields", `return [request.method, request.url, request.headers.get("X-A"), request.redirect, request.bodyUsed, request.body].join()`, "GET,https://example.com/p?q=1,1,manual,false,"},
	{"request methods are normalised", `return new Request("https://a/", { method: "post" }).method + new Request("https://a/", { method: "patch" }).method`, "POSTPATCH"},
	{"request url is parsed", `return new Request("HTTPS://EXAMPLE.com:443/a/../b").url`, "https://example.com/b"},
	{"request needs a url", `try { new Request("/x") } catch (e) { return e.name + ": " + e.message }`, "TypeError: Invalid URL string."},
	{"connect is refused", `try { new Request("https://a/", { method: "CONNECT" }) } catch (e) { return e.message }`, "Invalid HTTP method string: CONNECT"},
	{"GET has no body", `try { new Request("https://a/", { body: "x" }) } catch (e) { return e.message }`, "Request with a GET or HEAD method cannot have a body."},
	{"request body moves", `const a = new Request("https://a/", { method: "POST", body: "xyz" }); const b = new Request(a); return [a.bodyUsed, await b.text(), b.headers.get("content-type")].join()`, "true,xyz,text/plain;charset=UTF-8"},
	{"request init wins", `const a = new Request(request, { method: "PUT", headers: { k: "v" }, body: "z", redirect: "follow" }); return [a.method, a.headers.get("k"), a.headers.get("x-a"), await a.text(), a.redirect, a.url].join()`, "PUT,v,,z,follow,https://example.com/p?q=1"},
	{"request clone", `const a = new Request("https://a/", { method: "POST", body: "xyz" }); const b = a.clone(); return await a.text() + await b.text()`, "xyzxyz"},
	{"request signal", `const c = new AbortController(); return String(new Request("https://a/", { signal: c.signal }).signal === c.signal) + (request.signal instanceof AbortSignal)`, "truetrue"},
	{"request subclass", `class R extends Request { get x() { return this.url + "!" } } return new R("https://a/").x + (new R("https://a/") instanceof Request)`, "https://a/!true"},
	{"call without new", `try { Request("https://a/") } catch (e) { return e.name }`, "TypeError"},

	// Response
	{"response defaults", `const r = new Response(); return [r.status, r.statusText, r.ok, r.body, r.url, r.type, r.redirected, [...r.headers].length].join()`, "200,OK,true,,,default,false,0"},
	{"response init", `const r = new Response("x", { status: 404, statusText: "No", headers: { a: "b" } }); return [r.status, r.statusText, r.ok, r.headers.get("a"), r.headers.get("content-type")].join()`, "404,No,false,b,text/plain;charset=UTF-8"},
	{"content type given", `return new Response("x", { headers: { "Content-Type": "text/html" } }).headers.get("content-type")`, "text/html"},
	{"status range", `try { new Response("", { status: 600 }) } catch (e) { return e.name }`, "RangeError"},
	{"null body status", `try { new Response("x", { status: 204 }) } catch (e) { return e.message }`, "Response with null body status (101, 204, 205, or 304) cannot have a body."},
	{"bad statusText", `try { new Response("x", { statusText: "a\nb" }) } catch (e) { return e.message }`, "Invalid statusText"},
	{"response json", `const r = Response.json({ a: [1] }, { status: 201 }); return [r.status, r.headers.get("content-type"), await r.text()].join()`, `201,application/json,{"a":[1]}`},
	{"response json undefined", `try { Response.json(undefined) } catch (e) { return e.name }`, "TypeError"},
	{"response redirect", `const r = Response.redirect("https://a.example/x y", 301); return [r.status, r.headers.get("location")].join()`, "301,https://a.example/x%20y"},
	{"redirect status", `try { Response.redirect("https://a/", 200) } catch (e) { return e.name }`, "RangeError"},
	{"response error", `const r = Response.error(); return r.type + r.status`, "error0"},
	{"response clone", `const r = new Response("abc", { status: 201, headers: { k: "v" } }); const c = r.clone(); return [await r.text(), await c.text(), c.status, c.headers.get("k")].join()`, "abc,abc,201,v"},
	{"response of a response", `const r = new Response("a", new Response("b", { status: 202, headers: { k: "v" } })); return [r.status, r.headers.get("k"), await r.text()].join()`, "202,v,a"},
	{"copied headers part", `const a = new Response("a", { headers: { k: "1" } }); const b = new Response("b", a); b.headers.set("k", "2"); return a.headers.get("k") + b.headers.get("k")`, "12"},

	// Bodies
	{"body text", `return await new Response("h\u00e9\ud800").text()`, "h\u00e9\ufffd"},
	{"body json", `return (await new Response('{"a":{"b":[1,2]}}').json()).a.b[1]`, "2"},
	{"body json error", `try { await new Response("{").json() } catch (e) { return e.name }`, "SyntaxError"},
	{"body bytes", `const b = await new Response("\u20ac").bytes(); return b.constructor.name + [...b]`, "Uint8Array226,130,172"},
	{"body arrayBuffer", `return (await new Response(new Uint8Array([1,2,3]).subarray(1)).arrayBuffer()).byteLength`, "2"},
	{"body of a DataView", `return [...await new Response(new DataView(new Uint8Array([1,2,3,4]).buffer, 1, 2)).bytes()].join()`, "2,3"},
	{"body is a copy", `const a = new Uint8Array([65]); const r = new Response(a); a[0] = 66; return await r.text()`, "A"},
	{"body is read once", `const r = new Response("x"); await r.text(); try { await r.text() } catch (e) { return e.name + r.bodyUsed }`, "TypeErrortrue"},
	{"null body is read often", `const r = new Response(); return await r.text() + await r.text() + r.bodyUsed`, "false"},
	{"bom is dropped", `return (await new Response(new Uint8Array([0xEF,0xBB,0xBF,0x61])).text()).length`, "1"},
	{"invalid utf-8", `return await new Response(new Uint8Array([0x61,0xF0,0x9F,0x92,0x62,0xFF])).text()`, "a\ufffdb\ufffd"},
	{"params body", `const r = new Response(new URLSearchParams({ a: "b c" })); return r.headers.get("content-type") + await r.text()`, "application/x-www-form-urlencoded;charset=UTF-8a=b+c"},
	{"number body", `return await new Response(42).text()`, "42"},
	{"blob body", `const r = new Response(new Blob(["x", "y"], { type: "a/b" })); return r.headers.get("content-type") + await r.text()`, "a/bxy"},
	{"body to blob", `const b = await new Response("xy", { headers: { "content-type": "a/b" } }).blob(); return b.type + b.size`, "a/b2"},
	{"form data round trip", `const f = new FormData(); f.append("a", "1"); f.append("f", new Blob(["xyz"]), "n.txt"); const g = await new Response(f).formData(); return g.get("a") + g.get("f").name + await g.get("f").text()`, "1n.txtxyz"},
	{"a form's text is the form, all of it", `const read = async (text) => [...await new Response(text, { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData()].map((p) => p.join("=")).join("&"); return await read("?a=1") + "," + await read("\ufeffa=\ufeff")`, "?a=1,\ufeffa=\ufeff"},
	{"body as stream", `const r = new Response("abc"); const rd = r.body.getReader(); const { value } = await rd.read(); return new TextDecoder().decode(value) + r.bodyUsed + (await rd.read()).done`, "abctruetrue"},
	{"stream to text", `const s = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("a")); c.enqueue(new TextEncoder().encode("b")); c.close() } }); return await new Response(s).text()`, "ab"},
	{"stream clone", `const s = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([65])); c.close() } }); const a = new Response(s), b = a.clone(); return await a.text() + await b.text()`, "AA"},
	{"read streams are no bodies", `const s = new Response("a").body; s.getReader(); try { new Response(s) } catch (e) { return e.name }`, "TypeError"},
	{"used body has a disturbed stream", `const r = new Response("a"); await r.text(); return r.body.locked + "" + r.bodyUsed`, "truetrue"},

	// fetch
	{"fetch is a function", `return fetch.name + fetch.length + Object.getOwnPropertyDescriptor(globalThis, "fetch").enumerable`, "fetch1false"},
	{"fetch() without an argument", `return await fetch().catch(String)`, "TypeError: fetch: 1 argument required, but only 0 present"},
	{"fetch rejects, it does not throw", `const out = []; for (const f of [() => fetch("nope"), () => fetch("https://a/", 5), () => fetch("https://a/", { body: "x" }), () => fetch("https://a/", { get method() { throw new EvalError() } })]) out.push(await f().catch((e) => e.name)); return out.join()`, "TypeError,TypeError,TypeError,EvalError"},
	{"fetch with a signal that has aborted", `return await fetch("https://a/", { signal: AbortSignal.abort("gone") }).catch(String)`, "gone"},
	{"fetch of an aborted request", `const c = new AbortController(); const r = new Request("https://a/", { signal: c.signal }); c.abort(); return (await fetch(r).catch((e) => e)).name`, "AbortError"},

	// URL and URLSearchParams
	{"url params are live", `const u = new URL("https://a/?x=1"); u.searchParams.append("y", "z w"); const s = u.href; u.search = "?k=v"; return s + u.searchParams.get("k")`, "https://a/?x=1&y=z+wv"},
	{"params outlive the url", `const p = new URL("https://a/?x=1").searchParams; p.append("y", "2"); return p.toString()`, "x=1&y=2"},
	{"params emptied", `const u = new URL("https://a/?x=1#h"); u.searchParams.delete("x"); return u.href`, "https://a/#h"},
	{"params by value", `const p = new URLSearchParams("a=1&a=2&a=3"); p.delete("a", "2"); return p + "" + p.has("a", "1") + p.has("a", "2") + p.size`, "a=1&a=3truefalse2"},
	{"params sort", `const p = new URLSearchParams([["\ufb03","1"],["\u{1F308}","2"],["a","3"],["a","0"]]); p.sort(); return [...p.values()].join()`, "3,0,2,1"},
	{"params set", `const p = new URLSearchParams("a=1&b=2&a=3"); p.set("a", "x"); p.set("c", "y"); return p + ""`, "a=x&b=2&c=y"},
	{"params decode", `const p = new URLSearchParams("?a=%zz+b%20%ff"); return p.get("a")`, "%zz b \ufffd"},
	{"params from a record", `return new URLSearchParams({ a: 1, b: "x&y" }) + ""`, "a=1&b=x%26y"},
	{"params from a record whose names become one", `return new URLSearchParams({ "a\ud800": 1, b: 2, "a\udc00": 3 }) + ""`, "a%EF%BF%BD=3&b=2"},
	{"params from a record of many such names", `const o = {}; for (let i = 0; i < 2000; i++) o["\ud800" + i] = i; const p = new URLSearchParams(o); return p.size + p.get("\ufffd1999")`, "20001999"},
	{"params of params", `return new URLSearchParams(new URLSearchParams("a=1&a=2")) + ""`, "a=1&a=2"},
	{"params get all", `return new URLSearchParams("a=1&b=2&a=").getAll("a").length`, "2"},
	{"url parse", `return URL.parse("nope") + "," + URL.parse("x", "https://a/b/").href + URL.canParse("https://a")`, "null,https://a/b/xtrue"},
	{"url idna", `return new URL("https://m\u00fcnchen.de/").host`, "xn--mnchen-3ya.de"},
	{"url json", `return JSON.stringify({ u: new URL("https://a/") })`, `{"u":"https://a/"}`},

	// Encoding
	{"encode into", `const b = new Uint8Array(4); const r = new TextEncoder().encodeInto("a\u20acb", b); return [r.read, r.written, ...b].join()`, "2,4,97,226,130,172"},
	{"decode stream", `const d = new TextDecoder(); const e = new TextEncoder().encode("\u20ac"); return d.decode(e.subarray(0, 1), { stream: true }) + d.decode(e.subarray(1, 2), { stream: true }) + d.decode(e.subarray(2)) + "|" + d.decode(e.subarray(0, 2))`, "\u20ac|\ufffd"},
	{"decode fatal", `try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])) } catch (e) { return e.name }`, "TypeError"},
	{"decode bom", `const b = new Uint8Array([0xEF,0xBB,0xBF,97]); return new TextDecoder().decode(b).length + "" + new TextDecoder("utf8", { ignoreBOM: true }).decode(b).length`, "12"},
	{"decode label", `try { new TextDecoder("klingon") } catch (e) { return e.name + new TextDecoder(" UTF8 ").encoding }`, "RangeErrorutf-8"},
	{"decode utf-16", `const b = (...x) => new Uint8Array(x); return new TextDecoder("utf-16").decode(b(0xff, 0xfe, 97, 0, 0x3d, 0xd8, 0xa9, 0xdc)) + new TextDecoder("unicodefffe").decode(b(0, 97, 0x20, 0xac))`, "a\U0001f4a9a\u20ac"},
	{"decode utf-16 in pieces", `const d = new TextDecoder("utf-16be"); let s = ""; for (const x of [0xfe, 0xff, 0xd8, 0x3d, 0xdc, 0xa9, 0, 98]) s += d.decode(new Uint8Array([x]), { stream: true }); return s + d.decode() + d.encoding`, "\U0001f4a9butf-16be"},
	{"decode broken utf-16", `const out = []; for (const x of [[0x3d, 0xd8], [0xa9, 0xdc], [97], [0x3d, 0xd8, 97, 0], [0x3d, 0xd8, 97]]) { const b = new Uint8Array(x); out.push(new TextDecoder("ucs-2").decode(b)); try { new TextDecoder("ucs-2", { fatal: true }).decode(b) } catch (e) { out.push(e.name) } } return out.join()`, "\ufffd,TypeError,\ufffd,TypeError,\ufffd,TypeError,\ufffda,TypeError,\ufffd,TypeError"},
	{"atob", `return atob(btoa("h\u00e9"))`, "h\u00e9"},

	// The language
	{"no eval", `try { eval("1") } catch (e) { return e.name + ": " + e.message }`, "EvalError: Code generation from strings disallowed for this context"},
	{"no Function", `const out = []; for (const f of [() => new Function("1"), () => Function("1"), () => (() => {}).constructor("1"), () => (async () => {}).constructor("1"), () => (function* () {}).constructor("1"), () => (async function* () {}).constructor("1"), () => (0, eval)("1")]) try { f(); out.push("ran") } catch (e) { out.push(e.name) } return out.join()`, "EvalError,EvalError,EvalError,EvalError,EvalError,EvalError,EvalError"},
	{"functions are Functions", `return (() => 1) instanceof Function && Function.prototype === Object.getPrototypeOf(() => 1) && (async () => 1) instanceof Function`, "true"},
	{"time stands still", `const a = Date.now(); let n = 0; for (let i = 0; i < 1e5; i++) n += i; return a === Date.now() && +new Date() === a && a`, "1700000000000"},
	{"stack overflow is a RangeError", `const f = () => 1 + f(); try { f() } catch (e) { return e.name }`, "RangeError"},
	{"recursion through natives is a RangeError", `const out = []; let f; for (f of [() => new Headers({ get a() { return f() } }), () => new URL({ toString: () => f() }), () => new Response("", { get status() { f() } }), () => new URLSearchParams([[{ toString: () => f() + "" }, "b"]]), () => [1].map(() => f())]) try { f(); out.push("returned") } catch (e) { out.push(e.name) } return out.join()`, "RangeError,RangeError,RangeError,RangeError,RangeError"},
	{"json depth", `const nest = (n) => "[".repeat(n) + '"[\\"["' + "]".repeat(n); let d = 0; for (let v = JSON.parse(nest(2000)); Array.isArray(v); v = v[0]) d++; const out = [d]; for (const f of [() => JSON.parse(nest(2001)), () => new Response(nest(2001)).json()]) try { await f() } catch (e) { out.push(e.name) } return out.join()`, "2000,RangeError,RangeError"},
	{"json reviver", `return JSON.stringify(JSON.parse('{"a":[1,2]}', (k, v) => typeof v === "number" ? v * 2 : v)) + JSON.parse.name + JSON.parse.length`, `{"a":[2,4]}parse2`},
	{"deep json is a RangeError", `try { JSON.parse("[".repeat(1e5) + "]".repeat(1e5)); return "parsed" } catch (e) { return e.name }`, "RangeError"},
	{"memory is limited", `const a = []; try { for (;;) a.push(new Uint8Array(1 << 20)) } catch (e) { return e.message }`, "out of memory"},
	{"prelude natives are hidden", `return typeof sw + typeof hooks`, "undefinedundefined"},
	{"ctx", `return typeof ctx.waitUntil + typeof ctx.passThroughOnException + Object.prototype.toString.call(ctx)`, "functionfunction[object ExecutionContext]"},
}

const storyPrelude = "async function run(request, env, ctx) {\n"
const storyHandler = "\n}\nexport default { async fetch(request, env, ctx) { return new Response(String(await run(request, env, ctx))) } }"

func TestStories(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			g := newGuest(t, js.Prelude())
			if e := g.start(moduleES, "main.js", module{"main.js", storyPrelude + s.script + storyHandler, moduleES}); e != "" {
				t.Fatal(e)
			}
			a := g.event(1, event{url: "https://example.com/p?q=1", headers: "x-a: 1\n"})
			if a.failure || a.body != s.want {
				t.Errorf("got %q, want %q\n%s%s", a.body, s.want, a.message, a.stack)
			}
			if len(g.rejected) > 0 {
				t.Errorf("unhandled: %q", g.rejected)
			}
		})
	}
}

// handlerOf is a Worker that answers with what the body of an async function returns.
func handlerOf(body string) string { return storyPrelude + body + storyHandler }

// saying is the body of a handler and what it answers with.
type saying struct{ script, want string }

// wantsAll runs each in an engine of its own: some change built-ins.
func wantsAll(t *testing.T, sayings []saying) {
	t.Helper()
	for _, s := range sayings {
		if got := worker(t, handlerOf(s.script)).event(1, event{}); got.body != s.want {
			t.Errorf("%s: %q, want %q; %s", s.script, got.body, s.want, got.message)
		}
	}
}
