package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

// conn is a connection to an origin. One request has it at a time, and reads and writes on the goroutine of
// its caller: net/http's Transport has two goroutines a connection, whose hand-overs cost more
// than the request.
type conn struct {
	net.Conn // TLS where the origin has it
	raw      syscall.RawConn
	secure   bool
	in       *bufio.Reader // reads through conn.Read
	left     int64         // bytes of a head that may still come
	any      bool          // bytes of this answer have come
	used     bool          // it has carried a request before this one
	since    time.Time     // idle since
}

const readBuffer = 16 << 10

func newConn(c net.Conn, raw syscall.RawConn, secure bool) *conn {
	made := &conn{Conn: c, raw: raw, secure: secure}
	made.in = bufio.NewReaderSize((*answering)(made), readBuffer)
	return made
}

// answering is what in reads: it bounds a head, and notes that an answer has begun.
type answering conn

const unbounded = 1 << 62

func (a *answering) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errHead
	}
	n, err := a.Conn.Read(p[:min(int64(len(p)), a.left)])
	a.left -= int64(n)
	a.any = a.any || n > 0
	return n, err
}

// alive reports whether an idle connection can carry a request: its origin has not closed it, nor said
// anything that nobody had asked for. Below TLS there may be something to read that is no answer.
func (c *conn) alive() bool {
	alive := false
	err := c.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = err == syscall.EAGAIN || c.secure && err == nil && n > 0
		return true
	})
	return err == nil && alive
}

// dialOrigin connects to an origin that nothing is connected to yet, under DialTimeout.
func (t *transport) dialOrigin(ctx context.Context, to endpoint) (*conn, error) {
	c, raw, err := t.dialer.dial(ctx, &t.under, to.where)
	if err != nil {
		return nil, err
	}
	if to.scheme != "https" {
		return newConn(c, raw, false), nil
	}
	host, _, err := net.SplitHostPort(to.where)
	if err != nil {
		panic("BUG: a target's address is " + to.where)
	}
	secure := tls.Client(c, &tls.Config{RootCAs: t.RootCAs, MinVersion: tls.VersionTLS12, ServerName: host})
	ctx, cancel := context.WithTimeout(ctx, t.DialTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return newConn(secure, raw, true), nil
}
