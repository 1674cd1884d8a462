package shimtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"switchyard/isolate/js"
)

// hostileScript calls natives with whatever a tenant might pass: other classes' objects, values
// whose conversion throws or changes what is being worked on, detached and resized buffers.
const hostileScript = `
let state = BigInt(SEED);
function random(n) { state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn; return Number((state >> 33n) % BigInt(n)); }
const pick = (list) => list[random(list.length)];
const classes = [Headers, Request, Response, URL, URLSearchParams, TextEncoder, TextDecoder];
const pool = [];
const nasty = () => ({ toString() { if (random(2)) throw new Error("no"); shake(); return "x" }, valueOf() { shake(); return 3 }, get headers() { shake(); return undefined }, get body() { shake(); return "b" },
	get status() { shake(); return 200 }, get method() { shake(); return "POST" }, *[Symbol.iterator]() { shake(); yield ["a", nastyText()]; if (random(2)) yield 1 } });
const nastyText = () => ({ toString() { shake(); return "v".repeat(random(300)) } });
function detached() { const b = new ArrayBuffer(16); const v = new Uint8Array(b); b.transfer(); return v }
const values = [
	() => undefined, () => null, () => 1, () => -0.5, () => NaN, () => 10n, () => Symbol("s"), () => "", () => "a=b&c=d", () => "https://h:1/p?q#f", () => "\ud800x", () => "x".repeat(5000),
	() => ({}), () => [], () => [["a", "b"]], () => [["a"]], () => ({ a: "b", "": "c" }), nasty, nastyText, detached, () => new Uint8Array(5), () => new DataView(new ArrayBuffer(8), 2), () => new Float64Array(3),
	() => new Proxy({}, {}), () => new Proxy(new Headers(), {}), () => () => 1, () => { throw new Error("value") }, () => new ArrayBuffer(8, { maxByteLength: 64 }), () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
	() => new ReadableStream(), () => new Blob(["b"]), () => ({ status: 204, headers: [["k", "v"]], method: "PUT", body: nastyText() }), () => pick(pool), () => pick(pool), () => pick(pool), () => pick(classes), () => ({ stream: true, fatal: true }),
];
const value = () => pick(values)();
let depth = 0;
function attempt(what) { if (depth > 3) return; depth++; try { const made = what(); if (Object(made) === made && pool.length < 200) pool.push(made); if (made instanceof Promise) made.catch(() => {}); } catch {} finally { depth-- } }
function shake() { attempt(() => call()); if (random(10) === 0 && pool.length) pool.splice(random(pool.length), 1) }
function call() {
	const kind = pick(classes);
	const names = Reflect.ownKeys(kind.prototype);
	const args = Array.from({ length: random(4) }, value);
	switch (random(6)) {
	case 0: return Reflect.construct(kind, args, random(8) ? kind : pick(classes));
	case 1: { const statics = Reflect.ownKeys(kind).filter((k) => typeof kind[k] === "function"); return kind[pick(statics)]?.(...args) }
	case 2: { const d = Object.getOwnPropertyDescriptor(kind.prototype, pick(names)); return d.set?.call(random(5) ? pick(pool) : value(), value()) }
	case 3: { const d = Object.getOwnPropertyDescriptor(kind.prototype, pick(names)); return d.get?.call(random(5) ? pick(pool) : value()) }
	default: {
		const self = random(5) ? pick(pool) : value(), own = Object.getPrototypeOf(self), f = own[pick(Reflect.ownKeys(own))];
		const made = f.apply(self, args);
		if (made?.next) for (let i = 0; i < random(5); i++) pool.push(made.next());
		return made;
	}
	}
}
for (const kind of classes) attempt(() => new kind("https://a/"));
export default { async fetch(r) {
	pool.push(r, r.headers, new Response("x", { headers: { a: "1" } }), new URLSearchParams("a=1&b=2").entries(), new Headers({ a: "b" }).keys(), new URL("blob:https://x/y").searchParams);
	for (let i = 0; i < 3000; i++) { attempt(call); if (i % 100 === 0) await null; }
	return new Response("survived " + pool.length);
} }`

func TestHostileCalls(t *testing.T) {
	base := rand.Uint64() >> 16
	t.Logf("seed %d", base)
	for i := range uint64(8) {
		g := worker(t, strings.Replace(hostileScript, "SEED", fmt.Sprint(base+i), 1))
		a := g.event(1, event{method: "POST", inline: "body", headers: "x: y\n"})
		for len(g.calls) > 0 && len(g.calls) < 100 { // reads of handles, timers
			g.fail(g.calls[0], "over")
			g.calls = g.calls[1:]
		}
		if !strings.HasPrefix(g.answers[1].body, "survived ") {
			t.Errorf("seed %d: %+v", base+i, a)
		}
		g.enter(js.OpGC, 0, 0, 0)
	}
}
