package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// failing is a Worker that fails as ?fault= says where ?at= is its stage; any other passes the request on.
const failing = `export default { async fetch(request, env, ctx) {
	const url = new URL(request.url);
	if (url.searchParams.get("at") === env.STAGE) switch (url.searchParams.get("fault")) {
	case "throw": throw new TypeError("broken at " + env.STAGE);
	case "loop": for (;;);
	case "memory": { const all = []; for (;;) all.push(new Uint8Array(1 << 24)); }
	case "recursion": { const f = () => f() + 1; return new Response(f()); }
	case "no response": return new Promise(() => {});
	case "not a response": return "text";
	case "hung origin": return fetch(env.ORIGIN + "/never", { signal: AbortSignal.timeout(200) });
	case "refused origin": return fetch("http://127.0.0.1:9/");
	case "lost origin": return new Response(await (await fetch(env.ORIGIN + "/lost")).text());
	case "broken body": return new Response(new ReadableStream({ pull(c) { c.error(new Error("body broken")) } }));
	}
	if (env.STAGE === "dispatcher") return env.DISPATCHER.get("user").fetch(request);
	if (env.STAGE === "user") return fetch(env.ORIGIN + "/?" + url.searchParams);
	return fetch(request);
} }`

// failures is what each stage's failure is for the client: documented in gateway/README.md. The Workers
// before the one that fails let its error through, as most do; that they can catch it, says catching.
var failures = []struct {
	fault   string
	status  int    // of a failure in the first stage; in later ones it is an exception of those before
	body    string // of the first stage's
	catches string // what the stage before sees
}{
	{"throw", 500, "error code: 1101\nWorker threw exception\n", "broken at STAGE"},
	{"loop", 503, "error code: 1102\nWorker exceeded resource limits\n", "Worker exceeded CPU time limit."},
	{"memory", 500, "error code: 1101\nWorker threw exception\n", "out of memory"},
	{"recursion", 500, "error code: 1101\nWorker threw exception\n", "Maximum call stack size exceeded"},
	{"no response", 500, "error code: 1101\nWorker threw exception\n", "The script will never generate a response."},
	{"not a response", 500, "error code: 1101\nWorker threw exception\n", "Incorrect type for Promise: the Promise did not resolve to 'Response', but to a string."},
	{"hung origin", 500, "error code: 1101\nWorker threw exception\n", "The operation was aborted due to timeout"},
	{"refused origin", 500, "error code: 1101\nWorker threw exception\n", "Fetch API cannot load: the port is not allowed: 9"},
	{"lost origin", 500, "error code: 1101\nWorker threw exception\n", "Network connection lost."},
}

func failingOrigin(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/never":
		<-r.Context().Done()
	case "/lost":
		w.Header().Set("Content-Length", "100000")
		io.WriteString(w, strings.Repeat("x", 50_000))
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	default:
		io.WriteString(w, "origin")
	}
}

// failurePlatform is dispatcher → user → outbound → origin, each of which fails as it is asked to.
// catching says that the dispatcher answers with the errors that it catches.
func failurePlatform(t *testing.T, origin string, settings string, flags ...string) *platform {
	config := t.TempDir() + "/config.yaml"
	doc := "egress: {allow: ['" + strings.TrimPrefix(origin, "http://") + "', '127.0.0.1:9']}\nplain_limits: {cpu_ms: 200}\nlimits: {cpu_ms: 200}\n" + settings
	if err := os.WriteFile(config, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir(), append([]string{"--entry", "dispatcher", "--config", config}, flags...)...)
	p.createNamespace("production")
	at := func(stage string) []map[string]any {
		return []map[string]any{text("STAGE", stage), text("ORIGIN", origin)}
	}
	p.deploy(plainScripts+"outbound", script(failing, at("outbound")...))
	p.deploy(customers("production")+"user", script(failing, at("user")...))
	p.deploy(plainScripts+"dispatcher", script(`import worker from "./failing.js";
export default { async fetch(request, env, ctx) {
	if (!request.url.includes("catch")) return worker.fetch(request, env, ctx);
	try { return await env.DISPATCHER.get("user").fetch(request) } catch (e) { return new Response(e.message) }
} }`, append(at("dispatcher"), dispatcherBinding("production", "outbound"))...).with("failing.js", failing))
	return p
}

// with adds a module.
func (w worker) with(name, source string) worker {
	w.modules[name] = source
	return w
}

func failureURL(host, fault, at string, more ...string) string {
	return "http://" + host + ".example.com/?fault=" + strings.ReplaceAll(fault, " ", "+") + "&at=" + at + strings.Join(more, "")
}

