package isolate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/abi"
)

// binaryModule assembles small modules, section by section.
type binaryModule struct{ types, imports, functions, exports, code [][]byte }

const (
	i32 = abi.I32
	i64 = abi.I64
)

func signature(params, results string) []byte {
	b := append([]byte{0x60, byte(len(params))}, params...)
	return append(append(b, byte(len(results))), results...)
}

func named(s string) []byte { return append([]byte{byte(len(s))}, s...) }

// function adds one with a type of its own and returns its index.
func (m *binaryModule) function(params, results string, body ...byte) byte {
	m.types = append(m.types, signature(params, results))
	m.functions = append(m.functions, []byte{byte(len(m.types) - 1)})
	m.code = append(m.code, append([]byte{byte(len(body) + 2), 0}, append(body, 0x0b)...))
	return byte(len(m.imports) + len(m.functions) - 1)
}

func (m *binaryModule) importFunction(module, name, params, results string) {
	m.types = append(m.types, signature(params, results))
	m.imports = append(m.imports, bytes.Join([][]byte{named(module), named(name), {0, byte(len(m.types) - 1)}}, nil))
}

func (m *binaryModule) export(name string, kind, index byte) {
	m.exports = append(m.exports, append(named(name), kind, index))
}

func (m *binaryModule) bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, items [][]byte) {
		body := append([]byte{byte(len(items))}, bytes.Join(items, nil)...)
		b = append(append(b, id, byte(len(body))), body...)
	}
	section(1, m.types)
	section(2, m.imports)
	section(3, m.functions)
	section(5, [][]byte{{0, 1}})
	section(7, m.exports)
	section(10, m.code)
	return b
}

// aModule has a memory and what change adds.
func aModule(change func(m *binaryModule)) []byte {
	m := new(binaryModule)
	change(m)
	return m.bytes()
}

func withHandle(m *binaryModule) {
	m.export("memory", 2, 0)
	m.export("handle", 0, m.function(string([]byte{i32}), ""))
}

func TestRefusedWasm(t *testing.T) {
	rt := wasmRuntime(t)
	p32 := string([]byte{i32})
	spin := []byte{0x03, 0x40, 0x0c, 0, 0x0b} // loop br 0 end
	for _, c := range []struct {
		name   string
		source []byte
		env    string
		want   string
	}{
		{"not wasm", []byte("export default {}"), "", "worker.wasm: wasm module at byte 0"},
		{"cut off", aModule(withHandle)[:40], "", "at byte"},
		{"no handle", aModule(func(m *binaryModule) { m.export("memory", 2, 0) }), "", `does not export the function "handle"`},
		{"no memory", aModule(func(m *binaryModule) { m.export("handle", 0, m.function(p32, "")) }), "", `does not export its memory as "memory"`},
		{"handle of another type", aModule(func(m *binaryModule) {
			m.export("memory", 2, 0)
			m.export("handle", 0, m.function("", ""))
		}), "", `"handle" is not a function of type (i32) -> ()`},
		{"handle is a memory", aModule(func(m *binaryModule) { m.export("handle", 2, 0) }), "", `"handle" is not a function`},
		{"reseed of another type", aModule(func(m *binaryModule) {
			withHandle(m)
			m.export("switchyard_reseed", 0, m.function(p32, ""))
		}), "", `"switchyard_reseed" is not a function of type () -> ()`},
		{"unknown import", aModule(func(m *binaryModule) {
			m.importFunction("env", "abort", "", "")
			withHandle(m)
		}), "", `no function "abort" to import from "env"`},
		{"unknown function of the contract", aModule(func(m *binaryModule) {
			m.importFunction(abi.Module, "steal", p32, p32)
			withHandle(m)
		}), "", `no function "steal"`},
		{"import of another type", aModule(func(m *binaryModule) {
			m.importFunction(abi.Module, "now", p32, p32)
			withHandle(m)
		}), "", `"now" of "switchyard:abi/1" has type (i32) -> (i64)`},
		{"the host's own modules", aModule(func(m *binaryModule) {
			m.importFunction("switchyard:meter", "yield", "", "")
			withHandle(m)
		}), "", `import "switchyard:meter" "yield"`},
		{"WASI of another type", aModule(func(m *binaryModule) {
			m.importFunction(abi.WASIModule, "proc_exit", "", "")
			withHandle(m)
		}), "", `"proc_exit"`},
		{"traps while it starts", aModule(func(m *binaryModule) {
			withHandle(m)
			m.export("_initialize", 0, m.function("", "", 0x00))
		}), "", "_initialize: Worker trapped: unreachable"},
		{"never starts", aModule(func(m *binaryModule) {
			withHandle(m)
			m.export("_initialize", 0, m.function("", "", spin...))
		}), "", "Script startup exceeded CPU time limit."},
		{"env is not JSON", aModule(withHandle), `{`, "env:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := wasmSpec(c.source, PolicyReuse)
			if c.env != "" {
				spec.Env = []byte(c.env)
			}
			p, err := rt.NewPool(context.Background(), spec)
			if err == nil {
				p.Close()
			}
			start := (*StartupError)(nil)
			if !errors.As(err, &start) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want a StartupError with %q", err, c.want)
			}
		})
	}
}

