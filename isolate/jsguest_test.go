package isolate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// handler wraps a function body into a Worker.
func handler(body string) string {
	return "export default { async fetch(request, env, ctx) {" + body + "} }"
}

// TestJavaScriptStories: what a Worker answers to one request.
func TestJavaScriptStories(t *testing.T) {
	for _, s := range []struct{ name, source, method, url, body, want string }{
		{"hello", `export default { fetch() { return new Response("Hello") } }`, "GET", "http://a.test/", "", "200 Hello"},
		{"async", handler(`return new Response("Hello " + new URL(request.url).pathname)`), "GET", "http://a.test/x/y?z", "", "200 Hello /x/y"},
		{"status", handler(`return new Response(null, { status: 204 })`), "GET", "http://a.test/", "", "204 "},
		{"method and headers", handler(`return new Response(request.method + " " + request.headers.get("X-A"))`), "PUT", "http://a.test/", "", "200 PUT 1"},
		{"text body", handler(`return new Response("got " + await request.text())`), "POST", "http://a.test/", "abc", "200 got abc"},
		{"json body", handler(`return Response.json({ ...await request.json(), more: true })`), "POST", "http://a.test/", `{"a":1}`, `200 {"a":1,"more":true}`},
		{"large body", handler(`return new Response(String((await request.text()).length))`), "POST", "http://a.test/", strings.Repeat("x", 200_000), "200 200000"},
		{"body passed on", handler(`return new Response(request.body)`), "POST", "http://a.test/", strings.Repeat("y", 100_000), "200 " + strings.Repeat("y", 100_000)},
		{"stream", handler(`return new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("a")); c.enqueue(new TextEncoder().encode("b")); c.close(); } }))`), "GET", "http://a.test/", "", "200 ab"},
		{"slow stream", handler(`let n = 0; return new Response(new ReadableStream({ async pull(c) { await scheduler.wait(1); if (n++ === 3) c.close(); else c.enqueue(new TextEncoder().encode("tick ")); } }))`), "GET", "http://a.test/", "", "200 tick tick tick "},
		{"transform", handler(`const { readable, writable } = new TransformStream(); const w = writable.getWriter(); ctx.waitUntil((async () => { await w.write(new TextEncoder().encode("through")); await w.close(); })()); return new Response(readable)`), "GET", "http://a.test/", "", "200 through"},
		{"timer", handler(`await new Promise((r) => setTimeout(r, 5)); return new Response("later")`), "GET", "http://a.test/", "", "200 later"},
		{"message", handler(`const { port1, port2 } = new MessageChannel(); return new Promise((resolve) => { port2.onmessage = (e) => resolve(new Response(e.data)); port1.postMessage("posted") })`), "GET", "http://a.test/", "", "200 posted"},
		{"throws", handler(`throw new TypeError("on purpose")`), "GET", "http://a.test/", "", "error: TypeError: on purpose"},
		{"throws a string", handler(`throw "bare"`), "GET", "http://a.test/", "", "error: bare"},
		{"no response", handler(`return "text"`), "GET", "http://a.test/", "", "error: Response"},
		{"never", handler(`return new Promise(() => {})`), "GET", "http://a.test/", "", "error: never generate a response"},
		{"spins", handler(`while (true);`), "GET", "http://a.test/", "", "error: CPU time limit"},
		{"spins in promises", handler(`for (;;) await null;`), "GET", "http://a.test/", "", "error: CPU time limit"},
		{"recurses", handler(`const f = () => f() + 1; return new Response(f())`), "GET", "http://a.test/", "", "error: "},
		{"catches its stack", handler(`const f = () => f() + 1; try { f() } catch (e) { return new Response(e.name) }`), "GET", "http://a.test/", "", "200 RangeError"},
		{"no eval", handler(`try { eval("1") } catch (e) { return new Response(e.name) }`), "GET", "http://a.test/", "", "200 EvalError"},
		{"no Function", handler(`try { new Function("return 1")() } catch (e) { return new Response(e.name) }`), "GET", "http://a.test/", "", "200 EvalError"},
		{"clock stands still", handler(`const a = Date.now(); for (let i = 0; i < 1e5; i++); return new Response(String(Date.now() - a))`), "GET", "http://a.test/", "", "200 0"},
		{"clock is about now", handler(fmt.Sprintf(`return new Response(String(Math.abs(Date.now() - %d) < 3600e3))`, time.Now().UnixMilli())), "GET", "http://a.test/", "", "200 true"},
		{"search params", handler(`const u = new URL(request.url); u.searchParams.append("b", "ü"); return new Response(u.href)`), "GET", "http://a.test/?a=1", "", "200 http://a.test/?a=1&b=%C3%BC"},
		{"utf-8", handler(`return new Response(new TextDecoder().decode(new TextEncoder().encode("grüße 🚂")))`), "GET", "http://a.test/", "", "200 grüße 🚂"},
		{"headers out", handler(`const h = new Headers({ "X-B": "2" }); h.append("x-b", "3"); return new Response(h.get("x-B"), { headers: h })`), "GET", "http://a.test/", "", "200 2, 3"},
		{"bad header", handler(`return new Response("", { headers: { "a": "b\r\nc: d" } })`), "GET", "http://a.test/", "", "error: TypeError"},
		{"service worker", `addEventListener("fetch", (e) => e.respondWith(new Response("classic " + new URL(e.request.url).pathname)))`, "GET", "http://a.test/p", "", "200 classic /p"},
	} {
		t.Run(s.name, func(t *testing.T) {
			spec := jsSpec(s.source)
			if strings.HasPrefix(s.source, "addEventListener") {
				spec.Modules[0].Kind = ModuleJS
			}
			p := newTestPool(t, spec)
			for range 3 { // the second time in a used isolate
				wants(t, p, new(fakeHost), testRequest(s.method, s.url, s.body, "x-a: 1"), s.want)
			}
		})
	}
}

