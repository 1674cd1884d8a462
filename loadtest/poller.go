package loadtest

import (
	"fmt"
	"net/netip"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller waits for sockets with the precision of the kernel's clock. Go's own network poller
// would cost a goroutine a request, and wake late by what its scheduler has to do.
type poller struct {
	epoll  int
	events [256]unix.EpollEvent
}

// generatorNice lets the one thread run as soon as it has something to do, as on a machine of its own.
const generatorNice = -15

// openPoller ties the calling goroutine to its thread until close: the thread's timers become
// precise (their slack is 50 µs otherwise).
func openPoller(realTime bool) (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	if realTime {
		if err := setScheduler(unix.SCHED_RR, 1); err != nil {
			runtime.UnlockOSThread()
			unix.Close(epoll)
			return nil, fmt.Errorf("realtime: the system does not allow it: %w", err)
		}
	}
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)        // without it: 50 µs later
	unix.Setpriority(unix.PRIO_PROCESS, 0, generatorNice) // where it may: else it waits for the server's threads
	return &poller{epoll: epoll}, nil
}

func (p *poller) close() {
	unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // 0 is the default again
	unix.Setpriority(unix.PRIO_PROCESS, 0, 0)
	setScheduler(unix.SCHED_NORMAL, 0) // what everybody may
	runtime.UnlockOSThread()
	unix.Close(p.epoll)
}

// setScheduler is for the calling thread.
func setScheduler(policy, priority uint32) error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}, 0)
}

// wait returns the sockets that are ready, after at most d.
func (p *poller) wait(d time.Duration) ([]unix.EpollEvent, error) {
	var n uintptr
	var errno unix.Errno
	at := uintptr(unsafe.Pointer(&p.events[0]))
	if d <= 0 {
		n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll), at, uintptr(len(p.events)), 0, 0, 0)
	} else {
		ts := unix.NsecToTimespec(int64(d))
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.epoll), at, uintptr(len(p.events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
	if errno != 0 && errno != unix.EINTR {
		return nil, fmt.Errorf("epoll_pwait2 (Linux 5.11 has it): %w", errno)
	}
	if errno != 0 {
		n = 0
	}
	return p.events[:n], nil
}

// watch asks for what events has; again for a socket that is watched already.
func (p *poller) watch(fd int, index int, events uint32, again bool) error {
	op := unix.EPOLL_CTL_ADD
	if again {
		op = unix.EPOLL_CTL_MOD
	}
	return unix.EpollCtl(p.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(index)})
}

// connect starts a connection. It is there once the socket can be written to.
func connect(to netip.AddrPort) (fd int, err error) {
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // without it requests would only be slower
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().Unmap().As4()}
	if family == unix.AF_INET6 {
		sa = &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	}
	if err = unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// socketError is what became of a connection that was started.
func socketError(fd int) error {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if n != 0 {
		return unix.Errno(n)
	}
	return nil
}

// read and write do not block, so that the Go scheduler need not know of them.
func read(fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return result(n, errno)
}

func write(fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return result(n, errno)
}

// result has n 0 where the call should be made again later.
func result(n uintptr, errno unix.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case unix.EAGAIN, unix.EINTR:
		return 0, errAgain
	}
	return 0, errno
}

const errAgain = unix.EAGAIN
