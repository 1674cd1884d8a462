package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// usagePath is of the API's usage, plansPath of its plans.
const (
	usagePath = "/workers/dispatch/usage"
	plansPath = "/workers/dispatch/plans"
)

// usageConfiguration writes a configuration with a short flush that opens an origin to guests.
func usageConfiguration(t *testing.T, origin *httptest.Server) string {
	t.Helper()
	file := t.TempDir() + "/config.yaml"
	config := "usage: {flush: 100ms}\negress:\n  allow: [" + strings.TrimPrefix(origin.URL, "http://") + "]\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// usage asks for sums.
func (p *platform) usage(query string) []map[string]any {
	p.t.Helper()
	status, e := p.api("GET", usagePath+"?"+query, "", nil)
	if status != 200 {
		p.t.Fatalf("usage %s: %d %s", query, status, e.message())
	}
	var rows []map[string]any
	if err := json.Unmarshal(e.Result, &rows); err != nil {
		p.t.Fatal(err)
	}
	return rows
}

func (p *platform) raw(path string) string {
	p.t.Helper()
	r, _ := http.NewRequest("GET", p.control+"/accounts/"+account+path, nil)
	r.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	return readAll(p.t, resp.Body)
}

// wantUsage compares some fields of a row.
func wantUsage(t *testing.T, when string, row map[string]any, want map[string]any) {
	t.Helper()
	for key, w := range want {
		got, _ := json.Marshal(row[key])
		text, _ := json.Marshal(w)
		if !bytes.Equal(got, text) {
			t.Errorf("%s: %s is %s, want %s", when, key, got, text)
		}
	}
}

// TestUsage sends requests of known sizes through dispatcher, user Worker, outbound Worker and origin, and reads
// back what was spent: by every way there is, and after the process was killed.
func TestUsage(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, strings.Repeat("o", 500))
	}))
	defer origin.Close()
	dir, config := t.TempDir(), usageConfiguration(t, origin)
	p := serve(t, dir, "--entry", "dispatcher", "--config", config)
	p.createNamespace("production")
	p.deploy(plainScripts+"outbound", script(`export default { fetch: (request) => fetch(request) }`))
	p.deploy(plainScripts+"dispatcher", script(`export default { fetch(request, env) {
		return env.DISPATCHER.get(new URL(request.url).hostname.split(".")[0], {}, {outbound: {}}).fetch(request);
	} }`, dispatcherBinding("production", "outbound")))
	p.deploy(customers("production")+"shop", script(`export default { async fetch(request, env) {
		await request.arrayBuffer();
		for (let i = 0; i < 20000; i++);
		const r = await fetch(env.ORIGIN, { method: "POST", body: "u".repeat(1000) });
		await r.text();
		return new Response("s".repeat(300));
	} }`, text("ORIGIN", origin.URL)))
	p.deploy(customers("production")+"broken", script(`export default { fetch() { throw new Error("no"); } }`))
	for name, tag := range map[string]string{"shop": "customer:a", "broken": "customer:b"} {
		if status, e := p.api("PUT", customers("production")+name+"/tags", "application/json", []byte(`["`+tag+`","tier:pro"]`)); status != 200 {
			t.Fatal(status, e.message())
		}
	}
	const n = 20
	cpu := int64(0)
	for range n {
		cpu += p.post("http://shop.example.com/", 200)
	}
	for range 3 {
		p.post("http://broken.example.com/", 500)
	}
	shop := map[string]any{
		"namespace": "production", "script": "shop", "requests": n, "calls": n, "subrequests": n, "errors": map[string]any{},
		"ingress_received_bytes": 200 * n, "ingress_sent_bytes": 300 * n, "egress_sent_bytes": 1000 * n, "egress_received_bytes": 500 * n,
	}
	broken := map[string]any{"script": "broken", "requests": 3, "calls": 3, "errors": map[string]any{"exception": 3}}
	total := map[string]any{"requests": n + 3, "calls": 3*n + 6, "errors": map[string]any{"exception": 6}} // the dispatcher's too
	check := func(when string) {
		t.Helper()
		row := p.usage("script=shop")[0]
		wantUsage(t, when, row, shop)
		sum := row["cpu_dispatch_us"].(float64) + row["cpu_user_us"].(float64) + row["cpu_outbound_us"].(float64)
		if got := row["cpu_us"].(float64); got < sum || got > sum+2 || row["cpu_dispatch_us"].(float64) == 0 || row["cpu_user_us"].(float64) == 0 || row["cpu_outbound_us"].(float64) == 0 {
			t.Errorf("%s: CPU time %v is not the sum of its stages: %v", when, got, row)
		} else if got < float64(cpu-n) { // what each response said, rounded down
			t.Errorf("%s: %v µs of CPU time, the responses said %d", when, got, cpu)
		}
		wantUsage(t, when, p.usage("tag=customer:b")[0], broken)
		wantUsage(t, when, p.usage("group=total")[0], total)
		if rows := p.usage("group=tag&namespace=production"); len(rows) != 3 || rows[2]["tag"] != "tier:pro" || rows[2]["requests"].(float64) != n+3 {
			t.Errorf("%s: by tag: %v", when, rows)
		}
		if rows := p.usage("until=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)); len(rows) != 0 {
			t.Errorf("%s: an hour ago there was %v", when, rows)
		}
	}
	settle(t, p, "group=total", total)
	check("at first")
	checkFormats(t, p, n)
	time.Sleep(time.Second) // many flushes; asking has flushed anyway
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p = serve(t, dir, "--entry", "dispatcher", "--config", config)
	check("after the process was killed")
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	p = serve(t, dir, "--entry", "dispatcher", "--config", config)
	check("after a restart")
}

