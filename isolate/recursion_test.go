package isolate

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

// recursing is a Worker that calls itself with vectors that live over the call, the frames that
// come nearest to what is counted for them. Before its call number most it stays there for ever.
func recursing(most int) func(m *binaryModule) {
	const values = 10
	code := "\x20\x00\x41" + string([]byte{byte(most&0x7f) | 0x80, byte(most >> 7)}) + "\x4f" + // local.get 0 i32.const most i32.ge_u
		"\x04\x40\x03\x40\x0c\x00\x0b\x0b" + // if loop br 0 end end
		"\x41\x00" + // i32.const 0
		strings.Repeat("\x41\x08\xfd\x00\x04\x00", values) + // i32.const 8 v128.load
		"\x20\x00\x41\x01\x6a\x10\x00" + // local.get 0 i32.const 1 i32.add call 0
		strings.Repeat("\xfd\xae\x01", values-1) + "\xfd\x0b\x04\x00" // i32x4.add, v128.store
	return func(m *binaryModule) {
		m.export("memory", 2, 0)
		m.export("handle", 0, m.function(string([]byte{i32}), "", []byte(code)...))
	}
}

const recursingScript = `const f = (n) => f(n + 1) + 1; for (;;) { try { f(0) } catch {} }`

// TestRecursingTenants: tenants in endless recursion, all at once and again and again, share
// 256 MiB; and so do those that stay just above the limit.
func TestRecursingTenants(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	rt := wasmRuntime(t)
	inWasm := func(most int) func(int) *Pool {
		return func(int) *Pool { return poolOf(t, rt, wasmSpec(aModule(recursing(most)), PolicyReuse)) }
	}
	inJavaScript := func(i int) *Pool {
		return newTestPool(t, jsSpec(handler(fmt.Sprintf("/* %d */ %s", i, recursingScript))))
	}
	for _, c := range []struct {
		name string
		pool func(i int) *Pool
		want error
	}{
		{"wasm", inWasm(8000), ErrStack},
		{"wasm that stays deep", inWasm(2000), ErrCPULimit},
		{"JavaScript", inJavaScript, ErrCPULimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			pools := make([]*Pool, 64)
			for i := range pools {
				pools[i] = c.pool(i)
			}
			before := residentPeak(t)
			var all sync.WaitGroup
			for _, p := range pools {
				all.Go(func() {
					for range 3 {
						call := &Call{Context: t.Context(), Host: new(world), Request: wasmRequest("GET", "/", Body{}), Limits: Limits{CPU: 20 * time.Millisecond}}
						if _, err := p.Invoke(call); !errors.Is(err, c.want) {
							t.Errorf("the call ended with %v, want %v", err, c.want)
						}
					}
				})
			}
			all.Wait()
			grown := peak(t) - before
			t.Logf("%d tenants: %d MiB more at the peak", len(pools), grown>>20)
			if grown > 256<<20 {
				t.Errorf("%d MiB more", grown>>20)
			}
		})
	}
}

// residentPeak begins a new measurement of the peak of resident memory.
func residentPeak(t *testing.T) int64 {
	runtime.GC()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip("the peak of resident memory cannot be measured here: ", err)
	}
	return peak(t)
}

// peak is the most resident memory since residentPeak, in bytes.
func peak(t *testing.T) int64 {
	status := string(readFile(t, "/proc/self/status"))
	_, line, _ := strings.Cut(status, "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(line, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
