package isolate

import (
	"runtime"
	"testing"
	"time"
)

// A slice that the scheduler moved to another thread cannot be charged by thread clocks: the
// difference of two threads' clocks is anything.
func TestChargeOfALongSlice(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpu, thread := threadCPU()
	if thread == 0 {
		t.Skip("there is no thread clock")
	}
	for _, c := range []struct {
		name   string
		meter  meter
		charge time.Duration // at most
	}{
		{"not yielded", meter{}, sliceBudget},
		{"same thread", meter{yielded: true, cpu: cpu, thread: thread}, 20 * time.Millisecond}, // the test's own
		{"another thread", meter{yielded: true, cpu: cpu - time.Hour, thread: thread + 1}, sliceBudget},
		{"another thread, which was busier", meter{yielded: true, cpu: cpu + time.Hour, thread: thread + 1}, sliceBudget},
		{"moved while it was looked at", meter{yielded: true, thread: -1}, sliceBudget},
	} {
		call := &Call{}
		c.meter.call, c.meter.last = call, 0
		c.meter.charge(time.Minute)
		if got := call.state.usage.CPU; got < 0 || got > c.charge {
			t.Errorf("%s: charged %v for a minute of which no CPU was used, want at most %v", c.name, got, c.charge)
		}
	}
}
