package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// asking fetches ?to= with ?method= and tells what came of it.
const asking = `export default { async fetch(request, env) {
	const { searchParams } = new URL(request.url);
	try {
		const via = searchParams.has("service") ? (r) => env.HELPER.fetch(r) : fetch;
		const response = await via(new Request(searchParams.get("to"), { method: searchParams.get("method") ?? "GET" }));
		return new Response(await response.text());
	} catch (e) {
		return new Response(e.name + ": " + e.message);
	}
} }`

const passOn = `export default { async fetch(request) {
	try { return await fetch(request) } catch (e) { return new Response("inside, " + e.name + ": " + e.message) }
} }`

// TestEgressPolicies: what namespace, plan and script say holds on every way out, on every hop, and at once.
func TestEgressPolicies(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch to := r.URL.Query().Get("redirect"); {
		case to != "":
			http.Redirect(w, r, to, http.StatusFound)
		case r.URL.Path == "/large":
			fmt.Fprint(w, strings.Repeat("x", 2000))
		case r.URL.Path == "/slow":
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		default:
			fmt.Fprint(w, r.Method)
		}
	}))
	defer origin.Close()
	addr := strings.TrimPrefix(origin.URL, "http://")
	port := addr[strings.LastIndexByte(addr, ':')+1:]
	named := "http://localhost:" + port
	p := serve(t, t.TempDir(), "--entry", "dispatcher", "--config", allow(t, addr, "localhost:"+port))
	p.createNamespace("production")
	p.deploy(plainScripts+"outbound", script(passOn))
	p.deploy(plainScripts+"helper", script(passOn))
	p.deploy(plainScripts+"dispatcher", script(`export default { fetch(request, env) {
		const url = new URL(request.url);
		return (url.searchParams.has("direct") ? env.DIRECT : env.DISPATCHER).get("a").fetch(request);
	} }`, dispatcherBinding("production", "outbound"), map[string]any{"type": "dispatch_namespace", "name": "DIRECT", "namespace": "production"}))
	user := func(metadata string) {
		t.Helper()
		w := script(asking, map[string]any{"type": "service", "name": "HELPER", "service": "helper"})
		w.metadata["tags"] = []string{"tier:basic"}
		if metadata != "" {
			w.metadata["switchyard"] = map[string]any{"egress": json.RawMessage(metadata)}
		}
		p.deploy(customers("production")+"a", w)
	}
	user("")
	const denied = "Error: This fetch is not allowed by the egress policy."
	namespace := func(policy string) {
		t.Helper()
		if status, e := p.api("PATCH", namespaces+"/production", "application/json", []byte(`{"egress":`+policy+`}`)); status != 200 {
			t.Fatalf("%s: %d %s", policy, status, e.message())
		}
	}
	plan := func(policy string) {
		t.Helper()
		if status, e := p.api("PUT", plansPath+"/basic", "application/json", []byte(`{"tags":["tier:basic"],"egress":`+policy+`}`)); status != 200 {
			t.Fatalf("%s: %d %s", policy, status, e.message())
		}
	}
	want := func(query, to, answer string) {
		t.Helper()
		for _, way := range []struct{ query, prefix string }{{"&direct", ""}, {"", "inside, "}, {"&direct&service", "inside, "}} {
			expect := answer
			if strings.HasPrefix(answer, "Error: ") {
				expect = way.prefix + answer
			}
			if _, got := p.get("http://x.example.com/?to=" + url.QueryEscape(to) + query + way.query); got != expect {
				t.Errorf("%s %s%s: %q, want %q", to, query, way.query, got, expect)
			}
		}
	}
	want("", origin.URL, "GET")
	namespace(`{"allow":[{"hosts":["127.0.0.1"]}]}`)
	want("", origin.URL, "GET")
	want("", named, denied)
	want("", origin.URL+"/?redirect="+url.QueryEscape(named), denied)
	plan(`{"deny":[{"methods":["POST"]}]}`)
	want("", origin.URL, "GET")
	want("&method=POST", origin.URL, denied)
	user(`{"deny":[{"ports":[` + port + `]}]}`)
	want("", origin.URL, denied)
	user("")
	want("", origin.URL, "GET")
	namespace(`{"deny":[{"cidrs":["127.0.0.0/8"],"hosts":["localhost"]}]}`) // connections that are kept are of no use
	want("", origin.URL, "GET")
	want("", named, denied)
	namespace(`{"allow":[{"cidrs":["192.0.2.0/24"]}]}`)
	want("", origin.URL, denied)
	namespace(`{"response_bytes":1000}`)
	want("", origin.URL, "GET")
	want("", origin.URL+"/large", "Error: The origin's response is too large.")
	namespace(`{"timeout_ms":100}`)
	want("", origin.URL+"/slow", "Error: Network connection timed out.")
	namespace(`{"requests_per_second":0.001}`)
	want("&method=POST", origin.URL, denied) // does not count
	if _, got := p.get("http://x.example.com/?direct&to=" + url.QueryEscape(origin.URL)); got != "GET" {
		t.Errorf("the first of a slow rate: %q", got)
	}
	want("", origin.URL, "Error: Too many fetches: the egress policy's rate is exceeded.")
	namespace(`null`)
	plan(`null`)
	want("&method=POST", origin.URL, "POST")
	for _, line := range []string{`switchyard_egress_fetches_total{result="denied"} `, `switchyard_worker_errors_total{namespace="production",kind="egress_denied"} `} {
		if all := p.metrics(); !strings.Contains(all, line) || strings.Contains(all, line+"0\n") {
			t.Errorf("metrics: no fetch denied in %s", line)
		}
	}
	for path, body := range map[string]string{
		namespaces + "/production": `{"egress":{"allow":[{"ports":[0]}]}}`,
		plansPath + "/basic":       `{"egress":{"deny":[{"hosts":["a b"]}]}}`,
	} {
		method := "PATCH"
		if strings.HasPrefix(path, plansPath) {
			method = "PUT"
		}
		if status, e := p.api(method, path, "application/json", []byte(body)); status != 400 || !strings.Contains(e.message(), "egress.") {
			t.Errorf("%s %s: %d %s", path, body, status, e.message())
		}
	}
	w := script(asking)
	w.metadata["switchyard"] = map[string]any{"egress": json.RawMessage(`{"deny":[{"cidrs":["x"]}]}`)}
	if status, e := p.upload(customers("production")+"b", w); status != 400 || !strings.Contains(e.message(), "switchyard.egress.deny[0].cidrs[0]") {
		t.Errorf("upload: %d %s", status, e.message())
	}
}
