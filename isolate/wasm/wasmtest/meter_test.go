package wasmtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/wasm"
)

func rewrite(t testing.TB, m *builder) *wasm.Rewritten {
	t.Helper()
	re, err := wasm.Rewrite(m.binary(), wasm.Options{MaxPages: 256, MaxDepth: 1 << 20, MayImport: anyImport})
	if err != nil {
		t.Fatal(err)
	}
	return re
}

func (e *engine) mustStart(t testing.TB, re *wasm.Rewritten) *guest {
	t.Helper()
	g, err := e.start(re, "")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// runaways never return. Each must come to yield again and again, so that it can be ended.
var runaways = map[string]func(m *builder){
	"loop":            func(m *builder) { m.function("run", "", "", "", "loop br 0 end") },
	"loop with value": func(m *builder) { m.function("run", "", "i", "", "loop:i br 0 end") },
	"loop with parameters": func(m *builder) {
		m.function("run", "", "", "", fmt.Sprintf("i32.const 1 loop:%d i32.const 1 i32.add br 0 end drop", m.typ("i", "i")))
	},
	"loop with two results": func(m *builder) {
		m.function("run", "", "", "", fmt.Sprintf("loop:%d br 0 end drop drop", m.typ("", "ii")))
	},
	"branch table": func(m *builder) {
		m.function("run", "", "", "", "loop block block i32.const 1 br_table 2 0 1 2 end end br 0 end")
	},
	"nested loops": func(m *builder) {
		m.function("run", "", "", "i", `loop i32.const 10 local.set 0
			loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end br 0 end`)
	},
	"loop over a leaf": func(m *builder) {
		leaf := m.function("", "i", "i", "", "local.get 0 i32.const 3 i32.mul")
		m.function("run", "", "", "i", fmt.Sprintf("loop local.get 0 call %d local.set 0 br 0 end", leaf))
	},
	"doubling chain": doubling(40),
	"doubling chain through a table": func(m *builder) {
		m.table = []uint32{64}
		m.function("", "", "", "", "nop")
		m.elements = []uint32{0}
		for i := range 40 { // a type for each, so that the chain is no recursion
			params := strings.Repeat("i", i)
			zero := strings.Repeat("i32.const 0 ", i)
			call := fmt.Sprintf("%s i32.const %d call_indirect %d 0 ", zero, i, m.typ(params, ""))
			m.elements = append(m.elements, m.function("", params+"i", "", "", call+call))
		}
		zero := strings.Repeat("i32.const 0 ", 40)
		m.function("run", "", "", "", fmt.Sprintf("%s call 40", zero))
	},
	"fill": func(m *builder) {
		m.function("run", "", "", "", "loop i32.const 0 i32.const 7 i32.const 65536 memory.fill br 0 end")
	},
	"straight fills": func(m *builder) { // no loop: each is paid for
		m.function("run", "", "", "", strings.Repeat("i32.const 0 i32.const 7 i32.const 1048576 memory.fill ", 20000))
	},
	"straight copies": func(m *builder) {
		m.function("run", "", "", "", strings.Repeat("i32.const 1 i32.const 0 i32.const 1048575 memory.copy ", 20000))
	},
	"table fill": func(m *builder) {
		m.table = []uint32{1000, 1000}
		m.function("run", "", "", "", "loop i32.const 0 ref.null 0x70 i32.const 1000 table.fill 0 br 0 end")
	},
	"return in a loop of calls": func(m *builder) {
		f := m.function("", "i", "i", "", "local.get 0 if local.get 0 return end i32.const 1")
		m.function("run", "", "", "", fmt.Sprintf("loop i32.const 1 call %d br_if 0 br 0 end", f))
	},
}

// doubling is a chain of n functions that each call the next one twice: no recursion, no loop,
// and 2^n calls.
func doubling(n int) func(m *builder) {
	return func(m *builder) {
		m.function("", "", "", "", "nop")
		for i := range n {
			m.function("", "", "", "", fmt.Sprintf("call %d call %d", i, i))
		}
		m.function("run", "", "", "", fmt.Sprintf("call %d", n))
	}
}

func TestRunawaysComeToYield(t *testing.T) {
	for name, build := range runaways {
		t.Run(name, func(t *testing.T) {
			m := &builder{memory: []uint32{16, 16}}
			build(m)
			e := newEngine(t, 1_500_000)
			e.kill = 20
			g := e.mustStart(t, rewrite(t, m))
			began := time.Now()
			_, err := g.call("run")
			slice := time.Since(began) / 20
			if !errors.Is(err, errKilled) || e.yields != 20 {
				t.Fatalf("after %d yields: %v", e.yields, err)
			}
			t.Logf("slice of %v", slice)
			if slice > 20*time.Millisecond { // 0.1 to 1 ms on an idle machine
				t.Errorf("slice of %v", slice)
			}
		})
	}
}

// recursions end by their depth, long before they fill the engine's stack.
var recursions = map[string]func(m *builder){
	"itself": func(m *builder) { m.function("run", "", "", "", "call 0") },
	"result": func(m *builder) { m.function("run", "", "i", "", "call 0 i32.const 1 i32.add") },
	"two results": func(m *builder) {
		m.function("run", "", "ii", "", "call 0 i32.add i32.const 1")
	},
	"mutual": func(m *builder) {
		m.function("run", "", "", "", "call 1")
		m.function("", "", "", "", "call 2")
		m.function("", "", "", "", "call 0")
	},
	"through a table": func(m *builder) {
		m.table, m.elements = []uint32{1}, []uint32{0}
		m.function("run", "", "", "", "i32.const 0 call_indirect 0 0")
	},
	"two tables' types": func(m *builder) {
		m.table, m.elements = []uint32{2}, []uint32{0, 1}
		m.function("run", "", "", "", fmt.Sprintf("i32.const 5 i32.const 1 call_indirect %d 0", m.typ("i", "")))
		m.function("", "i", "", "", fmt.Sprintf("i32.const 0 call_indirect %d 0", m.typ("", "")))
	},
}

func TestRecursionIsDeep(t *testing.T) {
	for name, build := range recursions {
		t.Run(name, func(t *testing.T) {
			m := &builder{}
			build(m)
			g := newEngine(t, 1<<40).mustStart(t, rewrite(t, m))
			if _, err := g.call("run"); !errors.Is(err, errDeep) {
				t.Fatalf("error %v", err)
			}
		})
	}
}

// TestLongChainIsDeep calls 300 functions in a row, no one twice, with frames of 8 KiB each.
func TestLongChainIsDeep(t *testing.T) {
	m := &builder{memory: []uint32{1}}
	m.function("", "", "", "", "nop")
	for i := range 300 {
		m.function(fmt.Sprint("run", i), "", "", "", strings.Repeat("memory.size i64.extend_i32_u ", 1000)+fmt.Sprintf("call %d ", i)+strings.Repeat("drop ", 1000))
	}
	g := newEngine(t, 1<<40).mustStart(t, rewrite(t, m))
	if _, err := g.call("run299"); !errors.Is(err, errDeep) {
		t.Errorf("2.4 MiB of frames: error %v", err)
	}
	g = newEngine(t, 1<<40).mustStart(t, rewrite(t, m))
	if _, err := g.call("run99"); err != nil {
		t.Errorf("0.8 MiB of frames: error %v", err)
	}
}

// TestDepthIsGivenBack leaves recursive functions by every exit there is.
func TestDepthIsGivenBack(t *testing.T) {
	exits := map[string]string{
		"falling through": "local.get 0 if:i local.get 0 i32.const 1 i32.sub call 0 else i32.const 7 end",
		"return":          "local.get 0 i32.eqz if i32.const 7 return end local.get 0 i32.const 1 i32.sub call 0 return",
		"branch":          "block block i32.const 7 local.get 0 i32.eqz br_if 2 drop end end local.get 0 i32.const 1 i32.sub call 0 br 0",
		"branch in a loop": `loop i32.const 7 local.get 0 i32.eqz br_if 1 drop
			local.get 0 i32.const 1 i32.sub call 0 br 1 end unreachable`,
		"branch table": "local.get 0 i32.eqz if i32.const 7 i32.const 0 br_table 1 1 1 end local.get 0 i32.const 1 i32.sub call 0 i32.const 9 br_table 0 0",
	}
	for name, code := range exits {
		t.Run(name, func(t *testing.T) {
			m := &builder{}
			m.function("run", "i", "i", "", code)
			re := rewrite(t, m)
			g := newEngine(t, wasm.MinRefill).mustStart(t, re)
			before := g.global(re.Depth).Get()
			if got, err := g.call("run", 1000); err != nil || got[0] != 7 {
				t.Fatalf("%v, %v", got, err)
			}
			if left := g.global(re.Depth).Get(); left != before {
				t.Errorf("%d bytes are left afterwards, %d before", left, before)
			}
		})
	}
}

func TestYieldsChangeNothing(t *testing.T) {
	m := &builder{memory: []uint32{1}}
	m.function("fib", "i", "i", "", `local.get 0 i32.const 2 i32.lt_u if:i local.get 0 else
		local.get 0 i32.const 1 i32.sub call 0 local.get 0 i32.const 2 i32.sub call 0 i32.add end`)
	m.function("sum", "i", "i", "i", `loop local.get 0 local.get 1 i32.add local.set 1
		local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end local.get 1`)
	g := newEngine(t, wasm.MinRefill).mustStart(t, rewrite(t, m))
	for name, want := range map[string]uint64{"fib": 6765, "sum": 210} {
		got, err := g.call(name, 20)
		if err != nil || got[0] != want || g.e.yields == 0 {
			t.Errorf("%s(20) = %v, %v after %d yields; want %d", name, got, err, g.e.yields, want)
		}
	}
}
