package isolate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/wasm"
)

// largeModule is just too large to be rewritten by this process; last ends the last of its bodies.
func largeModule(last ...byte) []byte {
	m := codeModule(2, append(append([]byte{0}, bytes.Repeat([]byte{0x01}, 600<<10)...), 0x0b))
	return append(m[:len(m)-1], last...)
}

func TestLargeModulesAreRewrittenAside(t *testing.T) {
	kept := new(memoryDerived)
	rt := newTestRuntime(t, Options{Compiler: testCompiler(), Derived: kept})
	start := func() {
		t.Helper()
		p, err := rt.NewPool(t.Context(), wasmSpec(largeModule(0x0b), PolicyReuse))
		if err != nil {
			t.Fatal(err)
		}
		for name := range kept.entries {
			if _, ok := CodeOf(name); !ok || !strings.HasSuffix(name, fmt.Sprint("-", wasm.Version)) || !rt.Runs(name) {
				t.Errorf("kept as %q, in use: %v", name, rt.Runs(name))
			}
		}
		if _, err := ask(p, new(fakeHost), testRequest("GET", "http://x/", "")); err != ErrNoResponse {
			t.Errorf("got %v", err)
		}
		p.Close()
	}
	start()
	start()
	if kept.puts != 1 {
		t.Errorf("%d entries were put", kept.puts)
	}
	for name, entry := range kept.entries {
		kept.entries[name] = entry[:len(entry)-1]
	}
	start()
	if kept.puts != 2 {
		t.Error("what is not whole was not made again")
	}
}

// TestLargeModulesAreRefused as small ones are, by name and with the offset.
func TestLargeModulesAreRefused(t *testing.T) {
	rt := newTestRuntime(t, Options{Compiler: testCompiler()})
	for _, c := range []struct{ name, binary, want string }{
		{"decoding", string(largeModule(0x06)), fmt.Sprintf("worker.wasm: wasm module at byte %d: an instruction of the exceptions proposal is not supported", len(largeModule(0x06))-1)},
		{"validation", strings.Replace(string(largeModule(0x0b)), "\x01\x01", "\x1a\x01", 1), "worker.wasm: wasm module does not validate: "},
	} {
		_, err := rt.NewPool(t.Context(), wasmSpec([]byte(c.binary), PolicyReuse))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// TestOneFunctionIsBudgeted: a function inside all limits may take the engine a second, for the
// vectors that live over a call. It does so in a process that is ended.
func TestOneFunctionIsBudgeted(t *testing.T) {
	const vectors = 5000
	body := append(append([]byte{1}, uleb(vectors)...), 0x7b)
	for i := range vectors {
		body = append(append(body, 0x20, 0x00, 0xfd, 0x11, 0x21), uleb(i+1)...) // local.get 0  i32x4.splat  local.set
	}
	body = append(body, 0x20, 0x00, 0x10, 0x00) // local.get 0  call 0
	for i := range vectors {
		body = append(append(append(body, 0x20), uleb(i+1)...), 0xfd, 0x53, 0x1a) // local.get  v128.any_true  drop
	}
	compiler := testCompiler()
	compiler.CPU = 200 * time.Millisecond
	rt := newTestRuntime(t, Options{Compiler: compiler})
	_, err := rt.NewPool(t.Context(), wasmSpec(codeModule(1, append(body, 0x0b)), PolicyReuse))
	// On a machine that leaves the process nothing, it is the clock that ends it.
	if err == nil || !strings.HasPrefix(err.Error(), "worker.wasm: compiling it takes more than the limit of 200ms") &&
		!strings.HasPrefix(err.Error(), "worker.wasm: compiling it was not over after 2s") {
		t.Errorf("got %v", err)
	}
}
