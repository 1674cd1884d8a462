package isolate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// TestSlotsHammer: with fewer isolates than callers, every call is served by an isolate that is its
// alone, nobody who waits is forgotten, and a Pool that closes meanwhile has all of them back.
func TestSlotsHammer(t *testing.T) {
	spec := wasmSpec(readFile(t, "guest/c/hello.wasm"), PolicyReuse)
	spec.MaxIsolates = 3
	for round := range 6 {
		p, err := wasmRuntime(t).NewPool(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		var users sync.Map // *Isolate → its call
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 2000 {
					c := &Call{Context: context.Background()}
					is, err := p.acquire(c)
					if err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
						return
					}
					if _, taken := users.LoadOrStore(is, c); taken {
						t.Error("two calls have one isolate")
					}
					users.Delete(is)
					p.vacate(is, true)
				}
			})
		}
		if round%2 == 1 {
			time.Sleep(2 * time.Millisecond)
			p.Close()
		}
		all.Wait()
		if s := p.Stats(); s.Isolates > 3 || s.Calls > 0 || s.Waiting > 0 {
			t.Errorf("%+v", s)
		}
		p.Close()
		if s := p.Stats(); s != (PoolStats{}) || !p.mu.drained {
			t.Errorf("after Close: %+v", s)
		}
	}
}

// BenchmarkAcquire takes and vacates a seat, on one goroutine and on all processors.
func BenchmarkAcquire(b *testing.B) {
	p := poolOf(b, wasmRuntime(b), wasmSpec(readFile(b, "guest/c/hello.wasm"), PolicyReuse))
	once := func() {
		var c Call
		is, err := p.acquire(&c)
		if err != nil {
			b.Fatal(err)
		}
		p.vacate(is, true)
	}
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			once()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				once()
			}
		})
	})
}
