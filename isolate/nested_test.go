package isolate

import (
	"os"
	"strings"
	"testing"
)

// nestedSpec is a Worker that imports a module of testdata/nested as wasm. Its handler evaluates to
// what body returns, joined.
func nestedSpec(t testing.TB, scope, body string) *Spec {
	t.Helper()
	binary, err := os.ReadFile("testdata/nested/all.wasm")
	if err != nil {
		t.Fatal(err)
	}
	s := jsSpec(`import mod from "./all.wasm";
const seen = new WebAssembly.Global({ value: "i32", mutable: true }, 1);
const logged = [];
const env = {
  seen, constant: 1000n, log: (...values) => logged.push(values.map((v) => typeof v + " " + v).join()),
  add: (a, b) => a + b, big: (v) => v * 2n, two: () => [3, 0.25],
};
const make = (more) => new WebAssembly.Instance(mod, { env: { ...env, ...more } }).exports;
const failure = (fn) => { try { return fn(); } catch (e) { return e instanceof Error ? e.constructor.name + ": " + e.message : "thrown " + e; } };
` + scope + `
export default { async fetch(request) {
  const result = await (async () => { ` + body + ` })();
  return new Response(String(result));
} };`)
	s.Modules = append(s.Modules, Module{Name: "all.wasm", Kind: ModuleWasm, Source: binary})
	return s
}

