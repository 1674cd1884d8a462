package wasmtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/wasm"
)

func TestMemoryGrows(t *testing.T) {
	m := &builder{memory: []uint32{2, 5}}
	m.function("grow", "i", "i", "", "local.get 0 memory.grow")
	m.function("size", "", "i", "", "memory.size")
	m.function("load", "i", "i", "", "local.get 0 i32.load 2 0")
	re := rewrite(t, m)
	if re.MemoryPages != 5 {
		t.Errorf("memory of %d pages is reserved, want the declared maximum of 5", re.MemoryPages)
	}
	g := newEngine(t, 1<<40).mustStart(t, re)
	const refused = 1<<32 - 1
	for _, step := range []struct {
		call      string
		arg, want uint64
	}{
		{"grow", 0, 2}, {"grow", 4, refused}, {"grow", refused, refused}, {"grow", 1, 2}, {"load", 3<<16 - 4, 0},
		{"grow", 2, 3}, {"grow", 0, 5}, {"grow", 1, refused}, {"load", 5<<16 - 4, 0},
	} {
		if got, err := g.call(step.call, step.arg); err != nil || got[0] != step.want {
			t.Errorf("%s(%d) = %v, %v; want %d", step.call, step.arg, got, err, step.want)
		}
	}
	if got, err := g.call("size"); err != nil || got[0] != 5 || g.global(re.Pages).Get() != 5 {
		t.Errorf("size %v, %v; the host sees %d", got, err, g.global(re.Pages).Get())
	}
	if _, err := g.call("load", 5<<16-3); err == nil {
		t.Error("a load behind the end of memory does not trap")
	}
}

func TestMemoryWithoutMaximumGrowsToTheLimit(t *testing.T) {
	m := &builder{memory: []uint32{0}}
	m.function("grow", "i", "i", "", "local.get 0 memory.grow")
	re := rewrite(t, m)
	if re.MemoryPages != 256 {
		t.Errorf("memory of %d pages is reserved, want MaxPages", re.MemoryPages)
	}
	g := newEngine(t, 1<<40).mustStart(t, re)
	if got, _ := g.call("grow", 256); got[0] != 0 {
		t.Errorf("growing to the limit: %d", got[0])
	}
	if got, _ := g.call("grow", 1); uint32(got[0]) != 1<<32-1 {
		t.Errorf("growing past the limit: %d", got[0])
	}
}

// TestResetState rewrites a module with something of everything that a reset has to know of.
func TestResetState(t *testing.T) {
	m := &builder{memory: []uint32{1}, table: []uint32{2}}
	m.globals = []string{"\x7f\x01\x41\x05\x0b", "\x7e\x00\x42\x05\x0b", "\x7b\x01\xfd\x0c" + strings.Repeat("\x00", 16) + "\x0b", "\x70\x01\xd0\x70\x0b"}
	m.start = 1
	m.data = []string{"\x00\x41\x08\x0b" + sized("active"), "\x01" + sized("passive"), "\x02\x00\x41\x20\x0b" + sized("more")}
	m.function("", "", "", "", "global.get 0 i32.const 1 i32.add global.set 0")
	m.function("init", "iii", "", "", "local.get 0 local.get 1 local.get 2 memory.init 1 0")
	m.function("drop", "", "", "", "data.drop 1")
	m.function("set", "", "", "", "ref.null 0x70 global.set 3")
	re := rewrite(t, m)
	if want := []string{wasm.Prefix + "global/0", wasm.Prefix + "depth", wasm.Prefix + "pages"}; !slices.Equal(re.Globals, want) {
		t.Errorf("globals %q, want %q", re.Globals, want)
	}
	if len(re.Data) != 2 || re.Data[0].Offset != 8 || string(re.Data[1].Bytes) != "more" {
		t.Errorf("data %v", re.Data)
	}
	g := newEngine(t, 1<<40).mustStart(t, re)
	if v := g.global(wasm.Prefix + "global/0").Get(); v != 6 {
		t.Errorf("global is %d after the start function, want 6", v)
	}
	if b, _ := g.Memory().Read(8, 6); string(b) != "active" {
		t.Errorf("memory is %q", b)
	}
	if _, err := g.call("init", 100, 1, 6); err != nil {
		t.Error(err)
	}
	if b, _ := g.Memory().Read(100, 6); string(b) != "assive" {
		t.Errorf("memory is %q after memory.init", b)
	}
	if g.global(re.Dirty).Get() != 0 {
		t.Error("dirty before anything was dropped")
	}
	for _, soiling := range []string{"set", "drop"} {
		g.global(re.Dirty).Set(0)
		if _, err := g.call(soiling); err != nil || g.global(re.Dirty).Get() == 0 {
			t.Errorf("not dirty after %s, %v", soiling, err)
		}
	}
	if _, err := g.call("init", 100, 0, 1); err == nil {
		t.Error("memory.init of a dropped segment does not trap")
	}
}

