//go:build wasip1

package worker

import (
	"context"
	"runtime"
	"slices"

	"switchyard/isolate/abi"
)

// Waiting in the host stops every goroutine of the guest. So that fetches in several of them
// are under way at once, whoever waits lets the others run first, and then waits for all
// fetches of the request: whichever is ready, its goroutine finds it in ready.
var (
	waiting []int32
	ready   = map[int32]bool{}
)

// longest is how long, in ms, one wait may keep goroutines from running that do not wait for
// a fetch themselves; shortest is the first one.
const (
	shortest = 1
	longest  = 20
)

// waitFor returns when op has completed, or ctx has ended.
func waitFor(ctx context.Context, req uint32, op int32) error {
	waiting = append(waiting, op)
	defer func() {
		if !over(req) {
			waiting = slices.DeleteFunc(waiting, func(o int32) bool { return o == op })
			delete(ready, op)
		}
	}()
	for pause := int32(shortest); ; pause = min(2*pause, longest) {
		runtime.Gosched()
		if over(req) {
			return ErrOver
		}
		if ready[op] {
			return nil
		}
		if err := ctx.Err(); err != nil {
			closeHandle(req, op)
			return err
		}
		if err := waitOnce(req, pause); err != nil {
			return err
		}
	}
}

// waitOnce waits for any fetch that nobody has been told of.
func waitOnce(req uint32, pause int32) error {
	var ops []int32
	for _, op := range waiting {
		if !ready[op] {
			ops = append(ops, op)
		}
	}
	if len(ops) == 0 {
		return nil
	}
	if runtime.NumGoroutine() <= baseline+len(waiting) {
		pause = -1 // nobody else could run
	}
	i := wait(req, at(words(ops)), uint32(len(ops)), pause)
	switch {
	case i >= 0:
		ready[ops[i]] = true
	case abi.Code(i) != abi.Timeout:
		return abi.Code(i)
	}
	return nil
}

// baseline is how many goroutines there were besides the request's when it began.
var baseline int

// beginWaiting forgets what an earlier request left.
func beginWaiting() {
	baseline = runtime.NumGoroutine() - 1
	waiting = waiting[:0]
	clear(ready)
}