// TestNested: what JavaScript sees of a module that it instantiates in a request.
func TestNested(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"call", `const w = make(); return [w.increment(), w.increment()]`, "41,42"},
		{"two instances", `const a = make(), b = make(); a.increment(); return [a.increment(), b.increment()]`, "42,41"},
		{"import", `const w = make(); w.log(); return [w.add(2, 3), ...logged]`, "5,number -1,bigint -9007199254740993,number 0.5,number 1e+300"},
		{"BigInt", `const w = make(); return [w.big(21n), w.big(-(2n ** 63n)), failure(() => w.big(1))]`, "1042,1000,TypeError: Cannot convert 1 to a BigInt"},
		{"several results", `const w = make(); return [...w.swap(1, 2n), ...w.two()]`, "2,1,0.25,7"},
		{"conversion", `const w = make(); return [w.add("4", 2 ** 32 + 1), w.add(), w.add(1.9, -1.9)]`, "5,0,0"},
		{"data", `const w = make(); return new TextDecoder().decode(new Uint8Array(w.memory.buffer, 16, 15))`, "hello from data"},
		{"memory both ways", `const w = make(); const m = new Int32Array(w.memory.buffer); m[2] = 7; w.store(12, 8); w.store8(97, 255); return [w.load(8), m[3], m[25]]`, "7,8,255"},
		{"bounds", `const w = make(); return [w.load(65532), ...[65533, 65536, -1, -4, 131072].map((a) => failure(() => w.load(a)))].join("; ")`,
			"0; RuntimeError: memory access out of bounds; RuntimeError: memory access out of bounds; RuntimeError: memory access out of bounds; RuntimeError: memory access out of bounds; RuntimeError: memory access out of bounds"},
		{"bounds with offset", `const w = make(); return [w.load_far(0), failure(() => w.load_far(1)), failure(() => w.load_far(-65532)), failure(() => w.store8(65533, 1)), w.store8(65532, 1)]`,
			"0,RuntimeError: memory access out of bounds,RuntimeError: memory access out of bounds,RuntimeError: memory access out of bounds,"},
		{"bulk", `const w = make(); const m = new Uint8Array(w.memory.buffer); w.fill(100, 9, 3); w.copy(101, 16, 2);
			return [...m.subarray(99, 104), failure(() => w.fill(65530, 1, 7)), failure(() => w.copy(0, 65535, 2)), w.fill(65536, 0, 0), failure(() => w.fill(65537, 0, 0)), m[65530]]`,
			"0,9,104,101,0,RuntimeError: memory access out of bounds,RuntimeError: memory access out of bounds,,RuntimeError: memory access out of bounds,0"},
		{"vector", `const w = make(); w.vector_store(65520, 6); return [w.vector(65520), failure(() => w.vector(65521)), failure(() => w.vector_store(65521, 1)), w.load(65532)]`,
			"7,RuntimeError: memory access out of bounds,RuntimeError: memory access out of bounds,6"},
		{"grow", `const w = make(); w.store(0, 5); const old = w.memory.buffer; const view = new Uint8Array(old);
			return [w.size(), w.grow(2), w.size(), old.byteLength, view.length, w.memory.buffer.byteLength, w.load(0), w.load(196604), w.grow(100), w.memory.grow(1), w.size(), failure(() => w.memory.grow(100))]`,
			"1,1,3,0,0,196608,5,0,-1,3,4,RangeError: WebAssembly.Memory.grow(): Maximum memory size exceeded"},
		{"grow inside an import", `let w = make({ add(a) { w.memory.grow(1); return a; } }); w.store(0, 9); return [w.add(3), w.load(0), w.size(), w.load(131068)]`, "3,9,2,0"},
		{"globals", `const w = make(); w.see(); seen.value += 10; w.see(); w.double(); w.shared.value += 1; w.double(); return [seen.value, w.shared.value, w.answer.value, failure(() => { w.answer.value = 1n })]`,
			"21,8,42,TypeError: set WebAssembly.Global.value: Can't set the value of an immutable global."},
		{"traps", `const w = make(); return [failure(w.trap), failure(() => w.divide(1, 0)), failure(() => w.divide(-(2 ** 31), -1)), failure(() => w.truncate(NaN)), failure(() => w.indirect(2)), failure(() => w.indirect(0)), failure(() => w.indirect(99)), w.increment()].join("; ")`,
			"RuntimeError: unreachable; RuntimeError: divide by zero; RuntimeError: divide result unrepresentable; RuntimeError: float unrepresentable in integer range; RuntimeError: null function or function signature mismatch; RuntimeError: table index is out of bounds; RuntimeError: table index is out of bounds; 41"},
		{"recursion", `const w = make(); return [failure(() => w.recurse(1)), failure(() => w.recurse(1)), w.increment()]`, "RangeError: Maximum call stack size exceeded,RangeError: Maximum call stack size exceeded,41"},
		{"recursion through JavaScript", `let n = 0; const w = make({ add(a, b) { n++; return w.add(a, b); } }); return [failure(() => w.add(1, 2)), n > 50, w.increment()]`, "RangeError: Maximum call stack size exceeded,true,41"},
		{"an import throws", `const e = { is: "mine" }; const w = make({ add() { throw e; } }); try { w.add(1, 2) } catch (x) { return [x === e, w.increment()] }`, "true,41"},
		{"inside of each other", `const a = make(); const b = make({ add: a.add }); const c = make({ add: (x, y) => b.add(x, y) + failure(() => b.trap()).length }); return c.add(1, 2)`, "28"},
		{"externref", `const w = make(); const o = {}; w.keep(1, o); w.objects.set(0, "text"); return [w.echo(o) === o, w.echo(undefined), w.echo(null) === null, w.echo(0), w.kept(1) === o, w.kept(0), w.objects.get(1) === o, w.objects.length, w.objects.grow(2, 5), w.objects.get(3)]`,
			"true,,true,0,true,text,true,2,2,5"},
		{"funcref", `const w = make(); const f = w.functions.get(1); w.functions.set(0, w.increment); return [f === w.increment, f(), w.indirect(0), w.functions.get(3), w.get_function(2) === w.trap, failure(() => w.functions.get(4)), failure(() => w.functions.set(0, () => 1)), w.functions.grow(6), failure(() => w.functions.grow(1))]`,
			"true,41,42,,true,RangeError: WebAssembly.Table.get(): invalid address 4 in funcref table of size 4,TypeError: function-typed object expected,4,RangeError: WebAssembly.Table.grow(): failed to grow table by 1"},
		{"link errors", `return [failure(() => new WebAssembly.Instance(mod)), failure(() => new WebAssembly.Instance(mod, {})), failure(() => make({ add: 1 })), failure(() => make({ seen: 1 })), failure(() => make({ constant: 1 })), failure(() => make({ add: make().big }))].join("; ")`,
			`TypeError: WebAssembly.Instance(): Imports argument must be present and must be an object; TypeError: WebAssembly.Instance(): Import #0 "env": module is not an object or function; LinkError: WebAssembly.Instance(): Import #3 "env" "add": function import requires a callable; LinkError: WebAssembly.Instance(): Import #0 "env" "seen": imported mutable global must be a WebAssembly.Global object; LinkError: WebAssembly.Instance(): Import #1 "env" "constant": global import must be a BigInt; LinkError: WebAssembly.Instance(): Import #3 "env" "add": imported function does not match the expected type`},
		{"module", `return [mod instanceof WebAssembly.Module, WebAssembly.Module.imports(mod).length, JSON.stringify(WebAssembly.Module.exports(mod)[0]), String(mod)]`, `true,6,{"name":"memory","kind":"memory"},[object WebAssembly.Module]`},
		{"no code at run time", `const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]); const of = (p) => p.catch((e) => e.name + ": " + e.message);
			return [failure(() => new WebAssembly.Module(bytes)), await of(WebAssembly.compile(bytes)), await of(WebAssembly.instantiate(bytes)), WebAssembly.validate(bytes), WebAssembly.validate(new Uint8Array(8))].join("; ")`,
			"CompileError: WebAssembly.Module(): Wasm code generation disallowed by embedder; CompileError: WebAssembly.compile(): Wasm code generation disallowed by embedder; CompileError: WebAssembly.instantiate(): Wasm code generation disallowed by embedder; true; false"},
		{"instantiate", `const i = await WebAssembly.instantiate(mod, { env }); return [i instanceof WebAssembly.Instance, i.exports.increment(), Object.isFrozen(i.exports), i.exports.increment.name, i.exports.add.length]`, "true,41,true,4,2"},
		{"the buffer stays", `const w = make(); return [failure(() => w.memory.buffer.transfer()), failure(() => structuredClone(w.memory.buffer, { transfer: [w.memory.buffer] })), w.memory.buffer.byteLength]`,
			"TypeError: a WebAssembly.Memory's buffer cannot be detached,TypeError: a WebAssembly.Memory's buffer cannot be detached,65536"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newTestPool(t, nestedSpec(t, "", c.body))
			wants(t, p, &fakeHost{}, testRequest("GET", "http://x/", ""), "200 "+c.want)
		})
	}
}

