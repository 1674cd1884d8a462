package isolate

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// compilerAttributes puts a compiler's process in a group of its own, so that signals from a
// terminal are not for it, and lets it die with this process.
func compilerAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

const (
	compilerNice = 10        // a tenth of the processor that somebody else wants too
	unwatched    = 256 << 20 // bytes that Go's runtime takes beside its heap, or hands back late
)

// confine limits a process that has not begun to work. What it spends is watched; RLIMIT_CPU, in
// whole seconds, and RLIMIT_DATA are for what nobody sees in time. RLIMIT_AS would count what
// Go's runtime only reserves; at RLIMIT_DATA that ends in one of many ways, none of them clear.
func confine(pid int, c *Compiler) error {
	seconds := uint64((c.CPU+time.Second-1)/time.Second) + 1
	data := uint64(2*c.Memory + unwatched)
	var errs []error
	for _, l := range []struct {
		name     string
		resource int
		most     uint64
	}{
		{"RLIMIT_DATA", unix.RLIMIT_DATA, data},
		{"RLIMIT_CPU", unix.RLIMIT_CPU, seconds},
		{"RLIMIT_CORE", unix.RLIMIT_CORE, 0},
		{"RLIMIT_FSIZE", unix.RLIMIT_FSIZE, 0},
	} {
		if err := unix.Prlimit(pid, l.resource, &unix.Rlimit{Cur: l.most, Max: l.most}, nil); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.name, err))
		}
	}
	if err := unix.Setpriority(unix.PRIO_PGRP, pid, compilerNice); err != nil { // of all its threads
		errs = append(errs, fmt.Errorf("nice: %w", err))
	}
	return errors.Join(errs...)
}

// spentBy is the CPU time that a child has used and the memory that it holds; zero once it has
// ended.
func spentBy(pid int) (cpu time.Duration, memory int64) {
	const cpuclockSched = 2 // clock_getcpuclockid(3): the process's clock, by its scheduler
	var ts unix.Timespec
	if unix.ClockGettime(int32(^pid)<<3|cpuclockSched, &ts) == nil {
		cpu = time.Duration(ts.Nano())
	}
	var size, resident int64 // pages; proc_pid_statm(5)
	if statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)); err == nil {
		fmt.Sscan(string(statm), &size, &resident)
	}
	return cpu, resident * int64(os.Getpagesize())
}

// killedForCPU says that RLIMIT_CPU ended the process.
func killedForCPU(p *os.ProcessState) bool {
	ws, ok := p.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && (ws.Signal() == syscall.SIGXCPU || ws.Signal() == syscall.SIGKILL && p.SystemTime()+p.UserTime() >= time.Second)
}
