package engine

import (
	"sync/atomic"
	"time"
)

// rateGate is a token bucket in one word, without a lock: the time at which the bucket would be
// full again (the theoretical arrival time of GCRA). It holds one second's worth of requests, at
// least one, so that in any span of time no more than rate × span + that come through.
type rateGate struct{ full atomic.Int64 } // nanoseconds since epoch

// take lets one more request through, at perSecond in each second. now is since epoch.
func (g *rateGate) take(now time.Duration, perSecond float64) bool {
	interval := int64(float64(time.Second) / perSecond)
	burst := max(int64(time.Second), interval)
	for {
		old := g.full.Load()
		next := max(old, int64(now)) + interval
		if next-int64(now) > burst {
			return false
		}
		if g.full.CompareAndSwap(old, next) {
			return true
		}
	}
}

// epoch is the start of the process; monotonic counts from here.
var epoch = time.Now()

func monotonic() time.Duration { return time.Since(epoch) }