// moduleScope is a Worker that instantiates at module scope, as glue of toolchains does.
const moduleScope = `
const w = make();
const object = { kept: "object" };
w.increment(); w.store(256, 77); w.see(); w.double();
w.keep(0, object); w.objects.grow(3, "grown");
w.functions.set(0, w.increment); w.functions.set(1, null); w.functions.grow(2);
w.memory.grow(1); w.store(131068, 5);
`

const moduleScopeState = `return [w.increment(), w.load(256), seen.value, w.shared.value, w.kept(0) === object, w.objects.length, w.objects.get(4),
	w.functions.length, w.functions.get(0) === w.increment, w.functions.get(1), w.indirect(0), w.size(), w.load(131068), w.add(1, 2), w.memory.buffer.byteLength]`

// TestNestedAtModuleScope: what instances were when the snapshot was taken they are in every clone,
// after a reset, and in a version that was frozen.
func TestNestedAtModuleScope(t *testing.T) {
	const want = "200 42,77,6,3,true,5,grown,6,true,,43,2,5,3,131072"
	s := nestedSpec(t, moduleScope, moduleScopeState)
	s.Policy = PolicyRequest
	p := newTestPool(t, s)
	for range 3 {
		wants(t, p, &fakeHost{}, testRequest("GET", "http://x/", ""), want)
	}
	thawed := newTestPool(t, &Spec{Name: "test", Main: "index.js", Frozen: p.Freeze()})
	if !thawed.Info().Thawed {
		t.Error("it was evaluated again")
	}
	wants(t, thawed, &fakeHost{}, testRequest("GET", "http://x/", ""), want)
	again := newTestPool(t, &Spec{Name: "test", Main: "index.js", Frozen: thawed.Freeze()})
	wants(t, again, &fakeHost{}, testRequest("GET", "http://x/", ""), want)

	s.Policy = PolicyReuse
	p = newTestPool(t, s)
	wants(t, p, &fakeHost{}, testRequest("GET", "http://x/", ""), want)
	wants(t, p, &fakeHost{}, testRequest("GET", "http://x/", ""), "200 44,77,6,3,true,5,grown,6,true,,45,2,5,3,131072")
}

