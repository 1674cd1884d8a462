package isolate

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadCPU is the CPU time of this OS thread, and which one that is: 0 says that there is no
// such clock, -1 that the scheduler moved the goroutine to another thread meanwhile.
func threadCPU() (cpu time.Duration, thread int) {
	thread = unix.Gettid()
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0, 0
	}
	if unix.Gettid() != thread { // the call above can wait for a processor
		return 0, -1
	}
	return time.Duration(ts.Nano()), thread
}
