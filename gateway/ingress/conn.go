package ingress

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// What a lingering close reads at most before it gives up on a client that keeps sending.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// conn is a client's connection. HTTP/1.1 carries one exchange at a time, so what an exchange
// needs lives here and is used again: nothing is allocated for a request.
type conn struct {
	net.Conn
	in   *Ingress
	id   uint64
	peer peer

	client   client   // is it still there
	exchange exchange // of the request being answered
	host     hostMemo // of the request before

	writeArmed time.Time   // the write deadline that is set; used by the writing goroutine only
	readBy     time.Time   // the read deadline that is asked for; used by the reading goroutine only
	readArmed  time.Time   // the one that is set
	deaf       atomic.Bool // nothing more is read
	linger     atomic.Bool
	closed     atomic.Bool
}

func newConn(in *Ingress, raw net.Conn) *conn {
	c := &conn{Conn: raw, in: in, peer: newPeer(raw.RemoteAddr(), in.TrustedProxies)}
	c.exchange.c = c
	c.exchange.download.c = c
	return c
}

// SetReadDeadline is called by fasthttp twice for each request. The deadline is set in the
// socket only when Read has to wait under one that is later, or earlier by an eighth of
// HeaderTimeout or more: a busy connection sets few timers.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.readBy = t
	return nil
}

func (c *conn) Read(p []byte) (int, error) {
	if early := c.readBy.Sub(c.readArmed); early < 0 || early >= c.in.HeaderTimeout/8 {
		c.readArmed = c.readBy
		if err := c.Conn.SetReadDeadline(c.readBy); err != nil {
			return 0, err
		}
	}
	if c.deaf.Load() { // after the deadline: stopReading sets deaf first, then its own
		return 0, os.ErrDeadlineExceeded
	}
	n, err := c.Conn.Read(p)
	c.in.metrics.received.Add(n)
	return n, err
}

// stopReading ends a Read that waits, and every one after it. Any goroutine may call it.
func (c *conn) stopReading() error {
	c.deaf.Store(true)
	return c.Conn.SetReadDeadline(time.Unix(1, 0))
}

// Write has a deadline of its own for each call, so that a response may take as long as it
// likes but a client that does not read is let go. The deadline is armed again only after a
// third of it has passed: a busy connection sets few timers.
func (c *conn) Write(p []byte) (int, error) {
	now := time.Now()
	if c.writeArmed.Sub(now) < c.in.WriteTimeout*2/3 {
		c.writeArmed = now.Add(c.in.WriteTimeout)
		if err := c.Conn.SetWriteDeadline(c.writeArmed); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Write(p)
	c.in.metrics.sent.Add(n)
	return n, err
}

// SetWriteDeadline keeps the deadline that is set known.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writeArmed = t
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline sets both.
func (c *conn) SetDeadline(t time.Time) error {
	c.readBy = t
	return c.SetWriteDeadline(t)
}

// Close may be called from several goroutines; the first one closes.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.in.conns.remove(c)
	if c.linger.Load() {
		c.drain()
	}
	return c.Conn.Close()
}

// drain reads what a client still sends after the last response, for a moment. Closing a
// socket with unread bytes resets it, and the reset overtakes the response.
func (c *conn) drain() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, c.Conn, lingerBytes)
}

// abort ends the connection and the call on it, whatever they are doing.
func (c *conn) abort() {
	c.linger.Store(false)
	c.client.cancel()
	c.Close()
}
