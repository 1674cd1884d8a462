package wasmtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"switchyard/isolate/wasm"
)

// goReactor compiles testdata/reactor to wasm.
func goReactor(t testing.TB) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "reactor.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/reactor")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	return readFile(t, out)
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func timedRewrite(t testing.TB, binary []byte, o wasm.Options) *wasm.Rewritten {
	t.Helper()
	began := time.Now()
	re, err := wasm.Rewrite(binary, o)
	if err != nil {
		t.Fatal(err)
	}
	data := 0
	for _, d := range re.Data {
		data += len(d.Bytes)
	}
	t.Logf("%d bytes, %d of them data in %d segments, rewritten to %d in %v", len(binary), data, len(re.Data), len(re.Binary), time.Since(began))
	return re
}

func TestGoReactor(t *testing.T) {
	binary, ctx := goReactor(t), context.Background()
	re := timedRewrite(t, binary, wasm.Options{MaxPages: maxPages, MayImport: anyImport})
	raw := wazero.NewRuntime(ctx)
	defer raw.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, raw)
	m, err := raw.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, 1_500_000)
	wasi_snapshot_preview1.MustInstantiate(ctx, e.Runtime)
	g := e.mustStart(t, re)
	if _, err := g.call("_initialize"); err != nil {
		t.Fatal(err)
	}
	want, err := m.ExportedFunction("work").Call(ctx, 50)
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.call("work", 50)
	if err != nil || got[0] != want[0] {
		t.Fatalf("work(50) = %v, %v, want %v", got, err, want)
	}
	t.Logf("%d yields", e.yields)
	e.kill = 3
	if _, err := g.call("work", 1<<30); !errors.Is(err, errKilled) {
		t.Errorf("error %v", err)
	}
}

// TestQuickJS rewrites the npm package's engine, which the JavaScript room builds on.
func TestQuickJS(t *testing.T) {
	path := "../../js/node_modules/quickjs-wasi/quickjs.wasm"
	if _, err := os.Stat(path); err != nil {
		t.Skip("the quickjs-wasi package is not installed")
	}
	binary := readFile(t, path)
	re := timedRewrite(t, binary, wasm.Options{MaxPages: maxPages, MaxDepth: 8 << 20, MayImport: anyImport})
	e := newEngine(t, 1_500_000)
	compiled, err := e.CompileModule(context.Background(), re.Binary)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(compiled.ImportedFunctions()); n != len(re.Imports)+2 {
		t.Errorf("%d functions are imported, want %d", n, len(re.Imports)+2)
	}
	if len(re.Globals) < 3 || re.MemoryPages != maxPages {
		t.Errorf("globals %v, memory of %d pages", re.Globals, re.MemoryPages)
	}
}

// BenchmarkGoReactor compares the run time of the original and of the rewritten module.
func BenchmarkGoReactor(b *testing.B) {
	binary, ctx := goReactor(b), context.Background()
	raw := wazero.NewRuntime(ctx)
	defer raw.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, raw)
	m, err := raw.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		b.Fatal(err)
	}
	e := newEngine(b, 1_500_000)
	wasi_snapshot_preview1.MustInstantiate(ctx, e.Runtime)
	g := e.mustStart(b, timedRewrite(b, binary, wasm.Options{MaxPages: maxPages, MayImport: anyImport}))
	if _, err := g.call("_initialize"); err != nil {
		b.Fatal(err)
	}
	var original, rewritten time.Duration
	for b.Loop() { // interleaved, so that the machine's mood falls on both
		began := time.Now()
		if _, err := m.ExportedFunction("work").Call(ctx, 20); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if _, err := g.call("work", 20); err != nil {
			b.Fatal(err)
		}
		original += middle.Sub(began)
		rewritten += time.Since(middle)
	}
	b.ReportMetric(float64(rewritten)/float64(original), "ratio")
}
