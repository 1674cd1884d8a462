package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// waysOut are all the ways in which a Worker can reach for an origin, O, and how many requests each makes there.
// What answers "refused" may reach none.
var waysOut = []struct {
	name, code, answer string
	requests           int
}{
	{"fetch", `return fetch(O + "a")`, "origin", 1},
	{"fetch of the event's request", `return fetch(new Request(O + "a", request))`, "origin", 1},
	{"several at once", `await Promise.all([fetch(O + "a"), fetch(O + "b"), fetch(O + "c")]); return new Response("done")`, "done", 3},
	{"redirects", `return fetch(O + "redirect")`, "origin", 2},
	{"redirects by hand", `const r = await fetch(O + "redirect", { redirect: "manual" }); return fetch(r.headers.get("location"))`, "origin", 2},
	{"a body that is streamed", `const { readable, writable } = new TransformStream(); const w = writable.getWriter(); w.write(new TextEncoder().encode("x")); w.close(); return fetch(O + "a", { method: "POST", body: readable })`, "origin", 1},
	{"waitUntil", `ctx.waitUntil(scheduler.wait(50).then(() => fetch(O + "a"))); return new Response("early")`, "early", 1},
	{"a timer", `return new Promise((done) => setTimeout(() => done(fetch(O + "a")), 5))`, "origin", 1},
	{"a stream's pull", `return new Response(new ReadableStream({ async pull(c) { c.enqueue(new Uint8Array(await (await fetch(O + "a")).arrayBuffer())); c.close() } }))`, "origin", 1},
	{"HTMLRewriter", `return new HTMLRewriter().on("b", { async element(e) { e.setInnerContent(await (await fetch(O + "a")).text()) } }).transform(new Response("<b></b>"))`, "<b>origin</b>", 1},
	{"an abortable fetch", `return fetch(O + "a", { signal: AbortSignal.timeout(5000) })`, "origin", 1},
	{"a service's Worker", `return env.HELPER.fetch(O + "a")`, "origin", 1},
	{"a service's Worker that calls another", `return env.HELPER.fetch(O + "redirect")`, "origin", 2},
	{"module scope", `return new Response(globalThis.early)`, "refused", 0},
	{"the cache asks no origin", `const c = await caches.open("x"); try { await c.add(O + "a") } catch {} return new Response(String(await c.match(O + "a")))`, "undefined", 0},
	{"another fetch function", `return Reflect.apply(fetch, undefined, [O + "a"])`, "origin", 1},
	{"a fetch of its own headers", `return fetch(O + "a", { headers: { "x-switchyard-hops": "0", "x-through": "forged", connection: "x-through" } })`, "origin", 1},
	{"import of a URL", `try { await import(O + "a"); } catch { return new Response("refused") }`, "refused", 0},
	{"sockets", `try { const { connect } = await import("cloudflare:sockets"); const s = connect(O.slice(7, -1)); await s.opened; return new Response("open") } catch { return new Response("refused") }`, "refused", 0},
	{"WebSocket", `try { const s = new WebSocket(O.replace("http", "ws")); return new Response("open") } catch { return new Response("refused") }`, "refused", 0},
	{"XMLHttpRequest", `return new Response(typeof XMLHttpRequest + typeof EventSource)`, "undefinedundefined", 0},
}

// TestOutboundSeesEverything: an origin is reached through the outbound Worker on every way, or not at all, and
// the parameters that the dispatch gave say for whom.
func TestOutboundSeesEverything(t *testing.T) {
	var mu sync.Mutex
	var all []string // who each request to the origin came through
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		all = append(all, r.Header.Get("X-Through"))
		mu.Unlock()
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "http://"+r.Host+"/a", http.StatusFound)
			return
		}
		w.Write([]byte("origin"))
	}))
	defer origin.Close()
	p := serve(t, t.TempDir(), "--entry", "dispatcher", "--config", allow(t, strings.TrimPrefix(origin.URL, "http://")))
	p.createNamespace("production")
	p.deploy(plainScripts+"outbound", script(`export default { fetch(request, env) {
	const out = new Request(request, { redirect: "manual" });
	out.headers.set("x-through", env.customer);
	return fetch(out);
} }`))
	p.deploy(plainScripts+"last", script(`export default { fetch: (request) => fetch(request) }`))
	p.deploy(plainScripts+"helper", script(`export default { fetch: (request, env) => env.LAST.fetch(request) }`, map[string]any{"type": "service", "name": "LAST", "service": "last"}))
	p.deploy(plainScripts+"dispatcher", script(`export default { fetch: (request, env) =>
	env.DISPATCHER.get("user", {}, { outbound: { customer: "acme" } }).fetch(request) }`, dispatcherBinding("production", "outbound", "customer")))
	var code strings.Builder
	code.WriteString("const ways = [\n")
	for _, w := range waysOut {
		code.WriteString("async (request, env, ctx, O) => { " + w.code + " },\n")
	}
	code.WriteString(`];
try { await fetch("` + origin.URL + `/a"); globalThis.early = "sent" } catch { globalThis.early = "refused" }
export default { fetch: (request, env, ctx) => ways[Number(new URL(request.url).pathname.slice(1))](request, env, ctx, "` + origin.URL + `/") };`)
	p.deploy(customers("production")+"user", script(code.String(), map[string]any{"type": "service", "name": "HELPER", "service": "helper"}))
	for i, w := range waysOut {
		mu.Lock()
		all = nil
		mu.Unlock()
		_, got := p.get("http://x.example.com/" + string(rune('0'+i/10)) + string(rune('0'+i%10)))
		if got != w.answer {
			t.Errorf("%s: %q, want %q", w.name, got, w.answer)
		}
		deadline := time.Now().Add(10 * time.Second)
		for {
			mu.Lock()
			n := len(all)
			mu.Unlock()
			if n >= w.requests || time.Now().After(deadline) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		mu.Lock()
		for _, through := range all {
			if through != "acme" {
				t.Errorf("%s: a request reached the origin through %q", w.name, through)
			}
		}
		if len(all) != w.requests {
			t.Errorf("%s: %d requests reached the origin, want %d", w.name, len(all), w.requests)
		}
		mu.Unlock()
	}
	if err := p.deleteScript(plainScripts + "outbound"); err != 200 {
		t.Fatalf("delete: %d", err)
	}
	mu.Lock()
	all = nil
	mu.Unlock()
	if status, got := p.get("http://x.example.com/00"); status != 500 || len(all) != 0 {
		t.Errorf("without its outbound Worker: %d %q, %d requests", status, got, len(all))
	}
}

func (p *platform) deleteScript(path string) int {
	p.t.Helper()
	status, _ := p.api("DELETE", path, "", nil)
	return status
}