// TestModuleGraph: several ES modules, text and JSON modules, the env's bindings.
func TestModuleGraph(t *testing.T) {
	p := newTestPool(t, &Spec{
		Name: "test", Main: "index.js",
		Modules: []Module{
			{Name: "index.js", Kind: ModuleES, Source: []byte(`
				import { twice } from "./lib/math.mjs"; import note from "./note.txt"; import data from "./data.json";
				export default { fetch: (r, env) => Response.json({ n: twice(data.n), note, greeting: env.GREETING, list: env.LIST }) }`)},
			{Name: "lib/math.mjs", Kind: ModuleES, Source: []byte(`import { two } from "./two.js"; export const twice = (n) => n * two;`)},
			{Name: "lib/two.js", Kind: ModuleES, Source: []byte(`export const two = 2;`)},
			{Name: "note.txt", Kind: ModuleText, Source: []byte("a note")},
			{Name: "data.json", Kind: ModuleJSON, Source: []byte(`{"n":21}`)},
		},
		Env: []byte(`[{"name":"GREETING","type":"plain_text","text":"hi"},{"name":"LIST","type":"json","json":[1,2]}]`),
	})
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), `200 {"n":42,"note":"a note","greeting":"hi","list":[1,2]}`)
}

// TestRefusedUploads: what does not start names its fault, and leaves nothing behind.
func TestRefusedUploads(t *testing.T) {
	for _, s := range []struct{ name, source, want string }{
		{"syntax", "export default {\n  fetch( { }\n}", "SyntaxError"},
		{"throws", `throw new Error("at module scope")`, "at module scope"},
		{"missing import", `import "./gone.js"; export default { fetch() {} }`, "gone.js"},
		{"no handler", `export const x = 1`, "no event handler"},
		{"endless", `while (true);`, "CPU time limit"},
		{"top-level await", `await new Promise(() => {}); export default { fetch() {} }`, "top-level await"},
		{"fetch at module scope", `await fetch("http://a.test/"); export default { fetch() {} }`, "global scope"},
		{"timer at module scope", `setTimeout(() => {}, 1); export default { fetch() {} }`, "global scope"},
	} {
		t.Run(s.name, func(t *testing.T) {
			p, err := jsRuntime(t).NewPool(context.Background(), jsSpec(s.source))
			if err == nil {
				p.Close()
				t.Fatal("it was accepted")
			}
			var refused *StartupError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), s.want) {
				t.Errorf("%v: want a StartupError with %q", err, s.want)
			}
		})
	}
}

