package ingress

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"switchyard/isolate"
)

const (
	// smallBody is read before the engine is called: no isolate waits for a slow client, and
	// the body travels as bytes.
	smallBody = 64 << 10
	// patience is how long a body is waited for before BodyRate counts.
	patience = 10 * time.Second
)

var (
	errBodyClosed  = errors.New("request body is closed")
	errBodySlow    = errors.New("request body arrives too slowly")
	errBodyBroken  = errors.New("request body is not valid")
	errBodyTooLong = isolate.ErrBodyTooLarge
)

// receive gives r its body: bytes when it is small, a stream when it is large or chunked.
func (x *exchange) receive(ctx *fasthttp.RequestCtx, r *request) *refusal {
	n := ctx.Request.Header.ContentLength()
	if n == 0 || n == -2 || ctx.RequestBodyStream() == nil {
		return nil
	}
	u := &upload{c: x.c, src: ctx.RequestBodyStream(), length: int64(n)}
	if n < 0 || n > smallBody {
		x.upload = u
		r.Body = isolate.Body{Stream: u, Length: u.length}
		return nil
	}
	if cap(r.body) < n {
		r.body = make([]byte, n)
	}
	r.body = r.body[:n]
	if _, err := io.ReadFull(u, r.body); err != nil {
		return u.verdict()
	}
	r.Body.Bytes = r.body
	return nil
}

// upload streams a request body: counted, since fasthttp enforces no limit on streams;
// checked for its end, since fasthttp takes a torn body for a whole one; and let go when its
// client is too slow. A guest that does not read costs the client nothing: only the time that
// Read waits is counted.
type upload struct {
	c      *conn
	length int64 // -1: chunked
	closed atomic.Bool
	mu     struct { // held by Read while it waits
		sync.Mutex
		read   int64
		waited time.Duration
		err    error // why there is no more; io.EOF is the good reason
	}
	src io.Reader // fasthttp's; guarded by mu, nil after finish
}

func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mu.err != nil {
		return 0, u.mu.err
	}
	start := time.Now()
	u.c.SetReadDeadline(start.Add(u.c.in.BodyTimeout))
	if u.closed.Load() {
		return 0, errBodyClosed
	}
	n, err := u.src.Read(p)
	u.mu.waited += time.Since(start)
	u.mu.read += int64(n)
	u.mu.err = u.judgeLocked(err)
	return n, u.mu.err
}

// judgeLocked decides whether the body goes on after a read that ended with err.
func (u *upload) judgeLocked(err error) error {
	switch {
	case u.mu.read > u.c.in.BodyBytes:
		return errBodyTooLong
	case err == io.EOF && (u.length < 0 || u.mu.read == u.length):
		return io.EOF
	case u.closed.Load():
		return errBodyClosed
	case isTimeout(err):
		return errBodySlow
	case err != nil:
		return errBodyBroken
	case u.mu.waited > patience && float64(u.mu.read) < u.mu.waited.Seconds()*float64(u.c.in.BodyRate):
		return errBodySlow
	}
	return nil
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// Close ends the body for its reader, a Read that waits too.
func (u *upload) Close() error {
	u.closed.Store(true)
	if u.mu.TryLock() {
		u.mu.Unlock() // nobody waits
		return nil
	}
	return u.c.stopReading()
}

// finish takes fasthttp's reader away, which is used again for another request.
func (u *upload) finish() {
	if u == nil {
		return
	}
	u.Close()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.src = nil
	if u.mu.err == nil {
		u.mu.err = errBodyClosed
	}
}

// complete reports whether the connection stands behind the body's last byte, where the next
// request begins.
func (u *upload) complete() bool {
	if u == nil {
		return true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.mu.err == io.EOF
}

// verdict returns how to answer a request whose body failed; nil when it did not.
func (u *upload) verdict() *refusal {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch u.mu.err {
	case errBodyTooLong:
		return largeBody
	case errBodySlow:
		return slowClient
	case errBodyBroken:
		return badRequest
	}
	return nil
}
