package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHelp: who asks for help gets it, and has made no mistake.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"help"}, {"serve", "--help"}, {"check", "-h"}} {
		out, err := exec.Command(binary, args...).CombinedOutput()
		if err != nil || strings.Contains(string(out), "requested") || len(out) < 40 {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestConfigMistakes are those that would otherwise show up as a server that behaves oddly.
func TestConfigMistakes(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"negative grace", "grace: -5s", "grace: -5s is negative"},
		{"two documents", "entry: a\n---\nentry: b", "more than one YAML document"},
		{"key twice", "entry: a\nentry: b", `"entry" already defined`},
		{"grace without unit", "grace: 5", "time.Duration"},
		{"too much memory", "limits: {memory_mb: 100000}", "limits.memory_mb: 100000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(file, []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(binary, "serve", "--config", file, "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0")
			timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
			defer timer.Stop()
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v\n%swant %q", err, out, c.want)
			}
		})
	}
}

// TestDirectoryInUse: a second process over the same directory is told so, and the first one
// does not notice.
func TestDirectoryInUse(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	for _, args := range [][]string{
		{"serve", "--data", p.dir, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--token", "other"},
		{"check", "--data", p.dir},
	} {
		out, err := exec.Command(binary, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "data directory is in use") {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
	p.deploy(customers("production")+"a", script(`export default { fetch: () => new Response("here") }`))
	p.wants("http://a.example.com/", 200, "here")
}

// TestSecondSignal: the first one waits for an endless stream, the second one does not.
func TestSecondSignal(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"endless", script(`export default { fetch: () => new Response(new ReadableStream({
		async pull(c) { await scheduler.wait(20); c.enqueue(new Uint8Array(1)); } })) }`))
	r, err := p.client().Get("http://endless.example.com/")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r, err)
	}
	defer r.Body.Close()
	ended := make(chan error, 1)
	p.cmd.Process.Signal(syscall.SIGTERM)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("the first signal cut the stream off: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the second signal did not end the process")
	}
}
