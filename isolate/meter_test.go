package isolate

import (
	"context"
	"errors"
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

// TestLimitsOfEachCall: one Call, and one isolate, with another CPU limit each time.
func TestLimitsOfEachCall(t *testing.T) {
	spec := jsSpec(handler(`const end = +request.url.split("/")[3]; let x = 0; for (let i = 0; i < end; i++) x += i; return new Response("done")`))
	spec.MaxIsolates = 1
	p := newTestPool(t, spec)
	c := &Call{Context: context.Background()}
	for i, s := range []struct {
		cpu   time.Duration
		loops string
		want  error
	}{
		{time.Second, "1000", nil},
		{time.Millisecond, "100000000", ErrCPULimit},
		{2 * time.Second, "1000000", nil}, // some 30 ms
		{2 * time.Millisecond, "1000000", ErrCPULimit},
		{0, "1000000", nil},
		{time.Millisecond, "10", nil},
	} {
		c.Request, c.Limits.CPU = testRequest("GET", "http://a.test/"+s.loops, ""), s.cpu
		r, err := p.Invoke(c)
		if !errors.Is(err, s.want) || s.want == nil && err != nil {
			t.Errorf("call %d, limit %v: %v, want %v", i, s.cpu, err, s.want)
		}
		if s.want != nil && (c.Usage.CPU < s.cpu || c.Usage.CPU > s.cpu+20*time.Millisecond) {
			t.Errorf("call %d, limit %v: ended after %v", i, s.cpu, c.Usage.CPU)
		}
		if err == nil {
			r.Release()
		}
	}
}
