package isolate

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadCPU is the CPU time of this OS thread; not ok when there is no such clock. Differences
// mean something only between LockOSThread and UnlockOSThread.
func threadCPU() (cpu time.Duration, ok bool) {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0, false
	}
	return time.Duration(ts.Nano()), true
}
