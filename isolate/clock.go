package isolate

import (
	"sync/atomic"
	"time"
)

// A guest's clock stands still while it runs: it shows the moment the guest was entered, so
// that no guest can time itself or its neighbours. It moves only with I/O.

// wallOffset is the wall clock minus the monotonic one, in nanoseconds, renewed once a second:
// the system's clock may be set while we run.
var wallOffset struct {
	nanos, read atomic.Int64
}

// wallAt is the wall clock at a monotonic moment.
func wallAt(at time.Duration) time.Time {
	o := &wallOffset
	if read := o.read.Load(); read == 0 || int64(at)-read > int64(time.Second) {
		now := time.Now()
		o.nanos.Store(now.UnixNano() - int64(now.Sub(epoch)))
		o.read.Store(max(int64(at), 1))
	}
	return time.Unix(0, o.nanos.Load()+int64(at))
}

// now is what the guest's clock shows; the zero time at module scope, where there is none.
func (is *Isolate) now() time.Time {
	if c := is.meter.call; c == nil || c.state.id == 0 {
		return time.Unix(0, 0)
	}
	return wallAt(is.meter.entered)
}

// walltime and nanotime are the clocks of WASI.
func (is *Isolate) walltime() (sec int64, nsec int32) {
	t := is.now()
	return t.Unix(), int32(t.Nanosecond())
}

func (is *Isolate) nanotime() int64 { return int64(is.meter.entered) }
