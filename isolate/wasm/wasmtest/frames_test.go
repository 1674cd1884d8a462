package wasmtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"switchyard/isolate/wasm"
)

// realFrames compiles a module and reads how many bytes of stack each of its functions asks for,
// out of the machine code: every function begins with a check that there is as much left.
func realFrames(t testing.TB, module []byte) []int64 {
	t.Helper()
	dir := t.TempDir()
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close(t.Context())
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache))
	defer r.Close(t.Context())
	if _, err := r.CompileModule(t.Context(), module); err != nil {
		t.Fatal(err)
	}
	var entry []byte
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			entry = readFile(t, path)
		}
		return err
	})
	return entryFrames(t, entry)
}

// entryFrames reads a cache entry: magic, version, offsets of the functions, machine code.
func entryFrames(t testing.TB, entry []byte) []int64 {
	if !bytes.HasPrefix(entry, []byte("WAZEVO")) {
		t.Fatal("unknown form of a cache entry")
	}
	p := 7 + int(entry[6])
	n := int(binary.LittleEndian.Uint32(entry[p:]))
	offsets := entry[p+4:]
	code := offsets[8*n+8:]
	frames := make([]int64, n)
	for i := range frames {
		frames[i] = prologue(t, code[binary.LittleEndian.Uint64(offsets[8*i:]):])
	}
	return frames
}

func prologue(t testing.TB, code []byte) int64 {
	const enter = "\x55\x48\x89\xe5\x48" // push rbp; mov rbp, rsp; then sub rsp
	switch {
	case bytes.HasPrefix(code, []byte(enter+"\x83\xec")):
		return int64(code[7])
	case bytes.HasPrefix(code, []byte(enter+"\x81\xec")):
		return int64(binary.LittleEndian.Uint32(code[7:]))
	}
	t.Fatalf("unknown prologue % x", code[:16])
	return 0
}

// shapes are functions that call themselves with a frame as large as they can make it.
var shapes = map[string]func(m *builder, n int){
	"operands over a call": func(m *builder, n int) {
		m.function("run", "", "i", "", strings.Repeat("i32.const 8 i32.load 2 0 ", n)+"call 0 "+strings.Repeat("i32.add ", n))
	},
	"locals over a call": func(m *builder, n int) {
		m.function("run", "", "i", strings.Repeat("i", n), each(n, "i32.const 8 i32.load 2 0 local.set %d ")+"call 0 "+each(n, "local.get %d i32.add "))
	},
	"one local after the other": func(m *builder, n int) { // each value lives over one call
		m.function("run", "", "i", "i", strings.Repeat("i32.const 8 i32.load 2 0 local.set 0 call 0 local.get 0 i32.add local.set 0 ", n)+"local.get 0")
	},
	"vectors": func(m *builder, n int) {
		m.function("run", "", "i", strings.Repeat("v", n), each(n, "i32.const 8 v128.load 4 0 local.set %d ")+
			"call 0 "+each(n, "local.get %d i32x4.extract_lane 0 i32.add "))
	},
	"parameters": func(m *builder, n int) {
		n = min(n, 1000)
		m.function("run", strings.Repeat("I", n), strings.Repeat("I", n), "", each(n, "local.get %d ")+"call 0")
	},
	"parameters through a table": func(m *builder, n int) {
		n = min(n, 1000)
		m.table, m.elements = []uint32{1}, []uint32{0}
		m.function("run", strings.Repeat("F", n), strings.Repeat("F", n), "", each(n, "local.get %d ")+"i32.const 0 call_indirect 0 0")
	},
	"a window of values": func(m *builder, n int) { // no call lies between, but there are more than registers
		const window = 40
		var code strings.Builder
		for i := range n {
			fmt.Fprintf(&code, "local.get %d i32.const 8 i32.load 2 0 i32.add local.set %d ", (i+1)%window, i%window)
		}
		m.function("run", "", "i", strings.Repeat("i", window), code.String()+"call 0")
	},
	"a window of operands": func(m *builder, n int) {
		m.function("run", "", "i", "i", strings.Repeat(strings.Repeat("i32.const 8 i32.load 2 0 ", 30)+strings.Repeat("i32.add ", 30)[8:]+"local.get 0 i32.add local.set 0 ", n/30+1)+"call 0")
	},
	"merges": func(m *builder, n int) {
		k := n / 10
		m.function("run", "i", "i", strings.Repeat("i", 10), strings.Repeat("local.get 0 if "+each(10, "local.get 0 i32.load 2 0 local.set %d ")+
			"else "+each(10, "local.get 0 i32.load 2 4 local.set %d ")+"end local.get 0 call 0 local.set 0 "+each(10, "local.get 0 local.get %d i32.add local.set 0 "), k)+"local.get 0")
	},
	"merges that skip": func(m *builder, n int) {
		k := n / 10
		m.function("run", "i", "i", strings.Repeat("i", 10), strings.Repeat("block local.get 0 br_if 0 "+each(10, "local.get 0 i32.load 2 0 local.set %d ")+
			"local.get 0 call 0 local.set 0 end ", k)+"local.get 0 "+each(10, "local.get %d i32.add "))
	},
	"nested merges": func(m *builder, n int) {
		k := n / 10
		m.function("run", "i", "i", strings.Repeat("i", 10), strings.Repeat("block ", k)+strings.Repeat("local.get 0 br_if 0 "+each(10, "local.get 0 i32.load 2 0 local.set %d ")+
			"local.get 0 call 0 local.set 0 end ", k)+"local.get 0 "+each(10, "local.get %d i32.add "))
	},
	"loops": func(m *builder, n int) {
		k := n / 10
		m.function("run", "i", "i", strings.Repeat("i", 10), strings.Repeat("loop local.get 0 br_if 0 "+each(10, "local.get %[1]d i32.const 1 i32.add local.set %[1]d ")+
			"local.get 0 call 0 local.tee 0 br_if 0 end ", k)+"local.get 0 "+each(10, "local.get %d i32.add "))
	},
	"nested loops": func(m *builder, n int) {
		k := n / 10
		m.function("run", "i", "i", strings.Repeat("i", 10), strings.Repeat("loop ", k)+strings.Repeat(each(10, "local.get %[1]d i32.const 1 i32.add local.set %[1]d ")+
			"local.get 0 call 0 local.tee 0 br_if 0 end ", k)+"local.get 0 "+each(10, "local.get %d i32.add "))
	},
	"memory and globals over merges": func(m *builder, n int) {
		for range 10 {
			m.globals = append(m.globals, "\x7f\x01\x41\x05\x0b")
		}
		m.function("run", "i", "i", "", strings.Repeat("local.get 0 if local.get 0 call 0 local.set 0 end local.get 0 i32.load 2 0 "+each(10, "global.get %d i32.add ")+"local.set 0 ", n/10)+"local.get 0")
	},
	"globals that are kept": func(m *builder, n int) {
		for range n {
			m.globals = append(m.globals, "\x7f\x01\x41\x05\x0b")
		}
		m.function("run", "i", "i", "", each(n, "global.get %d ")+"local.get 0 call 0 "+strings.Repeat("i32.add ", n))
	},
}