// TestContractBreach tells what happens to guests that name what is not theirs.
func TestContractBreach(t *testing.T) {
	rt := wasmRuntime(t)
	p32 := string([]byte{i32})
	call := func(name, params string, args ...byte) []byte {
		return aModule(func(m *binaryModule) {
			m.importFunction(abi.Module, name, params, p32)
			m.export("memory", 2, 0)
			m.export("handle", 0, m.function(p32, "", append(args, 0x10, 0, 0x1a)...)) // call 0, drop
		})
	}
	req, far := []byte{0x20, 0}, []byte{0x41, 0x70} // local.get 0; i32.const -16
	one, many := []byte{0x41, 1}, []byte{0x41, 0x20}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, c := range []struct {
		name   string
		source []byte
		want   string
	}{
		{"another request", call("request_body", p32, 0x41, 42), "request 42 is not the one that is being answered"},
		{"memory that it lacks", call("request_head", p32+p32+p32, join(req, far, many)...), "out of bounds"},
		{"a length that wraps", call("log", p32+p32+p32+p32, join(req, one, one, far)...), "out of bounds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := poolOf(t, rt, wasmSpec(c.source, PolicyReuse))
			_, err := p.Invoke(&Call{Context: context.Background(), Request: wasmRequest("GET", "/", Body{})})
			if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %v with %q", err, ErrTrap, c.want)
			}
			if n := p.Stats().Isolates; n != 0 {
				t.Errorf("%d isolates live on", n)
			}
		})
	}
}

func TestWasmLogs(t *testing.T) {
	rt := wasmRuntime(t)
	w := new(world)
	p := poolOf(t, rt, wasmSpec(readFile(t, "guest/c/example.wasm"), PolicyReuse))
	wasmAsk(t, p, w, "/log")
	if got := strings.Join(w.lines(), "|"); got != "2 noted" {
		t.Errorf("log %q", got)
	}
}

// tank is fuel that no module has.
type tank struct {
	api.MutableGlobal
	left uint64
}

func (g *tank) Get() uint64  { return g.left }
func (g *tank) Set(v uint64) { g.left = v }

func TestWasmOutput(t *testing.T) {
	w := new(world)
	is := &Isolate{fuel: &tank{left: 1 << 62}}
	is.log.is = is
	is.meter.call = &Call{Host: w}
	long := strings.Repeat("x", 3*maxLine)
	for _, p := range []string{"one\ntwo", "", " and a half", "\n", "\n", long, "y", long + "\nlast"} {
		is.log.write([]byte(p))
	}
	is.log.flush(is.meter.call)
	want := []string{"1 one", "1 two and a half", "1 ", "1 " + long[:maxLine], "1 last"}
	if got := w.lines(); !slices.Equal(got, want) {
		t.Errorf("%d lines %.100q, want %d", len(got), got, len(want))
	}
}

