package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScriptCommands is a platform without wrangler: namespaces and scripts by the program's own
// commands.
func TestScriptCommands(t *testing.T) {
	dir, sources := t.TempDir(), t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(sources, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p := serve(t, dir)
	sy := func(args ...string) string {
		t.Helper()
		return operate(t, append(args, "--data", dir, "--token", testToken)...)
	}
	sy("namespace", "create", "production")
	one := write("one.js", `export default { fetch(r, env) { return new Response("one " + env.GREETING) } }`)
	if out := sy("script", "deploy", one, "--namespace", "production", "--name", "customer", "--var", "GREETING=hello, you", "--tag", "pro"); !strings.Contains(out, "deployed customer") {
		t.Error(out)
	}
	p.wants("http://customer.example.com/", 200, "one hello, you")
	write("two/index.js", `import { text } from "./lib/text.mjs"; import name from "./name.txt"; export default { fetch() { return new Response(text + name) } }`)
	write("two/lib/text.mjs", `export const text = "two "`)
	write("two/name.txt", "files")
	write("two/package.json", `not a module`)
	write("two/node_modules/x/index.js", `not a module`)
	write("two/.hidden.js", `not a module`)
	sy("script", "deploy", filepath.Join(sources, "two"), "--namespace", "production", "--name", "customer")
	p.wants("http://customer.example.com/", 200, "two files")
	if out := sy("script", "list", "--namespace", "production", "--tags", "pro:yes"); !strings.Contains(out, "customer") || strings.Count(out, "\n") != 1 {
		t.Error(out)
	}
	if out := sy("script", "rollback", "customer", "--namespace", "production"); !strings.Contains(out, "has all traffic") {
		t.Error(out)
	}
	p.wants("http://customer.example.com/", 200, "one hello, you")
	write("meta.json", `{"bindings":[{"type":"json","name":"J","json":{"a":1}}]}`)
	plain := write("plain.mjs", `export default { fetch(r, env) { return Response.json(env.J) } }`)
	sy("script", "deploy", plain, "--metadata", filepath.Join(sources, "meta.json"))
	if out := sy("script", "list"); !strings.Contains(out, "plain") {
		t.Error(out)
	}
	if out := sy("namespace", "list"); !strings.Contains(out, "production  1") {
		t.Error(out)
	}
	sy("script", "delete", "customer", "--namespace", "production")
	p.wants("http://customer.example.com/", 404, "")
	sy("namespace", "delete", "production", "--yes")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"script", "deploy", write("bad.js", "syntax error")}, "bad.js"},
		{[]string{"script", "deploy", write("notes.md", "")}, "a .js, .mjs or .wasm file"},
		{[]string{"script", "deploy", sources}, "--main"},
		{[]string{"script", "deploy"}, "expected the PATH"},
		{[]string{"script", "rollback", "plain"}, "no other version"},
		{[]string{"script", "delete", "nobody"}, "10007"},
		{[]string{"namespace", "delete", "production"}, "--yes"},
		{[]string{"namespace", "frobnicate"}, "expected list, create, delete"},
	} {
		var stdout, stderr bytes.Buffer
		args := c.args
		if len(args) > 1 && args[1] != "frobnicate" {
			args = append(args, "--data", dir, "--token", testToken)
		}
		if code := run(args, &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: status %d, %s", c.args, code, stderr.String())
		}
	}
}
