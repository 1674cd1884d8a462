package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wrangler runs the unmodified client, pinned in e2e/package.json, in an example's folder.
func (p *platform) wrangler(dir string, args ...string) string {
	p.t.Helper()
	bin, err := filepath.Abs("e2e/node_modules/wrangler/bin/wrangler.js")
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := os.Stat(bin); err != nil {
		p.t.Skip("wrangler is not installed: run make test, or npm ci in cmd/switchyard/e2e")
	}
	cmd := exec.Command("node", append([]string{bin}, args...)...)
	cmd.Dir = dir
	cmd.Env = p.wranglerEnv()
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("wrangler %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// wranglerEnv points the client here, and away from the settings of whoever runs the test.
func (p *platform) wranglerEnv() []string {
	return append(os.Environ(), "CLOUDFLARE_API_BASE_URL="+p.control, "CLOUDFLARE_API_TOKEN="+p.token,
		"CLOUDFLARE_ACCOUNT_ID="+account, "WRANGLER_SEND_METRICS=false", "WRANGLER_HIDE_BANNER=true", "CI=1",
		"HOME="+p.t.TempDir(), "XDG_CONFIG_HOME="+p.t.TempDir(), "NO_COLOR=1")
}

// TestWrangler deploys the example platform with the client that its users have.
func TestWrangler(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	examples := t.TempDir() // wrangler writes a folder beside each configuration
	if err := os.CopyFS(examples, os.DirFS("../../examples")); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(examples, name) }
	p := serve(t, t.TempDir(), "--entry", "dispatcher")
	p.wrangler(examples, "dispatch-namespace", "create", "production")
	if out := p.wrangler(examples, "dispatch-namespace", "list"); !strings.Contains(out, "production") {
		t.Errorf("list: %s", out)
	}
	p.wrangler(at("outbound"), "deploy")
	p.wrangler(at("dispatcher"), "deploy")
	p.wrangler(at("customer-a"), "deploy", "--dispatch-namespace", "production")
	p.wrangler(at("customer-b"), "deploy", "--dispatch-namespace", "production")
	p.wants("http://customer-a.example.com/", 200, "Hello from customer-a")
	p.wants("http://customer-b.example.com/blocked", 403, "blocked.example is blocked by this platform")
	p.wants("http://nobody.example.com/", 500, "")
	p.wrangler(at("customer-d"), "deploy", "--dispatch-namespace", "production")
	p.wants("http://customer-d.example.com/", 200, "<h1>Hello from customer-d</h1>")
	p.wants("http://customer-d.example.com/api/shout", 200, "<H1>HELLO FROM CUSTOMER-D</H1>")
	p.wantsHeaders("http://customer-d.example.com/old", 301, "Location: /", "X-Served-By: customer-d")

	// A second deploy takes another way through the API: versions and deployments.
	source := readExample(t, "dispatcher/index.js")
	source = strings.Replace(source, "return userWorker.fetch(request);", `const r = new Response((await userWorker.fetch(request)).body); r.headers.set("x-dispatched", "again"); return r;`, 1)
	if err := os.WriteFile(at("dispatcher/index.js"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	p.wrangler(at("dispatcher"), "deploy")
	r, err := p.client().Get("http://customer-a.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, r.Body)
	if r.Header.Get("X-Dispatched") != "again" {
		t.Errorf("the second deploy is not live: %v", r.Header)
	}
}
