//go:build wasip1

package worker

import (
	"errors"
	"io"
	"net/http"
	"slices"

	"switchyard/isolate/abi"
)

// buffered is how much of a response is kept back: one that fits is sent in one piece when
// the handler returns. A longer one is streamed, as is one that is flushed.
const buffered = 16 << 10

// writer is the http.ResponseWriter. It also implements http.Flusher and io.ReaderFrom, which
// gives a body away that nobody read.
type writer struct {
	req    uint32
	header http.Header
	status int
	buf    []byte
	stream int32 // > 0: the response is being streamed
	done   bool
}

var errDone = errors.New("the response has been sent")

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *writer) Write(p []byte) (int, error) {
	if w.done || over(w.req) {
		return 0, errDone
	}
	w.WriteHeader(http.StatusOK)
	if w.stream == 0 && len(w.buf)+len(p) <= buffered {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if err := w.start(); err != nil {
		return 0, err
	}
	return w.send(p)
}

// Flush sends what there is, and what is written from now on at once.
func (w *writer) Flush() {
	w.WriteHeader(http.StatusOK)
	if !w.done && !over(w.req) {
		w.start()
	}
}

// ReadFrom passes a body that stays in the host on to the client, if it would be the whole
// response: its bytes never come here.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	b, ok := r.(*body)
	if !ok || b.handle == 0 || over(b.req) || w.done || w.stream != 0 || len(w.buf) > 0 {
		return io.Copy(struct{ io.Writer }{w}, r)
	}
	w.WriteHeader(http.StatusOK)
	head := w.head()
	if code := responsePass(w.req, b.handle, at(head), size(head)); code < 0 {
		return 0, abi.Code(code)
	}
	b.handle, w.done = 0, true
	return 0, nil
}

// start sends the head and what was kept back.
func (w *writer) start() error {
	if w.stream > 0 {
		return nil
	}
	head := w.head()
	if w.stream = responseStart(w.req, at(head), size(head)); w.stream < 0 {
		w.done = true
		return abi.Code(w.stream)
	}
	_, err := w.send(w.buf)
	w.buf = nil
	return err
}

func (w *writer) send(p []byte) (sent int, err error) {
	for sent < len(p) {
		if over(w.req) {
			return sent, ErrOver
		}
		n := streamWrite(w.req, w.stream, at(p[sent:]), uint32(len(p)-sent))
		if n < 0 {
			return sent, abi.Code(n)
		}
		sent += int(n)
	}
	return sent, nil
}

// head is the flat response head, names in order so that it is always the same.
func (w *writer) head() []byte {
	b := abi.AppendResponseHead(nil, w.status)
	names := make([]string, 0, len(w.header))
	for name := range w.header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range w.header[name] {
			b = abi.AppendHeader(b, 0, name, value)
		}
	}
	return b
}

// finish sends what the handler left.
func (w *writer) finish() {
	switch {
	case w.done:
	case w.stream > 0:
		streamEnd(w.req, w.stream, 0)
	default:
		w.WriteHeader(http.StatusOK)
		if w.header.Get("Content-Type") == "" && len(w.buf) > 0 {
			w.header.Set("Content-Type", http.DetectContentType(w.buf))
		}
		head := w.head()
		if code := responseSend(w.req, at(head), size(head), at(w.buf), size(w.buf)); code < 0 {
			panic(abi.Code(code))
		}
	}
	w.done = true
}

// abort lets the reader of a response that is under way know that it ends too early.
func (w *writer) abort() {
	if w.stream > 0 && !w.done {
		streamEnd(w.req, w.stream, 1)
	}
	w.done = true
}
