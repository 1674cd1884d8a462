package egress

import (
	"fmt"
	"io"
	"net/http/httputil"
	"time"
)

// upload sends a body that comes bit by bit, while the answer may be read already. Its goroutine is started by perform
// and ends with the body or the connection; finished waits for it, a connection that is closed does not.
type upload struct {
	done chan struct{}
	err  error // of the body's source; valid after done
}

func startUpload(x *exchange, out *outgoing) *upload {
	u := &upload{done: make(chan struct{})}
	out.refs.Add(1)
	go func() {
		defer close(u.done)
		defer out.release()
		if u.err = u.send(x, out); u.err != nil {
			x.conn.Close() // the answer will not come
		} else if !x.headed.Load() {
			x.conn.SetReadDeadline(time.Now().Add(x.transport.HeadTimeout))
		}
	}()
	return u
}

// send returns the error of the source. One of the connection is for whoever reads the answer to see.
func (u *upload) send(x *exchange, out *outgoing) error {
	r, length := out.body()
	to, source := &patient{x: x}, &failing{r: r}
	if length >= 0 {
		n, _ := io.Copy(to, io.LimitReader(source, length))
		if source.err == nil && to.err == nil && n < length {
			return fmt.Errorf("%w: the body has %d bytes instead of %d", io.ErrUnexpectedEOF, n, length)
		}
	} else {
		chunks := httputil.NewChunkedWriter(to)
		if _, err := io.Copy(chunks, source); err == nil {
			chunks.Close()
			io.WriteString(to, "\r\n") // no trailers
		}
	}
	return source.err
}

// patient gives every piece its time.
type patient struct {
	x   *exchange
	err error
}

func (p *patient) Write(b []byte) (n int, err error) {
	if p.err = p.x.conn.SetWriteDeadline(time.Now().Add(p.x.transport.HeadTimeout)); p.err != nil {
		return 0, p.err
	}
	n, p.err = p.x.conn.Write(b)
	return n, p.err
}

// failing keeps the error of what it reads.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// finished reports that all was sent, which a moment is waited for.
func (u *upload) finished() bool {
	if u == nil {
		return true
	}
	select {
	case <-u.done:
		return u.err == nil
	case <-time.After(uploadGrace):
		return false
	}
}

// blame returns what went wrong first: the source, if it did, else the answer, which was err.
func (u *upload) blame(err error) error {
	if u == nil {
		return err
	}
	select {
	case <-u.done:
		if u.err != nil {
			return u.err
		}
	default:
	}
	return err
}
