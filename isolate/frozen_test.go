package isolate

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

const stateful = `const made = { at: "module scope", list: Array.from({ length: 20 }, (_, i) => i * i), n: 0 };
export default { fetch(request, env) { return new Response([made.at, made.list.length, made.n++, env.S].join(" ")) } }`

// bulky is a Worker whose snapshot is too unlike the base to be a skin of it.
func bulky(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "export const f%d = (a, b) => { const x%d = a * %d + b; return \"text %d\" + x%d; };\n", i, i, i, i*7919, i)
	}
	return b.String() + "export default { fetch: () => new Response(f7(1, 2)) }"
}

func frozenSpec(source string) *Spec {
	s := jsSpec(source)
	s.Env = []byte(`[{"name":"S","type":"secret_text","text":"the secret"}]`)
	return s
}

func TestFrozen(t *testing.T) {
	for _, c := range []struct {
		name, source string
		first        string
		skin         bool
	}{
		{"small", stateful, "200 module scope 20 0 the secret", true},
		{"bulky", bulky(1500), "200 text 5543359", false},
	} {
		for _, policy := range []Policy{PolicyReuse, PolicyRequest} {
			spec := frozenSpec(c.source)
			spec.Policy = policy
			p := newTestPool(t, spec)
			if skin := p.snapshot.image.base != nil; skin != c.skin {
				t.Fatalf("%s: the snapshot is a skin: %v", c.name, skin)
			}
			spec.Modules, spec.Frozen = nil, p.Freeze()
			thawed := newTestPool(t, spec)
			want := p.Info()
			want.Thawed = true
			if got := thawed.Info(); got != want {
				t.Errorf("%s: got %+v, want %+v", c.name, got, want)
			}
			sameImage(t, p.snapshot, thawed.snapshot)
			for range 2 {
				first, err := ask(p, new(fakeHost), testRequest("GET", "http://x/", ""))
				second, errT := ask(thawed, new(fakeHost), testRequest("GET", "http://x/", ""))
				if err != nil || errT != nil || second != first {
					t.Errorf("%s: %q %v, thawed %q %v", c.name, first, err, second, errT)
				}
			}
			if again := thawed.Freeze(); !bytes.Equal(again, spec.Frozen) {
				t.Errorf("%s: frozen again it is another", c.name)
			}
			t.Logf("%s: %d KiB of pages, %d KiB frozen", c.name, want.ImageBytes>>10, len(spec.Frozen)>>10)
		}
	}
}

func sameImage(t *testing.T, a, b *snapshot) {
	t.Helper()
	same := a.image.size == b.image.size && (a.image.base == nil) == (b.image.base == nil) && a.io == b.io && a.entry == b.entry
	if !same || !bytes.Equal(a.image.own.bytes, b.image.own.bytes) || fmt.Sprint(a.image.pages, a.globals) != fmt.Sprint(b.image.pages, b.globals) {
		t.Error("the snapshots differ")
	}
}

// A frozen snapshot is taken for what it is, or not at all.
func TestStaleFrozen(t *testing.T) {
	p := newTestPool(t, frozenSpec(stateful))
	frozen := p.Freeze()
	rt := jsRuntime(t)
	enc, dec := codec()
	raw, err := dec.DecodeAll(frozen, nil)
	if err != nil {
		t.Fatal(err)
	}
	thaw := func(what string, frozen []byte, change func(*Spec)) {
		t.Helper()
		s := frozenSpec("")
		s.Frozen = frozen
		change(s)
		if p, err := rt.NewPool(t.Context(), s); !errors.Is(err, ErrStale) {
			t.Errorf("%s: got %v, %v", what, p, err)
		}
	}
	nothing := func(*Spec) {}
	thaw("nothing", []byte{}, nothing)
	thaw("another env", frozen, func(s *Spec) { s.Env = nil })
	thaw("another heap", frozen, func(s *Spec) { s.Memory = 32 << 20 })
	thaw("another main module", frozen, func(s *Spec) { s.Main = "main.js" })
	thaw("a later format", enc.EncodeAll(append([]byte{frozenFormat + 1}, raw[1:]...), nil), nothing)
	thaw("more", enc.EncodeAll(append(bytes.Clone(raw), 0), nil), nothing)
	for _, n := range []int{0, 1, 32, 33, 34, 40, 60, len(raw) - pageSize, len(raw) - 1} {
		thaw(fmt.Sprint("cut at ", n), enc.EncodeAll(raw[:n], nil), nothing)
	}
}

// Whatever the bytes behind the identity are, thawing ends in a pool or an error. What is thawed
// is authenticated before; that it is not run here is the point.
func TestDamagedFrozen(t *testing.T) {
	p := newTestPool(t, frozenSpec(stateful))
	enc, dec := codec()
	raw, err := dec.DecodeAll(p.Freeze(), nil)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	used := p.rt.slabs.used()
	for range 300 {
		b := bytes.Clone(raw)
		for range 1 + r.IntN(4) {
			b[33+r.IntN(100)] = byte(r.Uint32())
		}
		s := frozenSpec("")
		s.Frozen = enc.EncodeAll(b, nil)
		p, err := jsRuntime(t).NewPool(t.Context(), s)
		if err == nil {
			p.Close()
		} else if !errors.Is(err, ErrStale) {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if got := p.rt.slabs.used(); got != used {
		t.Errorf("seed %d: images took %d bytes, now %d", seed, used, got)
	}
}

func TestWasmIsNotFrozen(t *testing.T) {
	p := poolOf(t, wasmRuntime(t), wasmSpec(aModule(withHandle), PolicyReuse))
	if p.Freeze() != nil {
		t.Error("it is")
	}
	s := wasmSpec(nil, PolicyReuse)
	s.Frozen = []byte("x")
	if _, err := p.rt.NewPool(t.Context(), s); err != errNoJavaScript {
		t.Errorf("got %v", err)
	}
}

// A cold start from the frozen snapshot, beside one from the source.
func BenchmarkColdStart(b *testing.B) {
	for _, c := range []struct{ name, source string }{
		{"hello", `export default { fetch: () => new Response("Hello World") }`}, {"11KB", bulky(140)}, {"110KB", bulky(1300)},
	} {
		p, err := jsRuntime(b).NewPool(b.Context(), jsSpec(c.source))
		if err != nil {
			b.Fatal(err)
		}
		frozen := jsSpec("")
		frozen.Frozen = p.Freeze()
		b.Run(c.name+"/freeze", func(b *testing.B) {
			for b.Loop() {
				p.Freeze()
			}
			b.ReportMetric(float64(len(c.source)), "source-B")
			b.ReportMetric(float64(len(frozen.Frozen)), "frozen-B")
		})
		p.Close()
		for name, spec := range map[string]*Spec{"evaluate": jsSpec(c.source), "thaw": frozen} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					p, err := jsRuntime(b).NewPool(b.Context(), spec)
					if err != nil {
						b.Fatal(err)
					}
					p.Close()
				}
			})
		}
	}
}