// settle waits until calls that have answered are over.
func settle(t *testing.T, p *platform, query string, want map[string]any) {
	t.Helper()
	text, _ := json.Marshal(want["calls"])
	for range 500 {
		if rows := p.usage(query); len(rows) > 0 {
			if got, _ := json.Marshal(rows[0]["calls"]); bytes.Equal(got, text) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// post sends 200 bytes as the operator and returns the CPU time that the response tells, in µs.
func (p *platform) post(url string, want int) int64 {
	p.t.Helper()
	r, _ := http.NewRequest("POST", url, strings.NewReader(strings.Repeat("c", 200)))
	r.Header.Set("X-Switchyard-Token", p.token)
	resp, err := p.client().Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	readAll(p.t, resp.Body)
	if resp.StatusCode != want {
		p.t.Errorf("%s: %d, want %d", url, resp.StatusCode, want)
	}
	cpu, _ := strconv.ParseInt(resp.Header.Get("X-Switchyard-Cpu-Us"), 10, 64)
	return cpu
}

// checkFormats reads the same as CSV and NDJSON.
func checkFormats(t *testing.T, p *platform, n int) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(p.raw(usagePath + "?script=shop&format=csv&interval=day"))).ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatalf("CSV: %v, %v", records, err)
	}
	for i, column := range records[0] {
		switch column {
		case "requests", "calls":
			if records[1][i] != strconv.Itoa(n) {
				t.Errorf("CSV: %s is %s", column, records[1][i])
			}
		case "script":
			if records[1][i] != "shop" {
				t.Errorf("CSV: script is %s", records[1][i])
			}
		}
	}
	lines := strings.Split(strings.TrimSpace(p.raw(usagePath+"?namespace=production&format=ndjson")), "\n")
	var row map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &row); err != nil || len(lines) != 2 {
		t.Fatalf("NDJSON: %q, %v", lines, err)
	}
	wantUsage(t, "NDJSON", row, map[string]any{"script": "shop", "requests": n})
}

