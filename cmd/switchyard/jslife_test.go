package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestEvaluationIsRefused: what fails while a Worker is evaluated refuses the upload, with the place where it
// did, and what served before goes on.
func TestEvaluationIsRefused(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	path := customers("production") + "a"
	p.deploy(path, script(`export default { fetch: () => new Response("before") }`))
	for _, c := range []struct {
		name, source string
		want         []string
	}{
		{"throws", "const boom = () => {\n  throw new TypeError('no');\n};\nboom();\nexport default { fetch() {} }", []string{"TypeError: no", "boom (index.js:2:", "index.js:4:"}},
		{"syntax", "export default {\n  fetch( { ]\n}", []string{"SyntaxError", "index.js:2:"}},
		{"rejects", "await 0;\nawait Promise.reject(new RangeError('late'));\nexport default { fetch() {} }", []string{"RangeError: late", "index.js:2:"}},
		{"CPU", `for (;;);`, []string{"CPU time limit"}},
		{"CPU after an await", `await 0; for (;;); export default { fetch() {} }`, []string{"CPU time limit"}},
		{"heap", `const all = []; for (;;) all.push(new Uint8Array(1 << 20)); export default { fetch() {} }`, []string{"out of memory"}},
		{"heap, caught for ever", `const all = []; for (;;) try { all.push("x".repeat(1000)) } catch {} export default { fetch() {} }`, []string{"limit"}},
		{"await for ever", `await new Promise(() => {}); export default { fetch() {} }`, []string{"never settles"}},
		{"timer", `setTimeout(() => {}, 1); export default { fetch() {} }`, []string{"global scope"}},
		{"fetch", `await fetch("http://x.example/"); export default { fetch() {} }`, []string{"global scope"}},
		{"random values", `crypto.getRandomValues(new Uint8Array(8)); export default { fetch() {} }`, []string{"global scope"}},
		{"random UUID", `crypto.randomUUID(); export default { fetch() {} }`, []string{"global scope"}},
		{"abort timeout", `AbortSignal.timeout(1); export default { fetch() {} }`, []string{"global scope"}},
		{"wait", `await scheduler.wait(1); export default { fetch() {} }`, []string{"global scope"}},
		{"eval", `(0, eval)("1"); export default { fetch() {} }`, []string{"EvalError: Code generation from strings"}},
		{"Function", `new Function("return 1"); export default { fetch() {} }`, []string{"EvalError: Code generation from strings"}},
		{"AsyncFunction", `new (async () => {}).constructor("return 1"); export default { fetch() {} }`, []string{"EvalError: Code generation from strings"}},
		{"GeneratorFunction", `new (function* () {}).constructor("yield 1"); export default { fetch() {} }`, []string{"EvalError: Code generation from strings"}},
	} {
		status, e := p.upload(path, script(c.source))
		if status != 400 || len(e.Errors) != 1 || e.Errors[0].Code != 10021 {
			t.Errorf("%s: %d %+v, want 400 and 10021", c.name, status, e.Errors)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(e.message(), want) {
				t.Errorf("%s: %q lacks %q", c.name, e.message(), want)
			}
		}
	}
	p.wants("http://a.example.com/", 200, "before")
}

// TestStartupLimitIsSet: the limit of evaluation is the operator's to set.
func TestStartupLimitIsSet(t *testing.T) {
	config := t.TempDir() + "/config.yaml"
	if err := os.WriteFile(config, []byte("limits: {startup_cpu_ms: 5000}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	slow := script(`let x = 0; for (let i = 0; i < 3e7; i++) x += i; export default { fetch: () => new Response("evaluated") }`)
	for _, c := range []struct {
		flags  []string
		status int
	}{{nil, 400}, {[]string{"--config", config}, 200}} {
		p := serve(t, t.TempDir(), c.flags...)
		p.createNamespace("production")
		if status, e := p.upload(customers("production")+"a", slow); status != c.status {
			t.Errorf("%v: %d %s, want %d", c.flags, status, e.message(), c.status)
		}
	}
}

// originOf answers every request, after a while, and tells of each path.
func originOf(t *testing.T, delay time.Duration) (addr string, paths chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	paths = make(chan string, 100)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(delay)
		paths <- r.URL.Path
		io.WriteString(w, "ok")
	})}
	go s.Serve(l) // ends with Close
	t.Cleanup(func() { s.Close() })
	return l.Addr().String(), paths
}

// TestAfterTheResponse: what waitUntil has and a streamed response go on after the head, and while the server drains.
func TestAfterTheResponse(t *testing.T) {
	addr, paths := originOf(t, 300*time.Millisecond)
	p := serve(t, t.TempDir(), "--config", allow(t, addr))
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(`export default { async fetch(request, env, ctx) {
		const path = new URL(request.url).pathname;
		if (path === "/stream") {
			let n = 0;
			return new Response(new ReadableStream({ async pull(c) {
				if (n++ === 5) return c.close();
				await scheduler.wait(20);
				c.enqueue(new TextEncoder().encode(n + " "));
			} }));
		}
		ctx.waitUntil((async () => {
			await fetch("http://`+addr+`" + path + "/1");
			await fetch("http://`+addr+`" + path + "/2");
			throw new Error("told by waitUntil");
		})());
		Promise.reject(new Error("told by nobody"));
		return new Response("early");
	} }`))
	p.wants("http://a.example.com/stream", 200, "1 2 3 4 5 ")
	p.wants("http://a.example.com/work", 200, "early")
	for _, want := range []string{"/work/1", "/work/2"} {
		if got := <-paths; got != want {
			t.Errorf("the origin got %s, want %s", got, want)
		}
	}
	p.wants("http://a.example.com/drain", 200, "early")
	if err := p.stop(); err != nil {
		t.Errorf("exit: %v", err)
	}
	for _, want := range []string{"told by nobody", "told by waitUntil"} {
		if n := strings.Count(p.log.String(), "Unhandled promise rejection: Error: "+want); n != 2 {
			t.Errorf("%q is in the log %d times, want one for each request", want, n)
		}
	}
	if n := len(paths); n != 2 {
		t.Errorf("a server that drains let waitUntil fetch %d times, want 2", n)
	}
}

// TestFrozenTime: the clock goes on with I/O alone, and stands still at 0 at module scope.
func TestFrozenTime(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(`const start = [Date.now(), new Date().getTime(), performance.now()];
export default { async fetch(request, env, ctx) {
	ctx.passThroughOnException();
	const before = [Date.now(), new Date().getTime()];
	let x = 0;
	for (let i = 0; i < 1e5; i++) x += i;
	const after = [Date.now(), new Date().getTime()];
	await scheduler.wait(5);
	if (new URL(request.url).pathname === "/throw") throw new Error("not passed through");
	return Response.json({ start, stood: before.join() === after.join(), went: Date.now() >= after[0] + 4 });
} }`))
	p.wants("http://a.example.com/", 200, `{"start":[0,0,0],"stood":true,"went":true}`)
	p.wants("http://a.example.com/throw", 500, "1101")
}
