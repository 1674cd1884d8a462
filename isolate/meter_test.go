package isolate

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// A slice that took long is charged by the thread's clock only where the thread is the guest's
// own. Elsewhere that clock has the time of whoever ran there meanwhile.
func TestChargeOfALongSlice(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpu, ok := threadCPU()
	if !ok {
		t.Skip("there is no thread clock")
	}
	for _, c := range []struct {
		name     string
		meter    meter
		min, max time.Duration
	}{
		{"others ran on the thread", meter{cpu: cpu - 30*time.Millisecond}, sliceBudget, sliceBudget},
		{"off the processor, in the lane", meter{slow: true, cpu: cpu}, 0, 20 * time.Millisecond}, // the test's own
		{"busy, in the lane", meter{slow: true, cpu: cpu - time.Second}, time.Second, 2 * time.Second},
		{"no longer than the wall's time", meter{slow: true, cpu: cpu - time.Hour}, time.Minute, time.Minute},
	} {
		call := &Call{}
		c.meter.call, c.meter.last = call, 0
		c.meter.charge(time.Minute)
		if got := call.state.usage.CPU; got < c.min || got > c.max {
			t.Errorf("%s: charged %v for a minute, want %v to %v", c.name, got, c.min, c.max)
		}
	}
}

// The yield at which a call comes to the slow lane charges its slice once: the way into the lane
// charges too.
func TestChargeOnTheWayIntoTheLane(t *testing.T) {
	for range 20 {
		is := &Isolate{module: &module{rt: &Runtime{lane: newLane()}}}
		m := &is.meter
		c := &Call{Context: context.Background()}
		c.state.usage.CPU = 2 * laneAfter
		m.begin(c)
		m.last -= sliceBudget / 2
		began, before := m.last, c.state.usage.CPU
		now := monotonic()
		m.charge(now)
		if !is.giveWay(now) || !m.slow {
			t.Fatal("the call is not in the lane")
		}
		m.end(is.module.rt.lane)
		if charged, took := c.state.usage.CPU-before, monotonic()-began; charged > took {
			t.Fatalf("charged %v of %v", charged, took)
		}
	}
}
