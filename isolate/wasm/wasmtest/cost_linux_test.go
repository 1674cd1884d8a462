package wasmtest

import (
	"context"
	"runtime"
	"slices"
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

// ratio is the median over pairs of batches, each of about 20 ms, in turn.
func (w *twins) ratio(b *testing.B, name string, args ...uint64) float64 {
	runtime.LockOSThread() // it is the thread's CPU time that is read
	defer runtime.UnlockOSThread()
	original := w.raw.ExportedFunction(name)
	one := cpuOf(func() { w.both(b, name, args...) }) / 2
	times := int(max(1, 20*time.Millisecond/max(1, one)))
	var ratios []float64
	for range 15 {
		a := cpuOf(func() {
			for range times {
				original.Call(context.Background(), args...)
			}
		})
		m := cpuOf(func() {
			for range times {
				w.call(name, args...)
			}
		})
		ratios = append(ratios, float64(m)/float64(a))
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
			b.Logf("%-16s %.3f", k.name, r)
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