// TestUsageOfKilledProcesses kills the server under load, again and again: what it counted is never more
// than what was asked, and never less than what was written down before.
func TestUsageOfKilledProcesses(t *testing.T) {
	origin := httptest.NewServer(http.NotFoundHandler())
	defer origin.Close()
	dir, config := t.TempDir(), usageConfiguration(t, origin)
	var asked, answered atomic.Int64
	written := 0.0
	for round := range 4 {
		p := serve(t, dir, "--config", config)
		if round == 0 {
			p.createNamespace("production")
			p.deploy(customers("production")+"a", script(`export default { fetch: () => new Response("a") }`))
		}
		stop := make(chan struct{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				client := p.client()
				for {
					select {
					case <-stop:
						return
					default:
					}
					asked.Add(1)
					resp, err := client.Get("http://a.example.com/")
					if err != nil {
						return
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					answered.Add(1)
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		if rows := p.usage("script=a"); len(rows) > 0 {
			written = rows[0]["requests"].(float64) // asking writes it down
		}
		time.Sleep(50 * time.Millisecond)
		p.cmd.Process.Kill()
		p.cmd.Wait()
		close(stop)
		all.Wait()
	}
	p := serve(t, dir, "--config", config)
	got := p.usage("script=a")[0]["requests"].(float64)
	if got < written || got > float64(asked.Load()) {
		t.Errorf("%v requests are counted; %v were written down, %d asked", got, written, asked.Load())
	}
	t.Logf("%d answered, %v counted: 4 kills lost %v", answered.Load(), got, float64(answered.Load())-got)
}

// TestPlans changes a plan while its scripts are asked: each limit on coming in has its status and its code.
func TestPlans(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(`export default { fetch: () => new Response("a") }`))
	if status, e := p.api("PUT", customers("production")+"a/tags", "application/json", []byte(`["tier:free"]`)); status != 200 {
		t.Fatal(status, e.message())
	}
	plan := func(body string) {
		t.Helper()
		if status, e := p.api("PUT", plansPath+"/free", "application/json", []byte(body)); status != 200 {
			t.Fatal(status, e.message())
		}
	}
	ask := func(status int, page string, retry bool) {
		t.Helper()
		resp, err := p.client().Get("http://a.example.com/")
		if err != nil {
			t.Fatal(err)
		}
		body := readAll(t, resp.Body)
		if resp.StatusCode != status || !strings.Contains(body, page) || (resp.Header.Get("Retry-After") != "") != retry {
			t.Errorf("got %d %q, Retry-After %q; want %d %q", resp.StatusCode, body, resp.Header.Get("Retry-After"), status, page)
		}
	}
	ask(200, "a", false)
	plan(`{"tags":["tier:free"],"limits":{"rate":0.001}}`)
	ask(200, "a", false)
	ask(429, "error code: 1015", true)
	plan(`{"tags":["tier:free"],"quota":{"period":"month","requests":3}}`)
	ask(200, "a", false) // two were counted before
	ask(429, "error code: 1027", true)
	if status, e := p.api("DELETE", plansPath+"/free", "", nil); status != 200 {
		t.Fatal(status, e.message())
	}
	ask(200, "a", false)
	if status, _ := p.api("PATCH", namespaces+"/production", "application/json", []byte(`{"limits":{"rate":0.001}}`)); status != 200 {
		t.Fatal(status)
	}
	ask(429, "error code: 1015", true) // the bucket is as empty as it was
	wantUsage(t, "in the end", p.usage("script=a")[0], map[string]any{"requests": 4, "errors": map[string]any{"rate_limit": 2, "quota": 1}})
	for _, line := range []string{`switchyard_worker_errors_total{namespace="production",kind="rate_limit"} 2`, `switchyard_script_requests_total{namespace="production",script="a"} 4`} {
		if !strings.Contains(p.metrics(), line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
}

func (p *platform) metrics() string {
	p.t.Helper()
	r, _ := http.NewRequest("GET", strings.TrimSuffix(p.control, "/client/v4")+"/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	return readAll(p.t, resp.Body)
}
