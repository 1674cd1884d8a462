package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackupRestore: one file out, one file in, and the copy serves what the original did,
// secrets included.
func TestBackupRestore(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	p.createNamespace("production")
	p.deploy(customers("production")+"keeper", script(`export default { fetch: (r, env) => new Response(env.WORD + env.SECRET) }`,
		text("WORD", "open "), map[string]any{"type": "secret_text", "name": "SECRET", "text": "sesame"}))
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		out, err := exec.Command(binary, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	file, copied := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "copy")
	run("check", "--data", dir)
	run("backup", "--data", dir, "--file", file)
	run("restore", "--data", copied, "--file", file)
	run("check", "--data", copied)
	if raw, _ := os.ReadFile(file); strings.Contains(string(raw), "sesame") {
		t.Error("the secret stands in the backup as it is")
	}
	serve(t, copied).wants("http://keeper.example.com/", 200, "open sesame")
	if out, err := exec.Command(binary, "restore", "--data", copied, "--file", file).CombinedOutput(); err == nil {
		t.Errorf("restored over a store: %s", out)
	}
}
