package isolate

import "testing"

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
