package isolate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain is also the compiler's process of this test binary.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "compile" {
		if err := CompileStdin(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func testCompiler() Compiler {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Compiler{Command: []string{program, "compile"}}
}

// memoryDerived is a Derived without a disk.
type memoryDerived struct {
	sync.Mutex
	entries map[string][]byte
	puts    int
}

func (d *memoryDerived) Get(name string) ([]byte, bool) {
	d.Lock()
	defer d.Unlock()
	value, ok := d.entries[name]
	return value, ok
}

func (d *memoryDerived) Put(name string, value []byte) {
	d.Lock()
	defer d.Unlock()
	if d.entries == nil {
		d.entries = map[string][]byte{}
	}
	d.entries[name] = value
	d.puts++
}

func newTestRuntime(t *testing.T, o Options) *Runtime {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	rt, err := NewRuntime(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := len(rt.modules.byKey); n != 0 {
			t.Errorf("%d modules are left", n)
		}
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// slowModule has functions of many loops each, which take the compiler long for their size.
func slowModule(functions, loops int) []byte {
	body := []byte{0}
	for range loops {
		body = append(body, 0x03, 0x40, 0x0b) // loop end
	}
	return codeModule(functions, append(body, 0x0b))
}

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// codeModule has the same body, locals and all, for each of its functions, which take an i32.
func codeModule(functions int, body []byte) []byte {
	section := func(b []byte, id byte, content ...[]byte) []byte {
		all := bytes.Join(content, nil)
		return append(append(append(b, id), uleb(len(all))...), all...)
	}
	code := append(uleb(len(body)), body...)
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = section(b, 1, []byte{1}, signature(string([]byte{i32}), ""))
	b = section(b, 3, uleb(functions), make([]byte, functions))
	b = section(b, 5, []byte{1, 0, 1})
	b = section(b, 7, []byte{2}, named("memory"), []byte{2, 0}, named("handle"), []byte{0, 0})
	return section(b, 10, uleb(functions), bytes.Repeat(code, functions))
}

func TestCompiledAside(t *testing.T) {
	kept := new(memoryDerived)
	rt := newTestRuntime(t, Options{Compiler: testCompiler(), Derived: kept})
	start := func() {
		t.Helper()
		p, err := rt.NewPool(t.Context(), wasmSpec(aModule(withHandle), PolicyReuse))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ask(p, new(fakeHost), testRequest("GET", "http://x/", "")); err != ErrNoResponse {
			t.Errorf("got %v", err)
		}
		p.Close()
	}
	start()
	if kept.puts != 1 {
		t.Fatalf("%d entries were put", kept.puts)
	}
	for name := range kept.entries {
		if hash, ok := CodeOf(name); !ok || !strings.Contains(name, hash) {
			t.Errorf("CodeOf(%q) = %q, %v", name, hash, ok)
		}
	}
	start()
	if kept.puts != 1 {
		t.Error("what was kept was compiled again")
	}
}

// What is kept and is not this module's code is made again.
func TestForeignCode(t *testing.T) {
	kept := new(memoryDerived)
	rt := newTestRuntime(t, Options{Compiler: testCompiler(), Derived: kept})
	compile := func(binary []byte) string {
		t.Helper()
		m, err := rt.compile(t.Context(), binary, 1<<20, guestDepth, guestRules)
		if err != nil {
			t.Fatal(err)
		}
		defer m.close()
		return m.key.name()
	}
	one := compile(aModule(withHandle))
	other := compile(slowModule(1, 1))
	good := kept.entries[one]
	oldWazero := bytes.Clone(good)
	copy(oldWazero[len(nativeKey{})+7:], "0.0.1")
	otherCPU := bytes.Clone(good)
	otherCPU[3]++
	for name, entry := range map[string][]byte{
		"empty": {}, "short": good[:20], "key only": good[:32], "another module's": kept.entries[other],
		"another wazero's": oldWazero, "another CPU's": otherCPU,
	} {
		kept.entries[one], kept.puts = entry, 0
		compile(aModule(withHandle))
		if kept.puts != 1 || !bytes.Equal(kept.entries[one], good) {
			t.Errorf("%s: the entry was not made again", name)
		}
	}
}

func TestCompileBudgets(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Compiler)
		binary []byte
		want   string
	}{
		{"CPU", func(c *Compiler) { c.CPU = 100 * time.Millisecond }, slowModule(50, 1900), "worker.wasm: compiling it takes more than the limit of 100ms of CPU time"},
		{"memory", func(c *Compiler) { c.Memory = 64 << 20 }, slowModule(990, 200), "worker.wasm: compiling it takes more than the limit of 64 MiB of memory"},
		{"crash", func(c *Compiler) { c.Command = []string{"/bin/sh", "-c", "kill -SEGV $$"} }, aModule(withHandle), "worker.wasm: the compiler failed on it"},
		{"complaint", func(c *Compiler) { c.Command = []string{"/bin/sh", "-c", "echo no >&2; exit 1"} }, aModule(withHandle), "worker.wasm: compiling it failed: no"},
		{"nothing", func(c *Compiler) { c.Command = []string{"/bin/true"} }, aModule(withHandle), "worker.wasm: compiled wasm module: no native code is at hand"},
		{"no program", func(c *Compiler) { c.Command = []string{"/does/not/exist"} }, aModule(withHandle), errCompiler.Error() + ": fork/exec /does/not/exist: no such file or directory"},
		{"invalid", func(*Compiler) {}, aModule(func(m *binaryModule) {
			m.export("memory", 2, 0)
			m.export("handle", 0, m.function(string([]byte{i32}), "", 0x6a))
		}), "worker.wasm: wasm module does not validate"},
	} {
		if c.name == "memory" && raceEnabled {
			continue // the race detector takes more than any limit
		}
		compiler := testCompiler()
		c.change(&compiler)
		rt := newTestRuntime(t, Options{Compiler: compiler})
		_, err := rt.NewPool(t.Context(), wasmSpec(c.binary, PolicyReuse))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// A compilation that nobody waits for any more is ended.
func TestCompilationIsGivenUp(t *testing.T) {
	compiler := testCompiler()
	compiler.Command = []string{"/bin/sleep", "60"}
	rt := newTestRuntime(t, Options{Compiler: compiler})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := rt.NewPool(ctx, wasmSpec(aModule(withHandle), PolicyReuse))
		first <- err
	}()
	waitFor(t, "the process", func() bool { return len(rt.compiler.turns) == 1 })
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	waitFor(t, "its end", func() bool { return len(rt.compiler.turns) == 0 })
}

func TestTooManyWaitForTheCompiler(t *testing.T) {
	compiler := testCompiler()
	compiler.Command = []string{"/bin/sleep", "60"}
	rt := newTestRuntime(t, Options{Compiler: compiler})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range maxCompiling + 1 {
		all.Go(func() { rt.NewPool(ctx, wasmSpec(slowModule(1, i), PolicyReuse)) })
	}
	waitFor(t, "the queue", func() bool { return rt.compiler.waiting.Load() == maxCompiling })
	if _, err := rt.NewPool(ctx, wasmSpec(aModule(withHandle), PolicyReuse)); !errors.Is(err, ErrCompiling) {
		t.Errorf("got %v", err)
	}
	cancel()
	all.Wait()
	waitFor(t, "the end of all", func() bool { return len(rt.compiler.turns) == 0 })
}

// Versions of equal bytes share the code, whenever they come and go.
func TestModulesAreShared(t *testing.T) {
	kept := new(memoryDerived)
	rt := newTestRuntime(t, Options{Compiler: testCompiler(), Derived: kept})
	binaries := [][]byte{slowModule(1, 3), slowModule(1, 4), slowModule(2, 3)}
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			for j := range 8 {
				p, err := rt.NewPool(t.Context(), wasmSpec(binaries[(i+j)%len(binaries)], PolicyReuse))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := ask(p, new(fakeHost), testRequest("GET", "http://x/", "")); err != ErrNoResponse {
					t.Errorf("got %v", err)
				}
				p.Close()
			}
		})
	}
	all.Wait()
	if kept.puts != len(binaries) {
		t.Errorf("%d compilations of %d modules", kept.puts, len(binaries))
	}
	a, errA := rt.compile(t.Context(), binaries[0], 1<<20, guestDepth, guestRules)
	b, errB := rt.compile(t.Context(), binaries[0], 1<<20, guestDepth, guestRules)
	c, errC := rt.compile(t.Context(), binaries[0], 2<<20, guestDepth, guestRules)
	if err := errors.Join(errA, errB, errC); err != nil {
		t.Fatal(err)
	}
	if a != b || a == c {
		t.Errorf("shared: %v, and with another memory: %v", a == b, a == c)
	}
	a.close()
	b.close()
	c.close()
}
