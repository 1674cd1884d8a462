package ingress

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// watcher learns from the kernel that a client has shut its side of a connection. fasthttp
// does not read while a handler runs, and reading would take bytes of the next request.
//
// Every connection joins one epoll instance once, when it is accepted, for EPOLLRDHUP alone:
// arriving data wakes nobody, a request costs nothing, and the kernel forgets the descriptor
// when it is closed. The instance is itself a descriptor that Go's poller can wait for, so
// that no thread is blocked. An event carries the connection's id, never its descriptor: the
// number may belong to another connection by the time that the event is read.
type watcher struct {
	conns *connTable
	epoll *os.File
	raw   syscall.RawConn
	done  chan struct{} // closed when run has returned
}

func newWatcher(conns *connTable) (*watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("epoll descriptor: %w", err)
	}
	w := &watcher{conns: conns, epoll: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{})}
	if w.raw, err = w.epoll.SyscallConn(); err != nil {
		w.epoll.Close()
		return nil, fmt.Errorf("epoll descriptor: %w", err)
	}
	go w.run() // ends when close closes the descriptor, and close waits for it
	return w, nil
}

// add starts watching c. A connection that cannot be watched is served all the same.
func (w *watcher) add(c *conn) {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: int32(c.id), Pad: int32(c.id >> 32)}
		w.raw.Control(func(epoll uintptr) {
			unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, int(fd), &event)
		})
	})
}

func (w *watcher) run() {
	defer close(w.done)
	var events [64]unix.EpollEvent
	for {
		var n int
		err := w.raw.Read(func(fd uintptr) bool {
			n, _ = unix.EpollWait(int(fd), events[:], 0)
			return n > 0
		})
		if err != nil {
			return
		}
		for _, e := range events[:max(n, 0)] {
			if c := w.conns.get(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32); c != nil {
				c.client.left(c.in.GoneGrace)
			}
		}
	}
}

func (w *watcher) close() {
	w.epoll.Close()
	<-w.done
}
