package isolate

import (
	"context"
	"math"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"
)

// TestGCStop prints how long a collection waits for guests that hold every processor to come to
// their yield, with everybody else. It is a table to read: run it with -v.
func TestGCStop(t *testing.T) {
	rounds := 60
	if !testing.Verbose() || testing.Short() || raceEnabled {
		rounds = 3
	}
	for _, s := range hostileScripts {
		p := newTestPool(t, jsSpec(handler(s.body)))
		ctx, cancel := context.WithCancel(context.Background())
		var hogs sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			hogs.Go(func() {
				for ctx.Err() == nil {
					if r, err := p.Invoke(&Call{Context: ctx, Request: testRequest("GET", "http://a.test/", "")}); err == nil {
						r.Release()
					}
				}
			})
		}
		time.Sleep(20 * time.Millisecond) // all of them run
		before := gcStops()
		for range rounds {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		after := gcStops()
		cancel()
		hogs.Wait()
		for i := range after.Counts {
			after.Counts[i] -= before.Counts[i]
		}
		if n := total(after); n < uint64(rounds) {
			t.Errorf("%s: %d collections beside it, want %d", s.name, n, rounds)
		}
		t.Logf("%-24s p50 %6.0f p99 %6.0f max %6.0f µs", s.name, quantile(after, 0.5), quantile(after, 0.99), quantile(after, 1))
	}
}

func gcStops() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(sample)
	h := sample[0].Value.Float64Histogram()
	return &metrics.Float64Histogram{Counts: append([]uint64(nil), h.Counts...), Buckets: h.Buckets}
}

func total(h *metrics.Float64Histogram) (all uint64) {
	for _, n := range h.Counts {
		all += n
	}
	return all
}

// quantile is in µs, the upper bound of its bucket.
func quantile(h *metrics.Float64Histogram, q float64) float64 {
	var seen uint64
	all := total(h)
	for i, n := range h.Counts {
		if seen += n; float64(seen) >= q*float64(all) {
			return h.Buckets[i+1] * 1e6
		}
	}
	return math.NaN()
}