// TestPollOneoff: in a module whose handle polls once and throws away what comes of it.
func TestPollOneoff(t *testing.T) {
	rt := wasmRuntime(t)
	p32 := string([]byte{i32})
	poll := func(count ...byte) []byte {
		return aModule(func(m *binaryModule) {
			m.importFunction(abi.WASIModule, "poll_oneoff", p32+p32+p32+p32, p32)
			m.export("memory", 2, 0)
			body := append([]byte{0x41, 0, 0x41, 0, 0x41}, count...)
			m.export("handle", 0, m.function(p32, "", append(body, 0x41, 0, 0x10, 0, 0x1a)...))
		})
	}
	for _, c := range []struct {
		name   string
		source []byte
	}{
		{"nothing", poll(0)},
		{"one clock that has struck", poll(1)},
		{"a count that wraps", poll(0xd6, 0xaa, 0xd5, 0xaa, 0x05)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := poolOf(t, rt, wasmSpec(c.source, PolicyReuse))
			_, err := p.Invoke(&Call{Context: context.Background(), Request: wasmRequest("GET", "/", Body{})})
			if !errors.Is(err, ErrNoResponse) {
				t.Errorf("error %v, want the guest to live and say nothing", err)
			}
		})
	}
}

// TestLogAtModuleScope: lines from start-up reach the operator's log.
func TestLogAtModuleScope(t *testing.T) {
	var out bytes.Buffer
	rt, err := NewRuntime(Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	p32 := string([]byte{i32})
	source := aModule(func(m *binaryModule) {
		m.importFunction(abi.Module, "log", p32+p32+p32+p32, p32)
		withHandle(m)
		m.export("_initialize", 0, m.function("", "", 0x41, 0, 0x41, 1, 0x41, 0, 0x41, 3, 0x10, 0, 0x1a))
	})
	p, err := rt.NewPool(context.Background(), wasmSpec(source, PolicyReuse))
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if !strings.Contains(out.String(), "at module scope") || !strings.Contains(out.String(), "worker=test") {
		t.Errorf("log: %s", out.String())
	}
}

// TestWasmWall ends a call that waits for longer than it may.
func TestWasmWall(t *testing.T) {
	rt := wasmRuntime(t)
	p := poolOf(t, rt, wasmSpec(readFile(t, "guest/c/example.wasm"), PolicyReuse))
	for _, path := range []string{"/hang", "/hang/read"} {
		_, err := p.Invoke(&Call{
			Context: context.Background(), Host: new(world), Request: wasmRequest("GET", path, Body{}),
			Limits: Limits{Wall: 50 * time.Millisecond},
		})
		if !errors.Is(err, ErrWallLimit) {
			t.Errorf("%s: error %v, want %v", path, err, ErrWallLimit)
		}
	}
}

// TestWasmCPUIsCharged: waiting is free, computing is not.
func TestWasmCPUIsCharged(t *testing.T) {
	rt := wasmRuntime(t)
	p := poolOf(t, rt, wasmSpec(readFile(t, "guest/c/example.wasm"), PolicyReuse))
	c := &Call{Context: context.Background(), Host: new(world), Request: wasmRequest("GET", "/parallel", Body{})}
	r, err := p.Invoke(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
	if c.Usage.CPU <= 0 || c.Usage.CPU > 20*time.Millisecond {
		t.Errorf("100 ms of waiting cost %v of CPU time", c.Usage.CPU)
	}
	if c.Usage.Subrequests != 3 {
		t.Errorf("%d subrequests, want 3", c.Usage.Subrequests)
	}
}
