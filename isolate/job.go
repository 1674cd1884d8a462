package isolate

import (
	"context"
	"math"
	"runtime"
	"time"

	"switchyard/isolate/js"
	"switchyard/isolate/service"
)

// A job is work of a service that may take long: it runs on a goroutine of its own, as a call in
// the slow lane does, and its CPU time is the call's. The isolate goes on meanwhile.

// startJob registers a job as the operation id.
func (c *Call) startJob(work func(service.Meter) ([]byte, error), id uint32) error {
	switch {
	case id == 0:
		panic("BUG: service: a job is asked for at once")
	case c.state.pool == nil:
		return errScope
	}
	l := c.state.pool.rt.lane
	j := &job{work: work, left: c.left(), lane: l, share: l.share(c)}
	if c.register(operation{id: id, kind: opJob, state: opFresh, job: j}) == nil {
		return errOperations
	}
	return nil
}

// left is the CPU time that the call may still use.
func (c *Call) left() time.Duration {
	if c.Limits.CPU == 0 {
		return math.MaxInt64
	}
	return c.Limits.CPU - c.state.usage.CPU
}

// chargeJobs moves the time of jobs that are over into the call's usage. The driver runs it in its
// isolate's turn, or whoever is the call's last.
func (c *Call) chargeJobs() { c.state.usage.CPU += time.Duration(c.state.jobs.Swap(0)) }

// job is a meter: its own clock is that of the thread it has for itself.
type job struct {
	work    func(service.Meter) ([]byte, error)
	lane    *lane
	share   *Share
	ctx     context.Context
	left    time.Duration
	began   time.Duration // on the thread's clock, or the wall's when that has none
	spent   time.Duration // CPU time so far
	turn    time.Duration // CPU time when it last entered the lane
	waiting bool          // for the lane
}

// run does the work. It ends early, by jobOver, when the call does or has used up its time.
func (j *job) run(ctx context.Context) (result []byte, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	j.ctx, j.began = ctx, threadTime()
	defer func() {
		r := recover()
		j.spent = threadTime() - j.began
		if !j.waiting {
			j.lane.leave(j.share, j.spent-j.turn)
		}
		if over, ok := r.(jobOver); ok {
			err = over.err
		} else if r != nil {
			panic(r)
		}
	}()
	j.enterLane()
	return j.work(j)
}

// jobOver is what a job panics with that must not go on.
type jobOver struct{ err error }

// Pace implements service.Meter.
func (j *job) Pace() {
	j.spent = threadTime() - j.began
	switch {
	case j.spent > j.left:
		panic(jobOver{ErrCPULimit})
	case j.ctx.Err() != nil:
		panic(jobOver{ErrCanceled})
	case j.spent-j.turn > laneTurn && j.lane.crowded():
		j.lane.leave(j.share, j.spent-j.turn)
		j.enterLane()
	}
}

// Afford implements service.Meter.
func (j *job) Afford(d time.Duration) {
	j.Pace()
	if d > j.left-j.spent {
		panic(jobOver{ErrCPULimit})
	}
}

func (j *job) enterLane() {
	j.waiting = true
	if !j.lane.enter(j.share, j.ctx.Done(), nil) {
		panic(jobOver{ErrCanceled})
	}
	j.waiting, j.turn = false, j.spent
}

// threadTime is the CPU time of this thread, or the wall's where that is not to be had.
func threadTime() time.Duration {
	if cpu, ok := threadCPU(); ok {
		return cpu
	}
	return monotonic()
}

// putResult brings a job's result to the guest: a u32 of its length, then the bytes. free says
// that the memory was allocated for it.
func (is *Isolate) putResult(c *Call, result []byte) (ptr uint32, free bool, err error) {
	ptr = is.io
	if len(result) > js.IOBytes-4 {
		if ptr, err = is.alloc(c, uint32(len(result))+4); err != nil {
			return 0, false, err
		}
		free = true
	}
	b := is.bytesAt(ptr, uint32(len(result))+4)
	putWord(b, 0, uint32(len(result)))
	copy(b[4:], result)
	return ptr, free, nil
}
