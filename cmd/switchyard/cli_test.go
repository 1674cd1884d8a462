package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBadCommandLines: each is told what is wrong with it, and starts nothing.
func TestBadCommandLines(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no command", nil, "usage"},
		{"unknown command", []string{"frobnicate"}, `unknown command "frobnicate"`},
		{"unknown flag", []string{"serve", "--frobnicate"}, "frobnicate"},
		{"argument", []string{"serve", "extra"}, `unexpected argument "extra"`},
		{"taken port", []string{"serve", "--listen", taken.Addr().String()}, "--listen: listen tcp " + taken.Addr().String()},
		{"taken control port", []string{"serve", "--listen", "127.0.0.1:0", "--control", taken.Addr().String()}, "--control: listen tcp"},
		{"no port", []string{"serve", "--listen", "127.0.0.1"}, "listen: address 127.0.0.1: missing port"},
		{"namespace", []string{"serve", "--namespace", "no such name"}, "namespace:"},
		{"account", []string{"serve", "--account", ""}, "account:"},
		{"config is missing", []string{"serve", "--config", filepath.Join(dir, "gone.yaml")}, "gone.yaml"},
		{"unknown key", []string{"serve", "--config", file("a.yaml", "listen: 127.0.0.1:0\nlisten_too: x\n")}, "field listen_too not found"},
		{"unknown key below", []string{"serve", "--config", file("b.yaml", "limits:\n  cpu: 5\n")}, "field cpu not found"},
		{"wrong type", []string{"serve", "--config", file("c.yaml", "limits:\n  cpu_ms: many\n")}, "line 2"},
		{"negative limit", []string{"serve", "--config", file("d.yaml", "limits:\n  cpu_ms: -1\n")}, "limits.cpu_ms: -1"},
		{"negative plain limit", []string{"serve", "--config", file("g.yaml", "plain_limits:\n  cpu_ms: -1\n")}, "plain_limits.cpu_ms: -1"},
		{"audit", []string{"serve", "--config", file("h.yaml", "audit:\n  days: 0\n")}, "audit.days: 0"},
		{"proxy", []string{"serve", "--config", file("e.yaml", "trusted_proxies: [nonsense]\n")}, "trusted_proxies"},
		{"egress", []string{"serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data", t.TempDir(), "--config", file("f.yaml", "egress: {allow: ['not an address']}\n")}, "not an address"},
		{"data is a file", []string{"serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data", file("data", "")}, "data"},
		{"empty token", []string{"serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data", t.TempDir(), "--token", "with space"}, "token"},
		{"check without a store", []string{"check", "--data", filepath.Join(dir, "nothing")}, "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(binary, c.args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			timer := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
			defer timer.Stop()
			if err := cmd.Run(); err == nil || !timer.Stop() {
				t.Fatalf("%v: it went on: %v", c.args, err)
			}
			if !strings.Contains(stderr.String(), c.want) {
				t.Errorf("%v said\n%swant %q", c.args, stderr.String(), c.want)
			}
		})
	}
}

// TestToken: made once, kept for its owner alone; nobody else gets in.
func TestToken(t *testing.T) {
	dir := t.TempDir()
	start := func() string {
		p := serve(t, dir, "--token", "")
		kept, err := os.ReadFile(filepath.Join(dir, "token"))
		if err != nil {
			t.Fatal(err)
		}
		info, _ := os.Stat(filepath.Join(dir, "token"))
		if info.Mode().Perm() != 0o600 {
			t.Errorf("token file has mode %v", info.Mode())
		}
		p.token = strings.TrimSpace(string(kept))
		if status, e := p.api("GET", namespaces, "", nil); status != 200 {
			t.Errorf("with the kept token: %d %s", status, e.message())
		}
		for token, want := range map[string]int{"wrong": 403, "": 401} {
			p.token = token
			if status, e := p.api("GET", namespaces, "", nil); status != want || !strings.HasPrefix(e.message(), "10000 ") {
				t.Errorf("token %q: %d %s, want %d and code 10000", token, status, e.message(), want)
			}
		}
		if err := p.stop(); err != nil {
			t.Errorf("SIGTERM: %v", err)
		}
		return string(kept)
	}
	if first, second := start(), start(); first != second {
		t.Error("the token changed over a restart")
	}
}

// TestProbes: health without a token, metrics with it, on the control listener only.
func TestProbes(t *testing.T) {
	p := serve(t, t.TempDir())
	root := strings.TrimSuffix(p.control, "/client/v4")
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 401} {
		r, err := http.Get(root + path)
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, r.Body)
		if r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
	if status, body := p.get("http://a.example.com/healthz"); status == 200 {
		t.Errorf("the ingress answers /healthz: %d %q", status, body)
	}
	r, _ := http.NewRequest("GET", root+"/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if page := readAll(t, resp.Body); !strings.Contains(page, "go_memstats_mallocs_total") || !strings.Contains(page, "switchyard_") {
		t.Errorf("metrics: %.300s", page)
	}
}

// TestDrain: SIGTERM lets a request in flight finish, and the process ends with status 0.
func TestDrain(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"slow", script(`export default { async fetch() { await scheduler.wait(700); return new Response("finished"); } }`))
	answer := make(chan string, 1)
	go func() {
		r, err := p.client().Get("http://slow.example.com/")
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- readAll(t, r.Body)
	}()
	time.Sleep(200 * time.Millisecond)
	if err := p.stop(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if got := <-answer; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
}
