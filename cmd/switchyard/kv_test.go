package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const kvPath = "/storage/kv/namespaces"

// createKV makes a KV namespace and returns its id.
func (p *platform) createKV(title string) string {
	p.t.Helper()
	status, e := p.api("POST", kvPath, "application/json", fmt.Appendf(nil, `{"title":%q}`, title))
	var n struct{ ID string }
	if err := json.Unmarshal(e.Result, &n); status != 200 || err != nil || len(n.ID) != 32 {
		p.t.Fatalf("create %s: %d %s %v", title, status, e.Result, e.Errors)
	}
	return n.ID
}

// value reads a value by the API; its headers beside it.
func (p *platform) value(id, key string) (int, string, http.Header) {
	p.t.Helper()
	req, err := http.NewRequest("GET", p.control+"/accounts/"+account+kvPath+"/"+id+"/values/"+key, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// TestDatasets: what a Worker writes the API gives back.
func TestDatasets(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"one", script(`export default { fetch(request, env) {
		env.AE.writeDataPoint({ indexes: [env.V.id === "" ? "" : "customer"], blobs: [new URL(request.url).pathname], doubles: [1] });
		return new Response("written");
	} };`, map[string]any{"name": "AE", "type": "analytics_engine", "dataset": "metrics"}, map[string]any{"name": "V", "type": "version_metadata"}))
	p.wants("http://one.example.com/a", 200, "written")
	p.wants("http://one.example.com/b", 200, "written")
	status, e := p.api("GET", "/analytics_engine/datasets/metrics?index=customer", "", nil)
	var points []struct {
		Blobs   []string
		Doubles []float64
	}
	if err := json.Unmarshal(e.Result, &points); status != 200 || err != nil || len(points) != 2 || points[1].Blobs[0] != "/b" || points[0].Doubles[0] != 1 {
		t.Errorf("points: %d %s", status, e.Result)
	}
}

const kvCounter = `export default { async fetch(request, env) {
	const key = new URL(request.url).pathname.slice(1), n = Number(await env.KV.get(key) ?? 0) + 1;
	await env.KV.put(key, String(n), { metadata: { n }, expirationTtl: 3600 });
	return new Response(n + " " + (await env.KV.list()).keys.length);
} };`

// TestKV: what a Worker puts the API reads, and the other way round, also after a restart and in a restored backup.
func TestKV(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, filepath.Join(dir, "one"))
	p.createNamespace("production")
	a, b := p.createKV("a"), p.createKV("b")
	bound := func(id string) worker {
		return script(kvCounter, map[string]any{"name": "KV", "type": "kv_namespace", "namespace_id": id})
	}
	p.deploy(customers("production")+"one", bound(a))
	p.deploy(customers("production")+"two", bound(b))
	p.wants("http://one.example.com/x", 200, "1 1")
	p.wants("http://one.example.com/x", 200, "2 1")
	p.wants("http://two.example.com/x", 200, "1 1")
	if status, e := p.api("PUT", kvPath+"/"+a+"/values/y", "text/plain", []byte("41")); status != 200 {
		t.Fatalf("put: %d %v", status, e.Errors)
	}
	p.wants("http://one.example.com/y", 200, "42 2")
	if status, body, header := p.value(a, "y"); status != 200 || body != "42" || header.Get("Expiration") == "" {
		t.Errorf("the API reads %d %q %v", status, body, header)
	}
	if status, e := p.upload(customers("production")+"none", bound("0123456789abcdef0123456789abcdef")); status != 400 || e.Errors[0].Code != 10041 {
		t.Errorf("a namespace that is not there: %d %v", status, e.Errors)
	}
	if status, e := p.upload(customers("production")+"none", bound("x")); status != 400 || e.Errors[0].Code != 10042 {
		t.Errorf("what is no id: %d %v", status, e.Errors)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p = serve(t, filepath.Join(dir, "one"))
	p.wants("http://one.example.com/x", 200, "3 2")
	if status, e := p.api("DELETE", kvPath+"/"+a, "", nil); status != 200 {
		t.Errorf("delete: %d %v", status, e.Errors)
	}
	p.wants("http://one.example.com/x", 500, "")
	p.wants("http://two.example.com/x", 200, "2 1")
}

// TestKVOfWasm: a guest of another language has the same pairs.
func TestKVOfWasm(t *testing.T) {
	out := filepath.Join(t.TempDir(), "example.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "../../isolate/guest/go/example")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := build.CombinedOutput(); err != nil {
		t.Skipf("no go tool to build the example with: %v %s", err, text)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	id := p.createKV("wasm")
	p.deploy(customers("production")+"guest", worker{main: "worker.wasm", modules: map[string]string{"worker.wasm": string(module)},
		metadata: map[string]any{"bindings": []map[string]any{{"name": "KV", "type": "kv_namespace", "namespace_id": id}}}})
	p.wants("http://guest.example.com/kv/a/b", 200, " false  <nil>")
	p.wants("http://guest.example.com/kv/a/b", 200, "+ true é <nil>")
	if status, body, _ := p.value(id, "a%2Fb"); status != 200 || body != "++" {
		t.Errorf("the API reads %d %q", status, body)
	}
	p.wants("http://guest.example.com/kv/"+strings.Repeat("k", 513), 200, "KV GET failed: 414")
}

// TestWranglerKV: the commands of the unmodified client, and a deploy with a binding.
func TestWranglerKV(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	p, dir := serve(t, t.TempDir()), t.TempDir()
	p.createNamespace("production")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kv := func(want string, args ...string) {
		t.Helper()
		if out := p.wrangler(dir, append([]string{"kv"}, args...)...); !strings.Contains(out, want) {
			t.Errorf("kv %s: got %s, want %q in it", strings.Join(args, " "), out, want)
		}
	}
	kv("", "namespace", "create", "MYKV")
	id := p.kvNamed("MYKV")
	kv(id, "namespace", "list")
	kv("", "namespace", "rename", "MYKV", "--new-name", "OTHER")
	kv("OTHER", "namespace", "list")
	on := []string{"--namespace-id", id, "--remote"}
	with := func(args ...string) []string { return append(args, on...) }
	kv("", with("key", "put", "my key/é", "value")...)
	kv("", with("key", "put", "meta", "v", "--metadata", `{"m":1}`, "--ttl", "3600")...)
	kv("value", with("key", "get", "my key/é", "--text")...)
	kv(`"m": 1`, with("key", "list", "--prefix", "me")...)
	kv("", with("key", "delete", "meta")...)
	write("bulk.json", `[{"key":"a","value":"b"},{"key":"c","value":"ZA==","base64":true}]`)
	kv("", with("bulk", "put", "bulk.json")...)
	write("keys.json", `["a","c"]`)
	kv(`"d"`, with("bulk", "get", "keys.json")...)
	kv("", with("bulk", "delete", "keys.json", "--force")...)
	if status, body, _ := p.value(id, "a"); status != 404 {
		t.Errorf("a deleted key: %d %s", status, body)
	}
	write("index.js", kvCounter)
	write("wrangler.json", fmt.Sprintf(`{"name":"counter","main":"index.js","compatibility_date":"2025-01-01","kv_namespaces":[{"binding":"KV","id":%q}],
		"version_metadata":{"binding":"V"},"analytics_engine_datasets":[{"binding":"AE","dataset":"metrics"}],"ratelimits":[{"name":"RL","namespace_id":"1001","simple":{"limit":5,"period":60}}]}`, id))
	p.wrangler(dir, "deploy", "--dispatch-namespace", "production")
	p.wants("http://counter.example.com/x", 200, "1 2")
	kv("", "namespace", "delete", "--namespace-id", id, "-y")
	if status, _, _ := p.value(id, "x"); status != 404 {
		t.Errorf("of a deleted namespace: %d", status)
	}
}

// kvNamed returns the id of the KV namespace with this title.
func (p *platform) kvNamed(title string) string {
	p.t.Helper()
	_, e := p.api("GET", kvPath, "", nil)
	var all []struct{ ID, Title string }
	if err := json.Unmarshal(e.Result, &all); err != nil {
		p.t.Fatal(err)
	}
	for _, n := range all {
		if n.Title == title {
			return n.ID
		}
	}
	p.t.Fatalf("there is no KV namespace %s in %s", title, e.Result)
	return ""
}
