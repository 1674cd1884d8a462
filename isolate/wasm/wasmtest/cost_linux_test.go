package wasmtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"golang.org/x/sys/unix"

	"switchyard/isolate/wasm"
)

// What metering costs: the CPU time of the rewritten module over that of the original.
//
//	go test ./isolate/wasm/wasmtest -run - -bench Metering -benchtime 1x

// twins are the same module as it is and rewritten.
type twins struct {
	raw api.Module
	*guest
}

func newTwins(b *testing.B, binary []byte) *twins {
	ctx := context.Background()
	raw := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(maxPages))
	b.Cleanup(func() { raw.Close(ctx) })
	e := newEngine(b, 1_500_000)
	for _, r := range []wazero.Runtime{raw, e.Runtime} {
		wasi_snapshot_preview1.MustInstantiate(ctx, r)
		quickJSHost(b, r)
	}
	m, err := raw.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		b.Fatal(err)
	}
	re, err := wasm.Rewrite(binary, wasm.Options{MaxPages: maxPages, MaxDepth: 64 << 20, MayImport: anyImport})
	if err != nil {
		b.Fatal(err)
	}
	return &twins{m, e.mustStart(b, re)}
}

// both calls a function of each, with the same effect.
func (w *twins) both(b *testing.B, name string, args ...uint64) uint64 {
	want, err := w.raw.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		b.Fatal(name, err)
	}
	got, err := w.call(name, args...)
	if err != nil || !slices.Equal(got, want) {
		b.Fatalf("%s: %v, %v; rewritten %v", name, want, err, got)
	}
	if len(want) == 0 {
		return 0
	}
	return want[0]
}

// ratio is how much longer calls of a function take the rewritten module.
func (w *twins) ratio(b *testing.B, name string, args ...uint64) float64 {
	original := w.raw.ExportedFunction(name)
	return ratio(func() { w.both(b, name, args...) },
		func() { original.Call(context.Background(), args...) }, func() { w.call(name, args...) })
}

