package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRotateKey: a server over a directory with a new key has the same secrets.
func TestRotateKey(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(`export default { fetch(r, env) { return new Response(env.S) } }`, map[string]any{"type": "secret_text", "name": "S", "text": "hunter2"}))
	p.wants("http://a.example.com/", 200, "hunter2")
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	operate(t, "rotate-key", "--data", dir)
	operate(t, "check", "--data", dir)
	if after, err := os.ReadFile(filepath.Join(dir, "key")); err != nil || string(after) == string(before) {
		t.Errorf("the key is the same: %v", err)
	}
	p = serve(t, dir)
	p.wants("http://a.example.com/", 200, "hunter2")
}
