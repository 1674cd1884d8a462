package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// load drives conns keep-alive connections from one thread, one request at a time on each. A
// goroutine a connection would be simpler, but Go's scheduler then competes with the server
// for the processors, and answers come in bursts that make some servers look cheap.
//
//	closed loop  (rate 0)  a connection sends again as soon as it has its answer
//	open loop    (rate n)  n requests a second, evenly, whatever becomes of those before;
//	                       one that finds no idle connection waits, and its latency counts that
type load struct {
	request []byte
	rate    int
	start   time.Time
	end     time.Time

	epoll     int
	timer     int // ticks at the rate; -1 in the closed loop
	conns     []loadConn
	idle      []int // indices of conns
	sent      int
	latencies []uint32 // µs
}

type loadConn struct {
	fd  int
	due time.Time // of the request under way
	got []byte    // of its answer
}

// patience is how long the last answers are waited for.
const patience = 10 * time.Second

// load returns the latency of every request in µs, of conns connections during d.
func (c *client) load(conns int, d time.Duration, rate int) ([]uint32, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l := &load{request: c.request, rate: rate, timer: -1}
	defer l.close()
	if err := l.open(c.addr, conns); err != nil {
		return nil, err
	}
	l.start = time.Now()
	l.end = l.start.Add(d)
	return l.latencies, l.run()
}

func (l *load) open(addr string, conns int) (err error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	for i := range conns {
		fd, err := dial(to)
		if err != nil {
			return err
		}
		l.conns = append(l.conns, loadConn{fd: fd})
		l.idle = append(l.idle, i)
		if err := l.watch(fd, i); err != nil {
			return err
		}
	}
	if l.rate == 0 {
		return nil
	}
	if l.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return err
	}
	every := unix.NsecToTimespec(int64(time.Second) / int64(l.rate))
	if err := unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	return l.watch(l.timer, timerIndex)
}

// timerIndex is the timer's among the connections'.
const timerIndex = -1

func (l *load) watch(fd, index int) error {
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(index)})
}

func dial(to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = errors.Join(
		unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetNonblock(fd, true))
	if err != nil {
		unix.Close(fd)
		return 0, fmt.Errorf("connecting to %s: %w", to, err)
	}
	return fd, nil
}

func (l *load) close() {
	for _, c := range l.conns {
		unix.Close(c.fd)
	}
	if l.timer >= 0 {
		unix.Close(l.timer)
	}
	if l.epoll > 0 {
		unix.Close(l.epoll)
	}
}

func (l *load) run() error {
	var events [128]unix.EpollEvent
	for {
		now := time.Now()
		if now.Before(l.end) {
			if err := l.send(now); err != nil {
				return err
			}
		} else if len(l.idle) == len(l.conns) {
			return nil
		} else if now.Sub(l.end) > patience {
			return fmt.Errorf("%d requests had no answer", len(l.conns)-len(l.idle))
		}
		n, err := unix.EpollWait(l.epoll, events[:], 100)
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			if e.Fd == timerIndex {
				var ticks [8]byte
				unix.Read(l.timer, ticks[:]) // the timer goes on once it is read; the clock counts, not it
			} else if err := l.receive(int(e.Fd)); err != nil {
				return err
			}
		}
	}
}

// send starts what is due, as far as connections are idle.
func (l *load) send(now time.Time) error {
	for len(l.idle) > 0 {
		due := now
		if l.rate > 0 {
			due = l.start.Add(time.Duration(l.sent) * time.Second / time.Duration(l.rate))
			if due.After(now) {
				return nil
			}
		}
		c := &l.conns[l.idle[0]]
		l.idle = l.idle[1:]
		l.sent++
		c.due = due
		if _, err := unix.Write(c.fd, l.request); err != nil { // it is short: it fits a socket's buffer
			return fmt.Errorf("sending a request: %w", err)
		}
	}
	return nil
}

func (l *load) receive(index int) error {
	c := &l.conns[index]
	var buf [4096]byte
	n, err := unix.Read(c.fd, buf[:])
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("waiting for an answer: %w", err)
	}
	c.got = append(c.got, buf[:n]...)
	whole, err := answered(c.got)
	if err != nil || !whole {
		return err
	}
	c.got = c.got[:0]
	l.idle = append(l.idle, index)
	l.latencies = append(l.latencies, uint32(time.Since(c.due)/time.Microsecond))
	return nil
}