// each repeats a text with the numbers from 0 on.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// most is how many times its counted bytes a frame may take: what the depth limit is worth.
const most = 1.5

// TestFramesAreCounted compares what the depth limit counts for a function with what the engine
// made of it.
func TestFramesAreCounted(t *testing.T) {
	for name, build := range shapes {
		for _, n := range []int{10, 30, 100, 1000} {
			m := &builder{memory: []uint32{1}}
			build(m, n)
			re := rewrite(t, m)
			real, counted := realFrames(t, re.Binary)[0], re.Frames[0]
			t.Logf("%-30s %4d: %5d bytes, counted %5d", name, n, real, counted)
			if float64(real) > most*float64(counted) {
				t.Errorf("%s, %d: a frame of %d bytes is counted with %d", name, n, real, counted)
			}
		}
	}
}

// TestCompiledCodeIsCounted does so for what compilers emit, where it matters as well that frames
// are not counted for much more than they are.
func TestCompiledCodeIsCounted(t *testing.T) {
	binaries := map[string][]byte{"Go": goReactor(t)}
	if engine, err := os.ReadFile("../../js/engine/engine.wasm"); err == nil {
		binaries["QuickJS"] = engine
	}
	for name, binary := range binaries {
		re, err := wasm.Rewrite(binary, wasm.Options{MaxPages: maxPages, MayImport: anyImport})
		if err != nil {
			t.Fatal(err)
		}
		real := realFrames(t, re.Binary)
		var sum, counted, under int64
		worst := 0.0
		for i, f := range re.Frames {
			sum, counted = sum+real[i], counted+int64(f)
			if ratio := float64(real[i]) / float64(f); ratio > 1 {
				under, worst = under+1, max(worst, ratio)
			}
		}
		t.Logf("%s: %d functions, frames of %d bytes in all and %d at most, counted %d and %d; %d counted with too little, at worst %.2f times",
			name, len(re.Frames), sum, slices.Max(real), counted, slices.Max(re.Frames), under, worst)
		if worst > most || counted > 4*sum {
			t.Errorf("%s: frames are miscounted", name)
		}
	}
}
