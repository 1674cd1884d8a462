package shimtest

import (
	"fmt"
	"strings"
	"testing"

	"switchyard/isolate/js"
)

// TestNothingLeaks runs each handler thousands of times: the heap that suffices for it at first
// suffices in the end.
func TestNothingLeaks(t *testing.T) {
	const fetchScript = `async fetch(r, env, ctx) {
		ctx.waitUntil(Promise.resolve());
		try { await fetch("https://refused.example/", { method: "POST", body: new Uint8Array(10) }) } catch (e) {}
		const x = await fetch("https://o.example/"); x.headers.get("a"); x.clone; return new Response(x.body, x);
	}`
	for _, s := range []struct{ name, handler string }{
		{"url", `async fetch(r) { const u = new URL(r.url); u.searchParams.set("a", u.searchParams.get("q")); u.pathname = "/x"; return new Response(u.href) }`},
		{"headers", `fetch(r) { const h = new Headers(r.headers); for (const [k, v] of [...h]) h.set(k + "x", v); try { h.set("a b", "") } catch (e) {} return new Response("x", { headers: h, status: 201, statusText: "ok" }) }`},
		{"bodies", `async fetch(r) { const q = new Request(r, { method: "POST", body: "{}" }); const c = q.clone(); await q.json(); await c.arrayBuffer(); await new Response(new URLSearchParams("a=b")).text(); return Response.json(await new Response("[1]").json()) }`},
		{"json", `fetch(r) { const text = '{"a":[1,"x",{"b":[true,null,"\\u00e9"],"c":{}}],"d":1.5,"a":2}', v = JSON.parse(text); for (const bad of ['[1,["x"', '{"a":["y"],}', "[1,{}", '{"k":"\\ud800"']) try { JSON.parse(bad) } catch (e) {}
			try { JSON.stringify({ x: [{}], y: 1n }) } catch (e) {} const c = []; c[0] = { c }; try { JSON.stringify(c) } catch (e) {} return new Response(JSON.stringify([v, v, { get x() { return {} } }, () => 1, new Date(0)], null, " ") + JSON.stringify(v)) }`},
		{"replaces", `fetch(r) { const t = "a & b <é>"; try { t.replace(/&/g, () => { throw 1 }) } catch (e) {} return new Response(t.replace(/[&<>]/g, (c) => "x" + c).replace(/b/g, "\\ud800").replace(new RegExp("[a]", "g"), "$&").replace(/[^a]/g, "")) }`},
		{"throws", `async fetch(r) { new Request("https://a/", { method: "a b" }) }`},
		{"codecs", `fetch(r) { const d = new TextDecoder(); return new Response(d.decode(new TextEncoder().encode("\u20ac").subarray(0, 2), { stream: true }) + d.decode()) }`},
		{"fetches", fetchScript},
	} {
		t.Run(s.name, func(t *testing.T) {
			if grown := grownBy(t, s.handler); grown > 1<<10 {
				t.Errorf("%d bytes of heap were not given back by 3000 requests", grown)
			}
		})
	}
}

// TestLeakIsSeen: a Worker that keeps something of every request is found out.
func TestLeakIsSeen(t *testing.T) {
	if grown := grownBy(t, `kept: [], fetch(r) { this.kept.push({}); return new Response("") }`); grown < 3000*16 {
		t.Errorf("only %d bytes more after 3000 requests that keep an object each", grown)
	}
}

// grownBy is how much more heap a Worker holds after 3000 requests than after the first 50.
func grownBy(t *testing.T, handler string) int {
	g := worker(t, "export default { "+handler+" }")
	run := func() {
		g.event(1, event{url: "https://example.com/a?q=1", headers: "a: 1\nb: 2\n"})
		for len(g.calls) > 0 {
			g.fetched(g.calls[0], 200, 5, 6, "a: b\n", "https://o.example/")
			g.calls = g.calls[1:]
		}
	}
	for range 50 {
		run()
	}
	before := g.heap()
	for range 3000 {
		run()
	}
	return g.heap() - before
}

// heap finds how many bytes the guest's heap holds: the least limit under which it can still
// have some pages more. It goes down in steps that the reserve behind the limit bears; what fits into a page
// would be taken from that.
func (g *guest) heap() int {
	g.t.Helper()
	g.enter(js.OpGC, 0, 0, 0)
	probe := fmt.Appendf(nil, `[{"name":"PROBE","type":"plain_text","text":%q}]`, strings.Repeat("x", 16<<10))
	lo, hi := 0, heapLimit
	for hi-lo > 64 {
		mid := max((lo+hi)/2, hi-(512<<10))
		g.enter(js.OpLimit, uint32(mid), 0, 0)
		if g.give(js.OpEnv, probe, 0) == 0 {
			hi = mid
		} else {
			lo = mid
		}
	}
	g.enter(js.OpLimit, heapLimit, 0, 0)
	return hi
}