// ratio is the median over pairs of batches, each of about 20 ms, in turn.
func ratio(both, original, rewritten func()) float64 {
	runtime.LockOSThread() // it is the thread's CPU time that is read
	defer runtime.UnlockOSThread()
	times := int(max(1, 20*time.Millisecond/max(1, cpuOf(both)/2)))
	batch := func(work func()) time.Duration {
		return cpuOf(func() {
			for range times {
				work()
			}
		})
	}
	var ratios []float64
	for range 15 {
		a := batch(original)
		ratios = append(ratios, float64(batch(rewritten))/float64(a))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func cpuOf(work func()) time.Duration {
	began := threadTime()
	work()
	return threadTime() - began
}

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// summary reports the rows' ratios and what they come to.
func summary(b *testing.B, ratios []float64) {
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratios[len(ratios)/2], "median")
	b.ReportMetric(ratios[len(ratios)-1], "worst")
}

// kernels are small loops, where a check weighs most.
var kernels = []struct {
	name  string
	build func(m *builder)
	arg   uint64
}{
	{"arithmetic", func(m *builder) {
		m.function("run", "i", "i", "ii", `loop local.get 1 i32.const 17 i32.mul local.get 2 i32.add i32.const 99 i32.add local.set 1
			local.get 2 i32.const 1 i32.add local.tee 2 local.get 0 i32.lt_u br_if 0 end local.get 1`)
	}, 1_000_000},
	{"memory", func(m *builder) {
		m.function("run", "i", "i", "ii", `loop local.get 1 local.get 2 i32.load 2 0 i32.add local.set 1
			local.get 2 i32.const 4 i32.add local.tee 2 local.get 0 i32.lt_u br_if 0 end local.get 1`)
	}, 4_000_000},
	{"sieve", func(m *builder) {
		m.function("run", "i", "i", "ii", `i32.const 2 local.set 1
			loop local.get 1 local.set 2
				loop local.get 2 i32.const 1 i32.store8 0 0 local.get 2 local.get 1 i32.add local.tee 2 local.get 0 i32.lt_u br_if 0 end
			local.get 1 i32.const 1 i32.add local.tee 1 i32.const 100 i32.lt_u br_if 0 end local.get 2`)
	}, 500_000},
	{"fib", func(m *builder) {
		m.function("run", "i", "i", "", `local.get 0 i32.const 2 i32.lt_u if:i local.get 0 else
			local.get 0 i32.const 1 i32.sub call 0 local.get 0 i32.const 2 i32.sub call 0 i32.add end`)
	}, 25},
}

func BenchmarkMeteringKernels(b *testing.B) {
	for b.Loop() {
		var ratios []float64
		for _, k := range kernels {
			m := &builder{memory: []uint32{64, 64}}
			k.build(m)
			r := newTwins(b, m.binary()).ratio(b, "run", k.arg)
			b.ReportMetric(r, k.name)
			ratios = append(ratios, r)
		}
		summary(b, ratios)
	}
}

func BenchmarkMeteringGo(b *testing.B) {
	w := newTwins(b, goReactor(b))
	w.both(b, "_initialize")
	for b.Loop() {
		summary(b, []float64{w.ratio(b, "work", 5)})
	}
}

// quickJSHost is what the npm package's engine imports, and does not call here.
func quickJSHost(b *testing.B, r wazero.Runtime) {
	host := r.NewHostModuleBuilder("env")
	for name, params := range map[string]int{"host_get_timezone_offset": 2, "host_interrupt": 0, "host_promise_rejection": 3,
		"host_module_normalize": 2, "host_module_load": 2, "host_call": 5} {
		results := []api.ValueType{api.ValueTypeI32}
		if name == "host_promise_rejection" {
			results = nil
		}
		none := func(_ context.Context, stack []uint64) { clear(stack) }
		host.NewFunctionBuilder().WithGoFunction(api.GoFunc(none), slices.Repeat([]api.ValueType{api.ValueTypeI32}, params), results).Export(name)
	}
	if _, err := host.Instantiate(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// quickJS is the engine twice, with the same contents at the same addresses.
type quickJS struct {
	*twins
	runtime, context, name, scratch uint64
}

func newQuickJS(b *testing.B) *quickJS {
	q := &quickJS{twins: newTwins(b, readFile(b, "../../js/node_modules/quickjs-wasi/quickjs.wasm"))}
	q.both(b, "_initialize")
	q.runtime = q.both(b, "JS_NewRuntime")
	q.context = q.both(b, "JS_NewContext", q.runtime)
	q.name, q.scratch = q.text(b, "rows.js"), q.text(b, "    ")
	q.both(b, "JS_Eval", q.program(b, string(readFile(b, "testdata/rows.js")))...)
	return q
}

// text puts a text into both memories.
func (q *quickJS) text(b *testing.B, text string) uint64 {
	at := q.both(b, "malloc", uint64(len(text)+1))
	for _, m := range []api.Module{q.raw, q.Module} {
		m.Memory().Write(uint32(at), append([]byte(text), 0))
	}
	return at
}

// program is the arguments of JS_Eval.
func (q *quickJS) program(b *testing.B, text string) []uint64 {
	return []uint64{q.context, q.text(b, text), uint64(len(text)), q.name, 0}
}

// row evaluates an expression, whose value is an integer, and all jobs that it leaves.
func (q *quickJS) row(b *testing.B, text string) float64 {
	program := q.program(b, text)
	if tag := q.both(b, "JS_Eval", program...) >> 32; tag != 0 {
		b.Fatalf("%s: its value has the tag %#x", text, tag)
	}
	run := func(call func(name string, args ...uint64) uint64) {
		call("JS_Eval", program...)
		for call("JS_ExecutePendingJob", q.runtime, q.scratch) != 0 {
		}
	}
	caller := func(m api.Module) func(string, ...uint64) uint64 {
		functions := map[string]api.Function{}
		return func(name string, args ...uint64) uint64 {
			if functions[name] == nil {
				functions[name] = m.ExportedFunction(name)
			}
			results, err := functions[name].Call(context.Background(), args...)
			if err != nil {
				b.Fatal(name, err)
			}
			return results[0]
		}
	}
	raw, rewritten := caller(q.raw), caller(q.Module)
	both := func() { run(raw); run(rewritten) }
	both()
	return ratio(both, func() { run(raw) }, func() { run(rewritten) })
}

// BenchmarkMeteringQuickJS has 20 rows: ten requests, without the host, and ten kernels.
func BenchmarkMeteringQuickJS(b *testing.B) {
	if _, err := os.Stat("../../js/node_modules/quickjs-wasi/quickjs.wasm"); err != nil {
		b.Skip("the quickjs-wasi package is not installed")
	}
	q := newQuickJS(b)
	for b.Loop() {
		var ratios []float64
		for _, set := range []struct{ call, rows string }{
			{"requests(%q, 50)", "floor async pathname await headers json router page dispatcher tryAwait"},
			{"repeated(%q, 2)", "fib jsonParse jsonStringify regex html mapset sha256 sort objects strsplit"},
		} {
			for _, row := range strings.Fields(set.rows) {
				r := q.row(b, fmt.Sprintf(set.call, row))
				b.ReportMetric(r, row)
				ratios = append(ratios, r)
			}
		}
		summary(b, ratios)
	}
}
