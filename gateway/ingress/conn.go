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

	// Moments are counted from accepted: a duration costs one reading of the clock, a time.Time two.
	accepted  time.Time
	wrote     time.Duration // when the last Write began; used by the writing goroutine only
	writeBy   time.Duration // the write deadline that is set; likewise
	readBy    time.Duration // the read deadline that holds; used by the reading goroutine only
	readArmed time.Duration // the one that is set; likewise
	readFixed bool          // readBy was said, by the accept or by SetReadDeadline; likewise

	deaf   atomic.Bool // nothing more is read
	linger atomic.Bool
	closed atomic.Bool
}

func newConn(in *Ingress, raw net.Conn) *conn {
	c := &conn{Conn: raw, in: in, peer: newPeer(raw.RemoteAddr(), in.TrustedProxies)}
	c.accepted, c.readBy, c.readFixed = time.Now(), in.HeaderTimeout, true
	c.exchange.c = c
	c.exchange.download.c = c
	return c
}

// now is the time since the connection was accepted.
func (c *conn) now() time.Duration { return time.Since(c.accepted) }

// never is a deadline that is none.
const never = time.Duration(1 << 62)

// SetReadDeadline is called for the body of a request, by fasthttp and by upload. The deadline
// holds until the exchange ends.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.readBy, c.readFixed = never, true
	if !t.IsZero() {
		c.readBy = t.Sub(c.accepted)
	}
	return nil
}

// awaitRequest says that what is read from now on belongs to the next request.
func (c *conn) awaitRequest() { c.readFixed = false }

// deadline returns until when a Read into p may wait. fasthttp has no time-outs from us, since
// it reads the clock for each of them on every request. It reads headers into a buffer of
// HeaderBytes that it fills up, so that a smaller rest says that a header has begun.
func (c *conn) deadline(p []byte) time.Duration {
	switch {
	case c.readFixed:
	case len(p) == c.in.HeaderBytes:
		c.readBy = c.wrote + c.in.IdleTimeout // the Write was a moment ago
	default:
		c.readBy, c.readFixed = c.now()+c.in.HeaderTimeout, true
	}
	return c.readBy
}

// Read sets the deadline in the socket only when it has to wait under one that is later, or
// earlier by an eighth of HeaderTimeout or more: a busy connection sets few timers.
func (c *conn) Read(p []byte) (int, error) {
	by := c.deadline(p)
	if later := by - c.readArmed; later < 0 || later >= c.in.HeaderTimeout/8 {
		c.readArmed = by
		if err := c.Conn.SetReadDeadline(c.accepted.Add(by)); err != nil {
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
	c.wrote = c.now()
	if c.writeBy-c.wrote < c.in.WriteTimeout*2/3 {
		c.writeBy = c.wrote + c.in.WriteTimeout
		if err := c.Conn.SetWriteDeadline(c.accepted.Add(c.writeBy)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Write(p)
	c.in.metrics.sent.Add(n)
	return n, err
}

// SetWriteDeadline does nothing: Write sets its own.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is called by fasthttp before it gives the connection to a hijacker, which does
// not read.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

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
