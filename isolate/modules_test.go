package isolate

import (
	"errors"
	"testing"
)

// TestBuiltinModules: what the modules that the prelude provides export.
func TestBuiltinModules(t *testing.T) {
	for _, s := range []struct{ name, source, want string }{
		{"classes to extend", `import { RpcTarget, DurableObject, WorkflowEntrypoint, WorkerEntrypoint } from "cloudflare:workers";
			class Counter extends RpcTarget { n = 1 }
			export class Object extends DurableObject {}
			export class Flow extends WorkflowEntrypoint {}
			export default class extends WorkerEntrypoint { fetch() { return new Response([new Counter().n, new Object(1, 2).env, new Flow(3, 4).ctx].join()) } }`,
			"200 1,2,3"},
		{"no sockets", `import { connect } from "cloudflare:sockets"; ` +
			handler(`try { connect("a.test:80") } catch (e) { return new Response(String(e)) }`),
			"200 Error: connect: there are no TCP sockets here; use fetch()."},
	} {
		t.Run(s.name, func(t *testing.T) {
			p := newTestPool(t, jsSpec(s.source))
			wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), s.want)
		})
	}
}

// TestMissingExport: who imports what is not there is said as on workerd.
func TestMissingExport(t *testing.T) {
	for _, s := range []struct{ name, main, other, want string }{
		{"named", "\nimport { y,\n zzz } from './lib/b.js'", "export const y = 1", "The requested module './lib/b.js' does not provide an export named 'zzz'\n    at index.js:3:2"},
		{"default", "import b, { y } from '/lib/b.js'", "export const y = 1", "The requested module '/lib/b.js' does not provide an export named 'default'\n    at index.js:1:8"},
		{"renamed", "import { a as b } from './lib/b.js'", "export const b = 1", "The requested module './lib/b.js' does not provide an export named 'a'\n    at index.js:1:10"},
		{"of another", "import './lib/b.js'", "export { y } from '../index.js'", "The requested module '../index.js' does not provide an export named 'y'\n    at lib/b.js:1:10"},
	} {
		t.Run(s.name, func(t *testing.T) {
			spec := jsSpec(s.main + "\nexport default { fetch() {} }")
			main := spec.Modules[0]
			spec.Modules = []Module{{Name: "index.js", Kind: ModuleES, Source: main.Source}, {Name: "lib/b.js", Kind: ModuleES, Source: []byte(s.other)}}
			spec.Main = "index.js"
			_, err := jsRuntime(t).NewPool(t.Context(), spec)
			e := (*StartupError)(nil)
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			if got := e.Message + "\n" + e.Stack; got != "SyntaxError: "+s.want {
				t.Errorf("got %s, want %s", got, s.want)
			}
		})
	}
}
