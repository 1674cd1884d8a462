package main

import (
	"os"
	"testing"
)

// TestWasmWorkers: a module as the main module, in the place of a user Worker: it answers,
// reads its env, and is ended like any other guest when it does not end by itself.
func TestWasmWorkers(t *testing.T) {
	module, err := os.ReadFile("../../isolate/guest/c/example.wasm")
	if err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir(), "--entry", "dispatcher")
	p.createNamespace("production")
	p.deploy(plainScripts+"dispatcher", script(`export default { async fetch(request, env) {
		try {
			return await env.DISPATCHER.get("guest", {}, { limits: { cpuMs: 20 } }).fetch(request);
		} catch (e) {
			return new Response("caught: " + e.message, { status: 500 });
		}
	} }`, dispatcherBinding("production", "")))
	p.deploy(customers("production")+"guest", worker{main: "worker.wasm", modules: map[string]string{"worker.wasm": string(module)},
		metadata: map[string]any{"bindings": []map[string]any{text("GREETING", "hi")}}})
	for range 2 {
		p.wants("http://guest.example.com/hello", 200, "Hello /hello")
		p.wants("http://guest.example.com/env/GREETING", 200, "hi")
		p.wants("http://guest.example.com/spin", 500, "caught: Worker exceeded CPU time limit.")
		p.wants("http://guest.example.com/recurse", 500, "caught: Worker exceeded its stack")
		p.wants("http://guest.example.com/trap", 500, "caught: Worker trapped")
		p.wants("http://guest.example.com/hello", 200, "Hello /hello")
	}
	for name, source := range map[string]string{
		"garbage":   "\x00asm\x01\x00\x00\x00garbage",
		"not wasm":  "no wasm at all",
		"no memory": "\x00asm\x01\x00\x00\x00",
	} {
		status, e := p.upload(customers("production")+"guest", worker{main: "worker.wasm", modules: map[string]string{"worker.wasm": source}})
		if status != 400 || e.Success {
			t.Errorf("%s: %d %s, want 400", name, status, e.message())
		}
		t.Logf("%s: %s", name, e.message())
	}
	p.wants("http://guest.example.com/hello", 200, "Hello /hello")
}
