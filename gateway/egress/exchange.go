package egress

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// exchange is one request and its answer on one connection, which it owns until the answer has been read to its end, or
// is given up.
type exchange struct {
	transport *transport
	to        endpoint
	conn      *conn
	upload    *upload     // nil: the request went out in one piece
	unwatch   func() bool // ends the watch over the context
	headed    atomic.Bool // the answer's head has come
	over      atomic.Bool // the connection is given back or closed
}

const (
	maxInterim  = 5                     // answers of 1xx before the answer
	uploadGrace = 50 * time.Millisecond // for the end of a request whose answer has been read
)

// roundTrip sends out and returns the answer's head; the exchange goes on until its body ends. An idle connection may turn out
// to be dead only now: then the request goes out once more, on a new one, if that does no harm.
func (t *transport) roundTrip(ctx context.Context, out *outgoing) (*http.Response, *exchange, error) {
	to := out.target.endpoint()
	if err := t.enter(ctx, to); err != nil {
		return nil, nil, err
	}
	if c := t.take(to); c != nil {
		resp, x, err := t.on(ctx, to, c, out)
		if err == nil || c.any || !out.repeatable() || !hungUp(err) {
			return resp, x, err
		}
		if err := t.enter(ctx, to); err != nil { // the first try has left
			return nil, nil, err
		}
	}
	c, err := t.dialOrigin(ctx, to)
	if err != nil {
		t.leave(to)
		return nil, nil, err
	}
	return t.on(ctx, to, c, out)
}

// hungUp says that the other side had closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// on performs the exchange on c up to the answer's head.
func (t *transport) on(ctx context.Context, to endpoint, c *conn, out *outgoing) (*http.Response, *exchange, error) {
	x := &exchange{transport: t, to: to, conn: c}
	x.unwatch = context.AfterFunc(ctx, func() { c.Close() }) // ends what reads or writes
	resp, err := x.perform(out)
	if err != nil {
		x.close()
		return nil, nil, err
	}
	return resp, x, nil
}

func (x *exchange) perform(out *outgoing) (*http.Response, error) {
	c := x.conn
	c.left, c.any = x.transport.HeaderBytes, false
	if err := c.SetDeadline(time.Now().Add(x.transport.HeadTimeout)); err != nil {
		return nil, err
	}
	_, failed := c.Write(out.wire.b)
	if out.uploads() && failed == nil {
		if err := c.SetReadDeadline(time.Time{}); err != nil { // until all is sent
			return nil, err
		}
		x.upload = startUpload(x, out)
	}
	resp, err := x.readHead(out.method) // also when the origin takes no more: it may have said why
	if err != nil {
		return nil, cmp.Or(failed, x.upload.blame(err))
	}
	x.headed.Store(true)
	c.left = unbounded
	return resp, nil
}

func (x *exchange) readHead(method string) (*http.Response, error) {
	for range maxInterim {
		resp, err := http.ReadResponse(x.conn.in, requestOf(method))
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
	return nil, errResponse
}

// get is what nearly every request is, for http.ReadResponse, which reads its method.
var get = &http.Request{Method: http.MethodGet}

func requestOf(method string) *http.Request {
	if method == http.MethodGet {
		return get
	}
	return &http.Request{Method: method}
}

// finish gives the connection back after an answer that was read to its end.
func (x *exchange) finish(resp *http.Response) {
	if x.over.Swap(true) {
		return
	}
	whole := x.unwatch() && !resp.Close && x.upload.finished() && x.conn.in.Buffered() == 0
	if whole && x.conn.SetDeadline(time.Time{}) == nil {
		x.transport.keep(x.to, x.conn)
	} else {
		x.conn.Close()
	}
	x.transport.leave(x.to)
}

// close gives the exchange up. It may come from another goroutine, and ends what reads or writes there.
func (x *exchange) close() {
	if x.over.Swap(true) {
		return
	}
	x.unwatch()
	x.conn.Close()
	x.transport.leave(x.to)
}