// TestNestedHostile: limits reach into modules, and what one does ends nobody else.
func TestNestedHostile(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"endless loop", `make().spin()`, "error: " + ErrCPULimit.Error()},
		{"endless loop, caught", `failure(() => make().spin()); return 1`, "error: " + ErrCPULimit.Error()},
		{"endless loop inside an import", `make({ add() { for (;;); } }).add(1, 2)`, "error: " + ErrCPULimit.Error()},
		{"endless loop below two modules", `const a = make(); const b = make({ add: () => a.spin() }); b.add(1, 2)`, "error: " + ErrCPULimit.Error()},
		{"calls without end", `const w = make(); for (;;) w.increment()`, "error: " + ErrCPULimit.Error()},
		{"memory without end", `const list = []; try { for (;;) { const m = new WebAssembly.Memory({ initial: 100 }); new Uint8Array(m.buffer)[0] = 1; list.push(m); } } catch (e) { return e.constructor.name + (list.length < 6) }`, "200 RangeErrortrue"},
		{"a large memory", `return failure(() => new WebAssembly.Memory({ initial: 65536 }))`, "200 RangeError: WebAssembly.Memory(): could not allocate memory"},
		{"instances without end", `for (;;) make()`, "error: "}, // by the CPU limit, or by the ceiling
		{"a trap does not end the instance", `const w = make(); w.increment(); failure(w.trap); failure(() => w.recurse(0)); return [w.increment(), w.size()]`, "200 42,1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := nestedSpec(t, "", c.body)
			s.Memory = 32 << 20
			p := newTestPool(t, s)
			wants(t, p, &fakeHost{}, testRequest("GET", "http://x/", ""), c.want)
		})
	}
}

// TestNestedInstancePerRequest: instances are never given back, so an isolate that has made many is
// replaced, and nobody notices.
func TestNestedInstancePerRequest(t *testing.T) {
	p := newTestPool(t, nestedSpec(t, "", `const w = make(); w.grow(3); return w.increment()`))
	for range 60 {
		wants(t, p, &fakeHost{}, testRequest("GET", "http://x/", ""), "200 41")
	}
}

// TestNestedRefused: a module that is none is refused when the version is made, by name and offset.
func TestNestedRefused(t *testing.T) {
	for _, c := range []struct{ name, binary, want string }{
		{"no module", "hello", "bad.wasm: CompileError: wasm module at byte 0: not a wasm module"},
		{"types of operands", "\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x0a\x06\x01\x04\x00\x42\x00\x0b", "bad.wasm: CompileError: "},
	} {
		s := jsSpec(`import m from "./bad.wasm"; export default { fetch() {} }`)
		s.Modules = append(s.Modules, Module{Name: "bad.wasm", Kind: ModuleWasm, Source: []byte(c.binary)})
		p, err := jsRuntime(t).NewPool(t.Context(), s)
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