// echoWorld answers every fetch with what it was asked, after a while.
func echoWorld(delay time.Duration) *fakeHost {
	return &fakeHost{fetch: func(ctx context.Context, c *Call, sub *Subrequest) (*Response, error) {
		switch url := string(sub.Request.Head.URL()); {
		case strings.HasSuffix(url, "/fail"):
			return nil, errors.New("connection refused")
		case strings.HasSuffix(url, "/throw"):
			return nil, &Exception{Message: "TypeError: on purpose"}
		}
		time.Sleep(delay)
		return testResponse(200, fmt.Sprintf("[%d %s %s %s%s]", sub.Binding, sub.Name, sub.Request.Head.Method(), sub.Request.Head.URL(), sub.Options)), nil
	}}
}

// TestFetches: promises of the host's operations.
func TestFetches(t *testing.T) {
	env := []byte(`[{"name":"DISPATCHER","type":"dispatch_namespace","index":0},{"name":"AUTH","type":"service","index":1}]`)
	for _, s := range []struct{ name, body, want string }{
		{"one", `return new Response("<" + await (await fetch("http://o.test/a")).text() + ">")`, "200 <[-1  GET http://o.test/a]>"},
		{"passed by handle", `return fetch("http://o.test/b")`, "200 [-1  GET http://o.test/b]"},
		{"parallel", `const r = await Promise.all(["/1", "/2", "/3"].map((p) => fetch("http://o.test" + p).then((r) => r.text()))); return new Response(r.join(""))`,
			"200 [-1  GET http://o.test/1][-1  GET http://o.test/2][-1  GET http://o.test/3]"},
		{"sequential", `let s = ""; for (const p of ["/1", "/2"]) s += await (await fetch("http://o.test" + p)).text(); return new Response(s)`,
			"200 [-1  GET http://o.test/1][-1  GET http://o.test/2]"},
		{"rejected", `try { await fetch("http://o.test/fail") } catch (e) { return new Response(e.message) }`, "200 connection refused"},
		{"another's exception", `try { await fetch("http://o.test/throw") } catch (e) { return new Response(e.message) }`, "200 on purpose"},
		{"dispatch", `return env.DISPATCHER.get("customer").fetch(request)`, "200 [0 customer GET http://a.test/]"},
		{"dispatch with limits", `return env.DISPATCHER.get("customer", {}, { limits: { cpuMs: 5 } }).fetch("http://x.test/")`,
			`200 [0 customer GET http://x.test/{"args":{},"limits":{"cpuMs":5}}]`},
		{"service", `return env.AUTH.fetch("http://auth.test/", { method: "POST" })`, "200 [1  POST http://auth.test/]"},
		{"too many", `for (let i = 0; i < 60; i++) await fetch("http://o.test/" + i); return new Response("done")`, "error: Too many subrequests"},
		{"bad url", `try { await fetch("nonsense") } catch (e) { return new Response(e.name) }`, "200 TypeError"},
	} {
		t.Run(s.name, func(t *testing.T) {
			spec := jsSpec(handler(s.body))
			spec.Env = env
			p := newTestPool(t, spec)
			for range 2 {
				wants(t, p, echoWorld(0), testRequest("GET", "http://a.test/", ""), s.want)
			}
		})
	}
}

// TestSuspendedRequests: one isolate holds several requests that wait while another runs, and
// each gets its own answer.
func TestSuspendedRequests(t *testing.T) {
	spec := jsSpec(handler(`globalThis.n = (globalThis.n ?? 0) + 1; const seen = globalThis.n; await (await fetch(request.url)).text(); return new Response(request.url + " " + seen)`))
	spec.MaxIsolates, spec.Suspended = 1, 8
	p := newTestPool(t, spec)
	host := echoWorld(50 * time.Millisecond)
	start := time.Now()
	var wg sync.WaitGroup
	seen := make([]string, 8)
	for i := range 8 {
		wg.Go(func() {
			url := fmt.Sprintf("http://a.test/%d", i)
			got, err := ask(p, host, testRequest("GET", url, ""))
			if err != nil || !strings.HasPrefix(got, "200 "+url+" ") {
				t.Errorf("%s: %q, %v", url, got, err)
			}
			seen[i] = got
		})
	}
	wg.Wait()
	if took := time.Since(start); took > 350*time.Millisecond {
		t.Errorf("8 requests of 50 ms in one isolate took %v: they did not overlap", took)
	}
	if n := p.Stats().Isolates; n != 1 {
		t.Errorf("%d isolates, want 1", n)
	}
}