// TestFailures goes through the table, at each stage, and finds the server as it was afterwards.
func TestFailures(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(failingOrigin))
	defer origin.Close()
	p := failurePlatform(t, origin.URL, "")
	round := func() {
		for _, f := range failures {
			p.wants(failureURL("x", f.fault, "dispatcher"), f.status, f.body)
			for _, stage := range []string{"user", "outbound"} {
				status, _ := p.get(failureURL("x", f.fault, stage))
				if status < 500 {
					t.Errorf("%s at %s: %d", f.fault, stage, status)
				}
				want := strings.ReplaceAll(f.catches, "STAGE", stage)
				if _, got := p.get(failureURL("x", f.fault, stage, "&catch")); !strings.HasSuffix(got, want) { // a class that JavaScript does not have stands before it
					t.Errorf("%s at %s: the dispatcher catches %q, want %q", f.fault, stage, got, want)
				}
			}
		}
		p.breaksOff(failureURL("x", "broken body", "dispatcher"))
		p.leaves("/?fault=no+response&at=nobody&catch", 0)
		p.leaves("/?fault=hung+origin&at=user", 50*time.Millisecond)
		p.wants("http://x.example.com/", 200, "origin")
	}
	round()
	before := p.settled()
	for range 2 {
		round()
	}
	if after := p.settled(); after.goroutines > before.goroutines+5 || after.fds > before.fds+5 {
		t.Errorf("goroutines and descriptors: %+v, before %+v", after, before)
	}
	for _, line := range []string{"broken at dispatcher", "broken at user", "Worker exceeded CPU time limit."} {
		if !strings.Contains(p.log.String(), line) {
			t.Errorf("the log lacks %q", line)
		}
	}
}

// breaksOff wants a response that does not come to its end.
func (p *platform) breaksOff(url string) {
	p.t.Helper()
	client := p.client()
	defer client.CloseIdleConnections()
	resp, err := client.Get(url)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil {
		p.t.Errorf("%s: %d %q and a clean end", url, resp.StatusCode, body)
	}
}

// leaves sends a request and goes, after a while.
func (p *platform) leaves(target string, after time.Duration) {
	conn, err := net.Dial("tcp", p.ingress)
	if err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x.example.com\r\n\r\n", target)
	time.Sleep(after)
	conn.Close()
}

// census is what a process holds.
type census struct{ goroutines, fds, isolates int }

// metric is one number of /metrics.
func metric(t *testing.T, all, name string) int {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\d+)`).FindStringSubmatch(all)
	if found == nil {
		t.Fatalf("metrics lack %s", name)
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

func (p *platform) census() census {
	p.t.Helper()
	all := p.metrics()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skipf("no /proc here: %v", err)
	}
	return census{metric(p.t, all, "go_goroutines"), len(fds), metric(p.t, all, "switchyard_isolates")}
}

// settled waits until the census falls no more.
func (p *platform) settled() census {
	last := p.census()
	for range 50 {
		time.Sleep(200 * time.Millisecond)
		now := p.census()
		if now.goroutines >= last.goroutines && now.fds >= last.fds {
			return now
		}
		last = now
	}
	return last
}

// TestFallback: what answers for a dispatch Worker that failed is the operator's choice.
func TestFallback(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(failingOrigin))
	defer origin.Close()
	page := t.TempDir() + "/page.html"
	if err := os.WriteFile(page, []byte("<h1>Back soon</h1>"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := "error code: 1101\nWorker threw exception\n"
	for _, c := range []struct {
		settings string
		status   int
		get, put string // answers to a GET and to a PUT
	}{
		{"", 500, plain, plain},
		{"fallback: page\npage: " + page, 500, "<h1>Back soon</h1>", "<h1>Back soon</h1>"},
		{"fallback: builtin", 200, "origin", plain},
	} {
		p := failurePlatform(t, origin.URL, c.settings)
		p.wants(failureURL("user", "throw", "dispatcher"), c.status, c.get)
		req, _ := http.NewRequest("PUT", failureURL("user", "throw", "dispatcher"), strings.NewReader("body"))
		resp, err := p.client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, resp.Body); resp.StatusCode != 500 || got != c.put {
			t.Errorf("%s: PUT: %d %q", c.settings, resp.StatusCode, got)
		}
		if c.status == 200 {
			p.wants(failureURL("nobody", "throw", "dispatcher"), 404, "Worker not found\n")
			p.wants(failureURL("user", "loop", "dispatcher"), 200, "origin")
			if !strings.Contains(p.metrics(), "switchyard_dispatch_fallbacks_total 3\n") {
				t.Error("metrics do not say that it fell back 3 times")
			}
		}
		p.wants("http://user.example.com/", 200, "origin")
	}
}
