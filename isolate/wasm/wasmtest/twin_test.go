package wasmtest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/wasm"
)

// FuzzTwins: a generated module, as it is and rewritten, does the same, and no frame takes more
// than it is counted for.
func FuzzTwins(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(20) {
		f.Add(randomChoices(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		if len(choices) > 2000 {
			return
		}
		binary := generate(choices).binary()
		newTwin(t, binary, true).compare(t, choices)
		re, err := wasm.Rewrite(binary, wasm.Options{MaxPages: maxPages})
		if err != nil {
			t.Fatal(err)
		}
		framesAreCounted(t, re)
	})
}

// FuzzTwinsOfAny does so for whatever modules the engine accepts. The seeds are what once broke
// the engine, and the modules of the specification's tests.
func FuzzTwinsOfAny(f *testing.F) {
	for _, pattern := range []string{"fuzzcases/testdata/*.wasm", "spectest/v1/testdata/*.0.wasm", "spectest/v2/testdata/*.0.wasm"} {
		paths, _ := filepath.Glob(filepath.Join(engineModule(), "internal/integration_test", pattern))
		for _, path := range paths {
			add(f, readFile(f, path), []byte{1, 2, 3})
		}
	}
	f.Fuzz(func(t *testing.T, binary, arguments []byte) {
		if w := newTwin(t, binary, false); w != nil {
			w.compare(t, arguments)
		}
	})
}

// TestTwins compares many generated modules. Its seed is printed.
func TestTwins(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	calls := 0
	for i := range uint64(150) {
		choices := randomChoices(seed + i)
		calls += newTwin(t, generate(choices).binary(), true).compare(t, choices)
		if t.Failed() {
			t.Fatalf("seed %d", seed+i)
		}
	}
	t.Logf("%d calls compared", calls)
}

func randomChoices(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	choices := make([]byte, random.IntN(2000))
	for i := range choices {
		choices[i] = byte(random.Uint32())
	}
	return choices
}

// twin is a module as it is and rewritten.
type twin struct {
	raw       api.Module
	rewritten *guest
}

// newTwin returns nil for what cannot be compared, unless it must.
func newTwin(t *testing.T, binary []byte, must bool) *twin {
	ctx := context.Background()
	re, err := wasm.Rewrite(binary, wasm.Options{MaxPages: maxPages})
	if err != nil && must {
		t.Fatal(err)
	}
	if err != nil || re.Start != "" {
		return nil
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(maxPages).WithCloseOnContextDone(true))
	t.Cleanup(func() { r.Close(ctx) })
	e := newEngine(t, 100_000)
	e.kill = 50
	raw, err := r.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	g, err2 := e.start(re, "")
	if (err == nil) != (err2 == nil) && (err == nil || !strings.Contains(err.Error(), "custom section")) {
		t.Fatalf("the original: %v; rewritten: %v", err, err2)
	}
	if err != nil || err2 != nil {
		if must {
			t.Fatal(err)
		}
		return nil
	}
	return &twin{raw, g}
}

// compare calls what is exported, and returns how often. The rewritten module goes first: what
// has to be ended does so there, and then there is nothing more to compare.
func (w *twin) compare(t *testing.T, arguments []byte) (calls int) {
	for range 3 {
		for _, x := range w.rewritten.re.Exports {
			if x.Kind != wasm.KindFunction || strings.ContainsAny(string(append(x.Params, x.Results...)), "\x70\x6f") {
				continue
			}
			var args []uint64
			for _, p := range x.Params {
				args = append(args, argument(p, &arguments)...)
			}
			if !w.call(t, x.Name, args) {
				return calls
			}
			calls++
		}
	}
	return calls
}

func (w *twin) call(t *testing.T, name string, args []uint64) (comparable bool) {
	got, err := w.rewritten.call(name, args...)
	if errors.Is(err, errKilled) || errors.Is(err, errDeep) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	want, wantErr := w.raw.ExportedFunction(name).Call(ctx, args...)
	re := w.rewritten.re
	if re.Pages != "" && uint32(w.rewritten.global(re.Pages).Get()) < re.MemoryPages {
		return false // what is read behind the virtual size is another zero
	}
	if firstLine(err) != firstLine(wantErr) {
		t.Fatalf("%s(%x): error %q, rewritten %q", name, args, firstLine(wantErr), firstLine(err))
	}
	if err == nil && !sameResults(want, got) {
		t.Fatalf("%s(%x) = %x, rewritten %x", name, args, want, got)
	}
	if re.Pages != "" {
		a, _ := w.raw.Memory().Read(0, w.raw.Memory().Size())
		b, _ := w.rewritten.Memory().Read(0, w.raw.Memory().Size())
		if !bytes.Equal(a, b) {
			t.Fatalf("memory differs after %s(%x)", name, args)
		}
	}
	return true
}

// sameResults compares results, of which NaNs may have any payload.
func sameResults(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	return same(a, b, make([]value, len(a)))
}

// argument makes one of bytes; a vector takes two words.
func argument(typ byte, from *[]byte) []uint64 {
	pick := func() uint64 {
		if len(*from) == 0 {
			return 1
		}
		c := (*from)[0]
		*from = (*from)[1:]
		edges := []uint64{0, 1, 2, 7, 255, 65535, 65536, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1<<63 - 1, 1 << 63, 1<<64 - 1, 0x7ff0000000000000, 0x3ff0000000000000, 0x3f800000}
		return edges[int(c)%len(edges)]
	}
	switch typ {
	case 0x7f, 0x7d:
		return []uint64{uint64(uint32(pick()))}
	case 0x7b:
		return []uint64{pick(), pick()}
	}
	return []uint64{pick()}
}

func framesAreCounted(t *testing.T, re *wasm.Rewritten) {
	if runtime.GOARCH != "amd64" {
		return
	}
	for i, real := range realFrames(t, re.Binary)[:len(re.Frames)] {
		if counted := re.Frames[i]; float64(real) > most*float64(counted) {
			t.Errorf("function %d: a frame of %d bytes is counted with %d", i, real, counted)
		}
	}
}
