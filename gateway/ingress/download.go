package ingress

import (
	"context"
	"io"
	"sync"

	"switchyard/isolate"
)

const (
	trickleBuffer = 4 << 10  // for a stream that sends now and then
	floodBuffer   = 64 << 10 // for one that has filled the small one
)

var floodBuffers = sync.Pool{New: func() any { return new([floodBuffer]byte) }}

// download writes a response body to the client. fasthttp calls WriteTo and then Close, which
// ends the exchange; where it fails before, it calls Close alone.
//
// What a source gives is flushed at once unless it filled the buffer: an event must not wait
// for the next one.
type download struct {
	c    *conn
	resp *isolate.Response // nil when idle
	left int64             // bytes that are still due; -1 when the length is not known
	stop func() bool       // unhooks the source from the client's leaving

	trickle []byte // made for the connection's first stream
}

// start takes resp over.
func (d *download) start(resp *isolate.Response) {
	d.resp, d.left = resp, resp.Body.Size()
	if stream := resp.Body.Stream; stream != nil {
		d.stop = context.AfterFunc(d.c.exchange.event.Context, func() { stream.Close() })
	}
}

// SupportsBodyWriteTo tells fasthttp to use WriteTo.
func (d *download) SupportsBodyWriteTo() bool { return true }

// Read is what fasthttp asks of every stream, and does not use.
func (d *download) Read([]byte) (int, error) { panic("BUG: download is written by WriteTo") }

func (d *download) WriteTo(w io.Writer) (int64, error) {
	if d.resp.Body.Stream == nil {
		return writePieces(w, d.resp.Body.Bytes)
	}
	var total int64
	if d.trickle == nil {
		d.trickle = make([]byte, trickleBuffer)
	}
	buf, full := d.trickle, false
	for d.left != 0 {
		if full && len(buf) == trickleBuffer {
			big := floodBuffers.Get().(*[floodBuffer]byte)
			defer floodBuffers.Put(big)
			buf = big[:]
		}
		n, err := d.read(buf)
		if n > 0 {
			full = n == len(buf)
			if werr := writeNow(w, buf[:n], !full); werr != nil {
				return total, werr
			}
			total += int64(n)
		}
		if err == io.EOF && d.left <= 0 {
			return total, nil
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // fewer bytes than promised: the client must not take it for whole
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// read reads from the source, never more than was promised.
func (d *download) read(buf []byte) (int, error) {
	if d.left > 0 && d.left < int64(len(buf)) {
		buf = buf[:d.left]
	}
	n, err := d.resp.Body.Stream.Read(buf)
	if d.left > 0 {
		d.left -= int64(n)
	}
	return n, err
}

// Close ends the exchange. It may be called again.
func (d *download) Close() error {
	if d.resp == nil {
		return nil
	}
	if d.stop != nil {
		d.stop()
	}
	resp := d.resp
	d.resp, d.stop = nil, nil
	resp.Release()
	d.c.exchange.end()
	return nil
}

// writePieces writes a large body so that each piece has a deadline of its own.
func writePieces(w io.Writer, body []byte) (int64, error) {
	var total int64
	for len(body) > 0 {
		n, err := w.Write(body[:min(len(body), floodBuffer)])
		total += int64(n)
		if err != nil {
			return total, err
		}
		body = body[n:]
	}
	return total, nil
}

func writeNow(w io.Writer, p []byte, flush bool) error {
	if _, err := w.Write(p); err != nil {
		return err
	}
	if f, ok := w.(interface{ Flush() error }); ok && flush {
		return f.Flush()
	}
	return nil
}
