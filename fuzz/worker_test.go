package fuzz

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

// workerSource is every tenant's Worker but for its mark. Each request stains whatever it can
// reach with its canary; /report shows what can be seen of all that.
const workerSource = `
const MARK = %q;
const seen = [];
let hits = 0;
const places = [Object.prototype, Array.prototype, Promise.prototype, Response.prototype, Headers.prototype, globalThis, console];
const buffer = new Uint8Array(4096);

function stain(canary, env) {
	hits++;
	seen.push(canary);
	if (seen.length > 16) seen.shift();
	for (const p of places) p.stain = canary;
	env.stain = canary;
	new TextEncoder().encodeInto(canary.repeat(64), buffer);
}

function report(canary, env) {
	return JSON.stringify({
		mark: MARK, hits, seen, stains: places.map((p) => p.stain), env: { ...env },
		buffer: new TextDecoder().decode(buffer),
	});
}

const answer = (body, init = {}) => new Response(body, { ...init, headers: { "x-mark": MARK, ...init.headers } });
const deep = (n) => deep(n + 1) + 1;
const ORIGIN = "http://origin.test/";

const paths = {
	report: (c, request, env) => answer(report(c, env)),
	big: (c, request, env, ctx, url) => answer(c.repeat(+url.searchParams.get("n"))),
	head: (c) => answer("x", { headers: { "x-canary": c, "set-cookie": "a=" + c } }),
	echo: (c, request) => answer(request.body),
	text: async (c, request) => answer(await request.text()),
	fetch: async (c) => answer(await (await fetch(ORIGIN + c)).text()),
	pass: async (c) => answer((await fetch(ORIGIN + "big/" + c)).body),
	stream: (c, request, env, ctx, url) => {
		let left = +url.searchParams.get("n");
		return answer(new ReadableStream({
			async pull(controller) {
				if (left-- <= 0) return controller.close();
				if (left %% 4 == 0) await fetch(ORIGIN + c);
				controller.enqueue(new TextEncoder().encode(c.repeat(32)));
			},
		}));
	},
	later: (c, request, env, ctx) => {
		ctx.waitUntil((async () => { await fetch(ORIGIN + c); console.log("later", c); globalThis.stain = c; })());
		return answer(report(c, env));
	},
	log: (c, request, env) => { console.log(c, { c }); console.error(env); return answer("logged"); },
	throw: (c) => { throw new TypeError("on purpose " + c); },
	reject: async (c) => { await null; throw c; },
	spin: () => { for (;;); },
	async: async () => { for (;;) await null; },
	recurse: () => answer(String(deep(0))),
	memory: () => { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); },
	never: () => new Promise(() => {}),
	hang: async () => answer(await (await fetch("http://hang.test/")).text()),
};

export default {
	async fetch(request, env, ctx) {
		const url = new URL(request.url);
		const canary = url.searchParams.get("c");
		stain(canary, env);
		return paths[url.pathname.slice(1)](canary, request, env, ctx, url);
	},
};
`

// dispatcherRef is the operator's entry Worker of runs that have one. HOST is
// script.namespace.test; what it catches is answered with caughtStatus.
var dispatcherRef = engine.Ref{Script: "dispatcher"}

const caughtStatus = 560

const dispatcherSource = `
export default {
	async fetch(request, env) {
		const [script, namespace] = new URL(request.url).hostname.split(".");
		try {
			if (!Object.hasOwn(env, namespace)) throw new Error("Worker not found");
			return await env[namespace].get(script, {}, { limits: { cpuMs: 40 } }).fetch(request);
		} catch (e) {
			return new Response(e.message, { status: 560 });
		}
	},
};
`

// tenantWasm is the same Worker in wasm. Its mark is in env: all of them share one module.
//
//go:embed testdata/tenant.wasm
var tenantWasm []byte

// version is an upload as the model knows it.
type version struct {
	tenant int
	serial int // of the upload in this run
	fresh  bool
	wasm   bool   // testdata/tenant.wasm, else workerSource
	number int    // within its script
	id     string // the engine's
}

func (v *version) mark() string   { return canary{v.tenant, 'v', v.serial}.String() }
func (v *version) secret() string { return canary{v.tenant, 's', v.serial}.String() }

// module is the upload's only one.
func (v *version) module() isolate.Module {
	if v.wasm {
		return isolate.Module{Name: "tenant.wasm", Kind: isolate.ModuleWasm, Source: slices.Clone(tenantWasm)}
	}
	return isolate.Module{Name: "index.js", Kind: isolate.ModuleES, Source: fmt.Appendf(nil, workerSource, v.mark())}
}

func (v *version) policy() isolate.Policy {
	if v.fresh {
		return isolate.PolicyRequest
	}
	return isolate.PolicyReuse
}

func (v *version) upload() engine.Upload {
	m := v.module()
	return engine.Upload{
		Main: m.Name, Policy: v.policy(), CompatibilityDate: "2025-09-01", Limits: isolate.Limits{CPU: 40 * time.Millisecond},
		Modules: []isolate.Module{m},
		Bindings: []engine.Binding{
			{Name: "SECRET", Type: engine.SecretText, Text: v.secret()},
			{Name: "PLAIN", Type: engine.PlainText, Text: v.mark()},
		},
	}
}

func dispatcherUpload(namespaces []string) engine.Upload {
	u := engine.Upload{
		Main: "index.js", CompatibilityDate: "2025-09-01",
		Modules: []isolate.Module{{Name: "index.js", Kind: isolate.ModuleES, Source: []byte(dispatcherSource)}},
	}
	for _, n := range namespaces {
		u.Bindings = append(u.Bindings, engine.Binding{Name: n, Type: engine.DispatchNamespace, Namespace: n})
	}
	return u
}

// badUploads are refused, each for another reason, and change nothing.
var badUploads = map[string]func(u *engine.Upload){
	"syntax":        func(u *engine.Upload) { u.Modules[0].Source = []byte("export default {") },
	"throws":        func(u *engine.Upload) { u.Modules[0].Source = []byte(`throw new Error("at module scope")`) },
	"no main":       func(u *engine.Upload) { u.Main = "other.js" },
	"import":        func(u *engine.Upload) { u.Modules[0].Source = []byte(`import x from "./nowhere.js"`) },
	"binding type":  func(u *engine.Upload) { u.Bindings[0].Type = "r2_bucket" },
	"binding name":  func(u *engine.Upload) { u.Bindings[0].Name = "__proto__" },
	"binding twice": func(u *engine.Upload) { u.Bindings[1].Name = u.Bindings[0].Name },
	"no namespace": func(u *engine.Upload) {
		u.Bindings[0] = engine.Binding{Name: "NS", Type: engine.DispatchNamespace, Namespace: "nowhere"}
	},
	"date": func(u *engine.Upload) { u.CompatibilityDate = "9999-99-99" },
	"wasm": func(u *engine.Upload) {
		u.Modules[0].Kind, u.Modules[0].Source = isolate.ModuleWasm, []byte("\x00asm\x01\x00\x00\x00\x01")
	},
}
