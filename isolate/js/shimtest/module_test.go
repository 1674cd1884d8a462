package shimtest

import (
	"strings"
	"testing"

	"switchyard/isolate/js"
)

func TestModules(t *testing.T) {
	g := newGuest(t, js.Prelude())
	e := g.start(moduleES, "src/main.js",
		module{"src/main.js", `
			import text from "../data/t.txt"; import data from "../data/d.bin"; import json from "./j.json";
			import { twice } from "./lib/twice.js"; import { env } from "cloudflare:workers"; import * as bare from "bare";
			export default { async fetch() {
				const later = await import("./later.js");
				const root = await import("/src/later.js");
				return Response.json([text, new Uint8Array(data).join(), json.k, twice(4), bare.default, later.default, root === later, typeof env]);
			} }`, moduleES},
		module{"data/t.txt", "some text", moduleText}, module{"data/d.bin", "\x00\x01\xff", moduleData},
		module{"src/j.json", `{"k":"v"}`, moduleJSON}, module{"bare", "export default 'b'", moduleES},
		module{"src/lib/twice.js", `import { two } from "../two.js"; export const twice = (n) => n * two;`, moduleES},
		module{"src/two.js", `import "./lib/twice.js"; export const two = 2;`, moduleES},
		module{"src/later.js", `export default "late"`, moduleES})
	if e != "" {
		t.Fatal(e)
	}
	equal(t, "answer", g.event(1, event{}).body, `["some text","0,1,255","v",8,"b","late",true,"object"]`)
}