func TestTablesAreCapped(t *testing.T) {
	m := &builder{table: []uint32{1}}
	m.function("grow", "i", "i", "", "ref.null 0x70 local.get 0 table.grow 0")
	re := rewrite(t, m)
	g := newEngine(t, 1<<40).mustStart(t, re)
	if got, err := g.call("grow", 1_000_000); err != nil || uint32(got[0]) != 1<<32-1 {
		t.Errorf("a table of a million and one elements: %v, %v", got, err)
	}
	if got, err := g.call("grow", 1000); err != nil || got[0] != 1 || g.global(re.Dirty).Get() == 0 {
		t.Errorf("growing by 1000: %v, %v, dirty %d", got, err, g.global(re.Dirty).Get())
	}
}

// TestBulkEqualsOriginal fills and copies at random, across the sizes of pieces, and compares
// with what Go makes of it.
func TestBulkEqualsOriginal(t *testing.T) {
	const size = 8 << 16
	m := &builder{memory: []uint32{8, 8}}
	m.function("fill", "iii", "", "", "local.get 0 local.get 1 local.get 2 memory.fill")
	m.function("copy", "iii", "", "", "local.get 0 local.get 1 local.get 2 memory.copy")
	g := newEngine(t, 100_000).mustStart(t, rewrite(t, m))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	want := make([]byte, size)
	for i := range want {
		want[i] = byte(random.Uint32())
	}
	g.Memory().Write(0, want)
	for range 500 {
		to, from, n := random.Uint64N(size), random.Uint64N(size), random.Uint64N(4<<16)
		name := [...]string{"fill", "copy"}[random.IntN(2)]
		_, err := g.call(name, to, from, n)
		inside := to+n <= size && (name == "fill" || from+n <= size)
		if (err == nil) != inside {
			t.Fatalf("%s(%d, %d, %d) in %d bytes: %v", name, to, from, n, size, err)
		}
		switch {
		case !inside: // nothing may have been written
		case name == "fill":
			for i := range want[to : to+n] {
				want[to+uint64(i)] = byte(from)
			}
		default:
			copy(want[to:to+n], want[from:from+n])
		}
		if got, _ := g.Memory().Read(0, size); string(got) != string(want) {
			t.Fatalf("memory differs after %s(%d, %d, %d)", name, to, from, n)
		}
	}
}

// TestBulkStaysInVirtualMemory: what the guest has not grown into is out of bounds.
func TestBulkStaysInVirtualMemory(t *testing.T) {
	m := &builder{memory: []uint32{1, 4}}
	m.function("fill", "iii", "", "", "local.get 0 local.get 1 local.get 2 memory.fill")
	m.function("copy", "iii", "", "", "local.get 0 local.get 1 local.get 2 memory.copy")
	m.function("grow", "i", "i", "", "local.get 0 memory.grow")
	g := newEngine(t, 1<<40).mustStart(t, rewrite(t, m))
	for _, c := range []struct {
		name         string
		a, b, n      uint64
		beforeGrowth bool
	}{{"fill", 65536, 1, 0, true}, {"fill", 65535, 1, 1, true}, {"fill", 65535, 1, 2, false}, {"copy", 65536, 0, 1, false}, {"copy", 0, 65536, 1, false}, {"fill", 1<<32 - 1, 0, 1<<32 - 1, false}} {
		if _, err := g.call(c.name, c.a, c.b, c.n); (err == nil) != c.beforeGrowth {
			t.Errorf("%s(%d, %d, %d): %v", c.name, c.a, c.b, c.n, err)
		}
	}
	if _, err := g.call("grow", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := g.call("fill", 65535, 1, 2); err != nil {
		t.Errorf("after growth: %v", err)
	}
}

func TestNamesReachTheStackTrace(t *testing.T) {
	m := &builder{}
	m.imported("env", "f", "", "")
	m.function("run", "", "", "", "unreachable")
	names := sized("name") + "\x01" + sized(vector([]string{"\x00" + sized("imported_f"), "\x01" + sized("my_function")}))
	binary := append(m.binary(), section(0, names)...)
	re, err := wasm.Rewrite(binary, wasm.Options{MayImport: anyImport})
	if err != nil {
		t.Fatal(err)
	}
	if len(re.Imports) != 1 || re.Imports[0].Module != "env" {
		t.Errorf("imports %v", re.Imports)
	}
	e := newEngine(t, 1<<40)
	if _, err := e.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func() {}).Export("f").Instantiate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.mustStart(t, re).call("run"); err == nil || !strings.Contains(fmt.Sprint(err), "my_function") {
		t.Errorf("error %v", err)
	}
}
