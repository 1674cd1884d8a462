package main

import (
	"fmt"
	"strings"
	"testing"
)

// versioned answers its number after a wait, so that redeploys find requests in flight.
func versioned(n int) worker {
	return script(fmt.Sprintf(`export default { async fetch() { await scheduler.wait(3); return new Response("v%d"); } }`, n))
}

// TestRefusedUploads: each is a 4xx that names the fault, and nothing of it stays.
func TestRefusedUploads(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	const path = "/workers/dispatch/namespaces/production/scripts/a"
	p.deploy(path, versioned(1))
	state := func() string {
		var all []string
		for _, at := range []string{namespaces, "/workers/scripts", strings.TrimSuffix(path, "/a"), path + "/versions", path + "/deployments", path + "/settings"} {
			_, e := p.api("GET", at, "", nil)
			all = append(all, string(e.Result))
		}
		return strings.Join(all, "\n")
	}
	before := state()
	with := func(key string, value any) worker {
		w := versioned(2)
		w.metadata = map[string]any{key: value}
		return w
	}
	binding := func(b map[string]any) worker { return with("bindings", []map[string]any{b}) }
	for _, c := range []struct {
		name string
		w    worker
		want string
	}{
		{"syntax", script(`export default { fetch( }`), "SyntaxError"},
		{"module scope throws", script(`throw new Error("here")`), "index.js:1"},
		{"module scope never ends", script(`for (;;);`), "CPU time limit"},
		{"top-level await never settles", script(`await new Promise(() => {}); export default { fetch() {} }`), "never settles"},
		{"no handler", script(`export const a = 1`), "no event handler"},
		{"missing import", script(`import "./gone.js"; export default { fetch() {} }`), `"gone.js"`},
		{"fetch at module scope", script(`await fetch("http://x/"); export default { fetch() {} }`), "global scope"},
		{"code from strings", script(`eval("1"); export default { fetch() {} }`), "Code generation from strings"},
		{"million parentheses", script(strings.Repeat("(", 1e6)), "recursion"},
		{"UTF-8", script("export default '\xff'"), "UTF-8 at byte"},
		{"empty", script(""), "empty"},
		{"fault in the second module", worker{main: "index.js", modules: map[string]string{
			"index.js": `import "./b.js"; export default { fetch() {} }`, "b.js": "const b ="}}, "b.js:1"},
		{"damaged wasm from JavaScript", worker{main: "index.js", modules: map[string]string{
			"index.js": `import m from "./m.wasm"; export default { fetch() {} }`, "m.wasm": "\x00asm\x02\x00\x00\x00"}}, "m.wasm: CompileError"},
		{"name of a module", worker{main: "index.js", modules: map[string]string{"index.js": `export default { fetch() {} }`, "../../x.js": "1"}}, "relative path"},
		{"main module", worker{main: "gone.js", modules: map[string]string{"index.js": "1"}}, `"gone.js"`},
		{"limit", with("limits", map[string]any{"cpu_ms": -1}), "limits.cpu_ms"},
		{"too little memory", with("limits", map[string]any{"memory_mb": 3}), "limits.memory_mb"},
		{"type of a limit", with("limits", map[string]any{"cpu_ms": "many"}), "limits.cpu_ms"},
		{"date", with("compatibility_date", "9999-99-99"), "compatibility_date"},
		{"tags", with("tags", strings.Split("123456789", "")), "tags"},
		{"isolation", with("switchyard", map[string]any{"isolation": "never"}), "switchyard.isolation"},
		{"namespace of a binding", binding(map[string]any{"type": "dispatch_namespace", "name": "B", "namespace": "gone"}), `"gone"`},
		{"service of a binding", binding(map[string]any{"type": "service", "name": "B", "service": "gone"}), `"gone"`},
		{"type of a binding", binding(map[string]any{"type": "r2_bucket", "name": "B", "bucket_name": "x"}), "r2_bucket"},
		{"name of a binding", binding(map[string]any{"type": "plain_text", "name": "a b", "text": "x"}), "bindings[0].name"},
	} {
		status, e := p.upload(path, c.w)
		if status < 400 || status > 499 || e.Success || !strings.Contains(e.message(), c.want) {
			t.Errorf("%s: %d %s, want a 4xx with %q", c.name, status, e.message(), c.want)
		}
	}
	if after := state(); after != before {
		t.Errorf("refused uploads left something:\n%s\nbefore:\n%s", after, before)
	}
	p.wants("http://a.example.com/", 200, "v1")
}
