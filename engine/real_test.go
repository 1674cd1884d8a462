package engine

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/isolate"
	"switchyard/isolate/js"
)

// openReal is a platform that runs JavaScript.
func openReal(t *testing.T) *platform {
	if testing.Short() {
		t.Skip("compiles the JavaScript engine")
	}
	module, err := js.Engine()
	if err != nil {
		t.Skip(err)
	}
	rt, err := isolate.NewRuntime(isolate.Options{Engine: module, Prelude: js.Prelude()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	p := &platform{t: t, egress: &fakeEgress{}, logged: &logged{}}
	p.options = Options{
		Dir: t.TempDir(), Runtime: rt, Egress: p.egress, Entry: "dispatcher", Log: p.logged.add,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Limits: isolate.Limits{CPU: time.Second}, // a body of 9 MiB takes most of the default's 50 ms on a busy machine
	}
	p.open()
	t.Cleanup(func() { p.Close() })
	p.namespace("production")
	return p
}

// The lifecycle with JavaScript in it: the dispatch Worker is the documents'.
func TestRealWorkers(t *testing.T) {
	p := openReal(t)
	p.deploy("outbound", `export default { async fetch(request, env) {
		const headers = new Headers(request.headers);
		headers.set("x-customer", env.customer);
		return fetch(new Request(request, { headers }));
	} };`)
	p.deploy("dispatcher", `export default { async fetch(request, env) {
		const customerName = new URL(request.url).hostname.split(".")[0];
		try {
			const userWorker = env.DISPATCHER.get(customerName, {}, { limits: { cpuMs: 20 }, outbound: { customer: customerName } });
			return await userWorker.fetch(request);
		} catch (e) {
			return new Response("caught: " + e.message);
		}
	} };`, dispatchTo("DISPATCHER", "production", &Outbound{Service: "outbound", Params: []string{"customer"}}))
	p.deploy("production/hello", `export default { fetch(r, env) { console.log("hi"); return new Response(env.GREETING + env.SECRET); } };`,
		text("GREETING", "hello "), secret("SECRET", "s"))
	p.deploy("production/fetcher", `export default { async fetch() { const r = await fetch("http://origin.test/x"); return new Response("got " + await r.text()); } };`)
	p.deploy("production/spin", `export default { fetch() { for (;;); } };`)
	p.deploy("production/throw", `export default { fetch() { throw new Error("no"); } };`)
	for range 2 {
		p.want("http://hello.test/", "hello s")
		p.want("http://fetcher.test/", "got egress http://origin.test/x x-customer=fetcher")
		p.want("http://spin.test/", "caught: Worker exceeded CPU time limit.")
		p.want("http://nobody.test/", "caught: Worker not found")
		if got := p.get("http://throw.test/"); !strings.HasPrefix(got, "caught: ") || !strings.HasSuffix(got, "no") {
			t.Errorf("throw.test: got %q", got)
		}
	}
	for _, want := range []string{"production/hello #1 hi", "production/spin #3 Worker exceeded CPU time limit.", "production/throw #5 Uncaught Error: no"} {
		if !strings.Contains(p.logged.all(), want) {
			t.Errorf("log lacks %q:\n%s", want, p.logged.all())
		}
	}
}

// Deploys, restarts and kills beside traffic lose no request of another kind than their own.
func TestRealDeployUnderTraffic(t *testing.T) {
	p := openReal(t)
	p.deploy("dispatcher", `export default { fetch(request, env) {
		return env.NS.get(new URL(request.url).hostname.split(".")[0]).fetch(request);
	} };`, dispatchTo("NS", "production", nil))
	p.deploy("production/spin", `export default { fetch() { for (;;); } };`)
	version := func(i int) string {
		return fmt.Sprintf(`export default { fetch() { return new Response("%d"); } };`, i)
	}
	p.deploy("production/user", version(0))
	var live atomic.Int64
	var clients sync.WaitGroup
	done := make(chan struct{})
	for c := range 3 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if c == 0 {
					if got := p.get("http://spin.test/"); !strings.Contains(got, "CPU time limit") {
						t.Errorf("spin.test: got %q", got)
					}
					continue
				}
				floor := live.Load()
				body, err := p.serve("http://user.test/")
				if n, _ := strconv.ParseInt(body, 10, 64); err != nil || n < floor {
					t.Errorf("got %q, %v when version %d was acknowledged", body, err, floor)
					return
				}
			}
		})
	}
	for i := range 25 {
		p.deploy("production/user", version(i+1))
		live.Store(int64(i + 1))
	}
	close(done)
	clients.Wait()
}
