package ingress

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// listener hands fasthttp connections that we control, and refuses a client that has too many.
type listener struct {
	net.Listener
	in *Ingress
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.accept()
		if err != nil {
			return nil, err
		}
		c := newConn(l.in, raw)
		if l.in.conns.add(c, l.in.ConnsPerIP) {
			l.in.watcher.add(c)
			return c, nil
		}
		l.in.metrics.refused.Inc()
		raw.Close()
	}
}

// accept waits out what passes by itself. fasthttp would stop serving for good when the process
// is out of descriptors for a moment.
func (l *listener) accept() (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		raw, err := l.Listener.Accept()
		if err == nil || !passing(err) {
			return raw, err
		}
		l.in.Logger.Warn("ingress: cannot accept a connection", "error", err, "wait", wait)
		time.Sleep(wait)
	}
}

func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// connTable knows every open connection.
type connTable struct {
	mu struct {
		sync.Mutex
		last  uint64
		open  map[uint64]*conn
		perIP map[netip.Addr]int
	}
}

func (t *connTable) init() {
	t.mu.open = make(map[uint64]*conn)
	t.mu.perIP = make(map[netip.Addr]int)
}

// add gives c its id; it reports whether c's client may have another connection.
func (t *connTable) add(c *conn, perIP int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !c.peer.trusted {
		if t.mu.perIP[c.peer.group] >= perIP {
			return false
		}
		t.mu.perIP[c.peer.group]++
	}
	t.mu.last++
	c.id = t.mu.last
	t.mu.open[c.id] = c
	return true
}

func (t *connTable) remove(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mu.open, c.id)
	if c.peer.trusted {
		return
	}
	if t.mu.perIP[c.peer.group]--; t.mu.perIP[c.peer.group] == 0 {
		delete(t.mu.perIP, c.peer.group)
	}
}

func (t *connTable) get(id uint64) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.open[id]
}

func (t *connTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.mu.open)
}

// each calls f with every connection that is open now, without holding the lock.
func (t *connTable) each(f func(*conn)) {
	t.mu.Lock()
	all := make([]*conn, 0, len(t.mu.open))
	for _, c := range t.mu.open {
		all = append(all, c)
	}
	t.mu.Unlock()
	for _, c := range all {
		f(c)
	}
}
