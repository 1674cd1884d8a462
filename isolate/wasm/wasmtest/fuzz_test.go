package wasmtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"switchyard/isolate/wasm"
)

// FuzzRewrite: what Rewrite accepts, the engine compiles if and only if it compiles the
// original, and never panics. The seeds are modules that once broke the engine, and runaways.
func FuzzRewrite(f *testing.F) {
	cases, _ := filepath.Glob(filepath.Join(engineModule(), "internal/integration_test/fuzzcases/testdata/*.wasm"))
	for _, path := range cases {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		add(f, b)
	}
	for _, build := range runaways {
		m := &builder{memory: []uint32{1}}
		build(m)
		add(f, m.binary())
	}
	e := newEngine(f, 1_500_000)
	f.Fuzz(func(t *testing.T, binary []byte) {
		re, err := wasm.Rewrite(binary, wasm.Options{MaxPages: 16, MayImport: anyImport})
		if err != nil {
			return
		}
		rewritten, err := e.CompileModule(context.Background(), re.Binary)
		if err == nil {
			rewritten.Close(context.Background())
		}
		raw, rawErr := e.CompileModule(context.Background(), binary)
		if rawErr == nil {
			raw.Close(context.Background())
		}
		if rawErr != nil && strings.Contains(rawErr.Error(), "custom section") {
			return // we drop them
		}
		if (err == nil) != (rawErr == nil) {
			t.Errorf("the original: %v; rewritten: %v", rawErr, err)
		}
	})
}

// add leaves out what a compiler that is slowed by the fuzzer's instrumentation takes long for.
func add(f *testing.F, seed []byte, more ...any) {
	if len(seed) < 4<<10 {
		f.Add(append([]any{seed}, more...)...)
	}
}

// engineModule is the folder of the engine's module, with its tests.
func engineModule() string {
	dir, _ := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	return strings.TrimSpace(string(dir))
}
