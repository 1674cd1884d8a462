package engine

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"switchyard/isolate"
	"switchyard/isolate/js"
)

// TestRealWorkers is the lifecycle with JavaScript in it: the dispatch Worker is the documents'.
func TestRealWorkers(t *testing.T) {
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
	defer rt.Close()
	egress, lines := &fakeEgress{}, &logged{}
	e, err := Open(Options{
		Dir: t.TempDir(), Runtime: rt, Egress: egress, Entry: "dispatcher", Log: lines.add,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p := &platform{Engine: e, t: t, egress: egress, logged: lines}
	p.namespace("production")
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
		if !strings.Contains(lines.all(), want) {
			t.Errorf("log lacks %q:\n%s", want, lines.all())
		}
	}
}