// TestKillTakesCoResidents: the culprit is charged, the others learn that their isolate went.
func TestKillTakesCoResidents(t *testing.T) {
	spec := jsSpec(handler(`if (request.url.endsWith("/spin")) while (true); await fetch("http://o.test/"); return new Response("fine")`))
	spec.MaxIsolates, spec.Suspended = 1, 4
	p := newTestPool(t, spec)
	host := echoWorld(600 * time.Millisecond)
	waiting := make(chan error, 1)
	go func() {
		_, err := ask(p, host, testRequest("GET", "http://a.test/wait", ""))
		waiting <- err
	}()
	waitFor(t, "a suspended call", func() bool { return p.Stats().Calls == 1 })
	time.Sleep(20 * time.Millisecond)
	wants(t, p, host, testRequest("GET", "http://a.test/spin", ""), "error: CPU time limit")
	if err := <-waiting; !errors.Is(err, ErrReset) {
		t.Errorf("the co-resident got %v, want %v", err, ErrReset)
	}
	wants(t, p, echoWorld(0), testRequest("GET", "http://a.test/", ""), "200 fine")
}

// TestPolicies: module state stays under reuse and goes under request.
func TestPolicies(t *testing.T) {
	source := `let n = 0; export default { fetch() { return new Response(String(++n)) } }`
	for _, policy := range []Policy{PolicyReuse, PolicyRequest} {
		spec := jsSpec(source)
		spec.Policy = policy
		p := newTestPool(t, spec)
		for i := 1; i <= 5; i++ {
			want := fmt.Sprintf("200 %d", i)
			if policy == PolicyRequest {
				want = "200 1"
			}
			wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), want)
		}
	}
}

// TestRandomness: clones of one snapshot do not share a sequence.
func TestRandomness(t *testing.T) {
	for _, policy := range []Policy{PolicyReuse, PolicyRequest} {
		spec := jsSpec(handler(`return new Response(Math.random() + " " + crypto.randomUUID())`))
		spec.Policy = policy
		p := newTestPool(t, spec)
		seen := map[string]bool{}
		for range 50 {
			got, err := ask(p, new(fakeHost), testRequest("GET", "http://a.test/", ""))
			if err != nil || seen[got] {
				t.Fatalf("%q, %v: seen before: %v", got, err, seen[got])
			}
			seen[got] = true
		}
	}
}

// TestLog: console lines and uncaught rejections arrive with their level.
func TestLog(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`console.log("a", { b: [1, 2] }); console.error("bad"); Promise.reject(new Error("lost")); return new Response("ok")`)))
	host := new(fakeHost)
	wants(t, p, host, testRequest("GET", "http://a.test/", ""), "200 ok")
	for _, want := range []string{"4 a", "b: [", "3 bad", "lost"} {
		if !strings.Contains(host.log(), want) {
			t.Errorf("log %q lacks %q", host.log(), want)
		}
	}
}

// TestWaitUntil: work goes on after the response, and Done comes after it.
func TestWaitUntil(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`ctx.waitUntil(fetch("http://o.test/late").then(() => console.log("late"))); return new Response("early")`)))
	host := echoWorld(30 * time.Millisecond)
	done := make(chan Usage, 1)
	c := &Call{Context: context.Background(), Host: host, Request: testRequest("GET", "http://a.test/", ""), Done: func(_ *Call, u Usage) { done <- u }}
	r, err := p.Invoke(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
	u := <-done
	if u.Subrequests != 1 || !strings.Contains(host.log(), "late") {
		t.Errorf("usage %+v, log %q: want one subrequest and the late line", u, host.log())
	}
}

// TestKillAfterTheHead: a guest that is ended after its response is in the log.
func TestKillAfterTheHead(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`ctx.waitUntil((async () => { await scheduler.wait(1); for (;;); })()); return new Response("ok")`)))
	host := new(fakeHost)
	wants(t, p, host, testRequest("GET", "http://a.test/", ""), "200 ok")
	waitFor(t, "the kill", func() bool { return p.Stats().Calls == 0 })
	if !strings.Contains(host.log(), "CPU time limit") {
		t.Errorf("log %q lacks the limit", host.log())
	}
}