func TestStartFailures(t *testing.T) {
	for _, s := range []struct {
		name, source string
		want         []string
	}{
		{"syntax", "export default {\n  fetch( {", []string{"SyntaxError", "main.js:2"}},
		{"throws", "\n\nthrow new Error('at start')", []string{"Error: at start\n", "main.js:3"}},
		{"bad syntax that nothing imports", `export default {}`, []string{"SyntaxError: Unexpected token ';'", "at unused.js:1:18"}},
		{"missing module", `import "./nope.js"`, []string{"Error: No such module \"nope.js\".\n  imported from \"main.js\""}},
		{"above the root", `import "../x.js"`, []string{`above the root`}},
		{"missing export", `import { x } from "./other.js"`, []string{"SyntaxError: The requested module 'other.js' does not provide an export named 'x'"}},
		{"bad json", `import x from "./bad.json"`, []string{"SyntaxError"}},
		{"a description of wasm that is none", `import x from "./m.wasm"`, []string{`SyntaxError`, "at m.wasm:1:1"}},
		{"rejected await", `await Promise.reject(new RangeError("r"))`, []string{"RangeError: r"}},
		{"endless await", `await new Promise(() => {})`, []string{"pending"}},
		{"fetch in global scope", `await fetch("https://o.example/")`, []string{"Disallowed operation called within global scope"}},
		{"eval", `eval("1")`, []string{"EvalError: Code generation from strings disallowed for this context"}},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := newGuest(t, js.Prelude())
			modules := []module{{"main.js", s.source, moduleES}}
			if strings.HasPrefix(s.name, "bad syntax") {
				modules = append(modules, module{"unused.js", "export const x = ;", moduleES})
			}
			got := g.start(moduleES, "main.js", append(modules, module{"other.js", "export const y = 1", moduleES},
				module{"bad.json", "{", moduleJSON}, module{"m.wasm", "\x00asm", moduleWasm})...)
			for _, want := range s.want {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// A module that cannot be imported leaves its neighbours in a cycle as they are.
func TestBrokenCycle(t *testing.T) {
	g := newGuest(t, js.Prelude())
	e := g.start(moduleES, "main.js",
		module{"main.js", `const said = async (name) => { try { await import(name); return "ok" } catch (e) { return String(e) } };
			export default { async fetch() { const all = []; for (let i = 0; i < 2; i++) for (const n of ["./x.js", "./y.js", "./z.js"]) all.push(await said(n)); return Response.json(all) } }`, moduleES},
		module{"x.js", `import "./y.js"; import "./missing.js"; export const x = 1`, moduleES},
		module{"y.js", `import { x } from "./x.js"; export const y = () => x`, moduleES},
		module{"z.js", `export const z = 1`, moduleES})
	if e != "" {
		t.Fatal(e)
	}
	const missing = `"Error: No such module \"missing.js\"."`
	equal(t, "answers", g.event(1, event{}).body, "["+missing+","+missing+`,"ok",`+missing+","+missing+`,"ok"]`)
}

func TestHandlers(t *testing.T) {
	for _, s := range []struct {
		name, source string
		kind         uint32
		want         int32
	}{
		{"object", "export default { fetch() {} }", moduleES, js.HandlerFetch | js.HandlerAny},
		{"class", "import { WorkerEntrypoint } from 'cloudflare:workers'; export default class extends WorkerEntrypoint { fetch() {} }", moduleES, js.HandlerFetch | js.HandlerAny},
		{"other event", "export default { scheduled() {} }", moduleES, js.HandlerAny},
		{"nothing", "export const x = 1", moduleES, 0},
		{"script", "addEventListener('fetch', (e) => e.respondWith(new Response('x')))", moduleJS, js.HandlerFetch | js.HandlerAny},
		{"silent script", "var x = 1", moduleJS, 0},
	} {
		t.Run(s.name, func(t *testing.T) {
			g := newGuest(t, js.Prelude())
			if e := g.start(s.kind, "main.js", module{"main.js", s.source, s.kind}); e != "" {
				t.Fatal(e)
			}
			equal(t, "bits", g.enter(js.OpHandlers, 0, 0, 0), s.want)
		})
	}
}

func TestScript(t *testing.T) {
	g := newGuest(t, js.Prelude())
	const source = `addEventListener("fetch", (event) => { event.respondWith(handle(event.request)) });
		async function handle(request) { await null; if (request.method === "PUT") throw new Error("put"); return new Response("sw " + request.url) }`
	if e := g.start(moduleJS, "worker.js", module{"worker.js", source, moduleJS}); e != "" {
		t.Fatal(e)
	}
	equal(t, "answer", g.event(1, event{}).body, "sw https://example.com/")
	equal(t, "failure", g.event(2, event{method: "PUT"}).message, "Error: put")
}

// In service-worker syntax bindings are global variables; a new env replaces them.
func TestScriptBindings(t *testing.T) {
	g := newGuest(t, js.Prelude())
	g.give(js.OpEnv, []byte(`[{"name":"A","type":"plain_text","text":"1"}]`), 0)
	const source = `const early = A; addEventListener("fetch", (e) => e.respondWith(new Response(early + A)))`
	if e := g.start(moduleJS, "worker.js", module{"worker.js", source, moduleJS}); e != "" {
		t.Fatal(e)
	}
	g.give(js.OpEnv, []byte(`[{"name":"A","type":"plain_text","text":"2"}]`), 0)
	equal(t, "answer", g.event(1, event{}).body, "12")
}

func TestEntrypoints(t *testing.T) {
	g := worker(t, `import { WorkerEntrypoint } from "cloudflare:workers";
		export default { fetch() { return new Response("default") } }
		export class Admin extends WorkerEntrypoint { fetch(r) { return new Response("admin " + typeof this.ctx.waitUntil + this.env.A) } }
		export const plain = { fetch() { return new Response("plain") } };`)
	g.give(js.OpEnv, []byte(`[{"name":"A","type":"plain_text","text":"1"}]`), 0)
	equal(t, "default", g.event(1, event{}).body, "default")
	equal(t, "class", g.event(2, event{entrypoint: "Admin"}).body, "admin function1")
	equal(t, "object", g.event(3, event{entrypoint: "plain"}).body, "plain")
	equal(t, "missing", g.event(4, event{entrypoint: "nope"}).message, "TypeError: Handler does not export a fetch() function.")
}

// Clones of one snapshot draw different numbers, and one draws the same only by the same seed.
func TestRandomAfterClone(t *testing.T) {
	const source = `const early = Math.random(); export default { fetch() { return Response.json([early, Math.random(), Math.random()]) } }`
	g := worker(t, source)
	memory, _ := g.mod.Memory().Read(0, g.mod.Memory().Size())
	image := append([]byte(nil), memory...)
	first := g.event(1, event{}).body
	g.mod.Memory().Write(0, image)
	second := g.event(1, event{}).body
	a, b := strings.Split(first, ","), strings.Split(second, ",")
	if a[0] != b[0] {
		t.Errorf("module scope differs: %s %s", a[0], b[0])
	}
	if a[1] == b[1] || a[1] == a[2] {
		t.Errorf("draws repeat: %s %s", first, second)
	}
}

func TestHeapLimit(t *testing.T) {
	g := worker(t, `export default { fetch(r) {
		let n = 0; const kept = [];
		try { for (;; n++) kept.push(new Uint8Array(1 << 20)) } catch (e) { kept.length = 0; return new Response(e.message + " " + n) }
	} }`)
	g.enter(js.OpLimit, 8<<20, 0, 0)
	var n int
	body := g.event(1, event{}).body
	if rest, ok := strings.CutPrefix(body, "out of memory "); ok {
		for _, c := range rest {
			n = n*10 + int(c-'0')
		}
	}
	if n < 3 || n > 8 {
		t.Errorf("%q megabytes under a limit of 8", body)
	}
}

// A heap that stays full does not keep the failure from being told.
func TestHeapFull(t *testing.T) {
	g := worker(t, `const kept = []; export default { async fetch(r) {
		for (let n = 1 << 20; ; n = Math.max(n >> 1, 8)) for (;;) { kept.push(new Uint8Array(n)); if (kept.length > 1e6) break }
	} }`)
	g.enter(js.OpLimit, 4<<20, 0, 0)
	a := g.event(1, event{})
	equal(t, "message", a.message, "InternalError: out of memory")
}