// TestGreedyIsolates: memory that one request made an isolate take is not held for ever.
func TestGreedyIsolates(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`const all = []; if (request.url.endsWith("/greedy")) for (let i = 0; i < 60; i++) all.push(new Uint8Array(1e6)); return new Response("ok")`)))
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), "200 ok")
	if s := p.Stats(); s.Isolates != 1 {
		t.Errorf("%+v: a frugal isolate is not kept", s)
	}
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/greedy", ""), "200 ok")
	if s := p.Stats(); s.Isolates != 0 {
		t.Errorf("%+v: a greedy isolate is kept", s)
	}
}

// stalledBody is a body that never comes; Close ends a Read.
type stalledBody chan struct{}

func (s stalledBody) Read([]byte) (int, error) { <-s; return 0, io.ErrClosedPipe }
func (s stalledBody) Close() error             { close(s); return nil }

// TestStalledBody: a client that leaves ends a call that waits for an origin's body.
func TestStalledBody(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`return new Response(await (await fetch("http://o.test/")).text())`)))
	host := &fakeHost{fetch: func(context.Context, *Call, *Subrequest) (*Response, error) {
		r := testResponse(200, "")
		r.Body = Body{Stream: make(stalledBody), Length: -1}
		return r, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := p.Invoke(&Call{Context: ctx, Host: host, Request: testRequest("GET", "http://a.test/", "")})
	if !errors.Is(err, ErrCanceled) {
		t.Errorf("got %v, want %v", err, ErrCanceled)
	}
}

// TestUploadFromGuest: a fetch whose body the guest writes while it runs.
func TestUploadFromGuest(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`
		let n = 0;
		const body = new ReadableStream({ async pull(c) { if (n++ === 40) return c.close(); await null; c.enqueue(new Uint8Array(10_000)); } });
		return fetch("http://o.test/", { method: "POST", body });`)))
	host := &fakeHost{fetch: func(_ context.Context, _ *Call, sub *Subrequest) (*Response, error) {
		n, err := io.Copy(io.Discard, sub.Request.Body.Stream)
		return testResponse(200, fmt.Sprint(n, " ", err)), nil
	}}
	wants(t, p, host, testRequest("GET", "http://a.test/", ""), "200 400000 <nil>")
}

// TestRestLimit: work under waitUntil is bounded, a body that is being read is not.
func TestRestLimit(t *testing.T) {
	rt := jsRuntime(t)
	defer func(d time.Duration) { rt.options.WaitUntil = d }(rt.options.WaitUntil)
	rt.options.WaitUntil = 50 * time.Millisecond
	for name, body := range map[string]string{
		"stream": `let n = 0; return new Response(new ReadableStream({ async pull(c) { await scheduler.wait(20); if (n++ === 10) c.close(); else c.enqueue(new TextEncoder().encode(".")); } }))`,
		"work":   `ctx.waitUntil(scheduler.wait(300).then(() => console.log("too late"))); return new Response("..........")`,
	} {
		p, err := rt.NewPool(context.Background(), jsSpec(handler(body)))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		host, started := new(fakeHost), time.Now()
		wants(t, p, host, testRequest("GET", "http://a.test/", ""), "200 ..........")
		waitFor(t, name+" to end", func() bool { return p.Stats().Calls == 0 })
		if name == "work" && (time.Since(started) > 250*time.Millisecond || host.log() != "") {
			t.Errorf("work under waitUntil went on for %v, log %q", time.Since(started), host.log())
		}
	}
}

// TestClientGone: nobody waits, so the call ends and its isolate takes the next one.
func TestClientGone(t *testing.T) {
	p := newTestPool(t, jsSpec(handler(`await scheduler.wait(60000); return new Response("late")`)))
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := p.Invoke(&Call{Context: ctx, Host: new(fakeHost), Request: testRequest("GET", "http://a.test/", "")})
	if !errors.Is(err, ErrCanceled) {
		t.Errorf("got %v, want %v", err, ErrCanceled)
	}
	if s := p.Stats(); s.Calls != 0 {
		t.Errorf("%+v: the call still has its seat", s)
	}
}
