//go:build wasip1

package worker

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"unsafe"

	"switchyard/isolate/abi"
)

var handler http.Handler = http.NotFoundHandler()

// Handle makes h the Worker. Call it from an init function.
func Handle(h http.Handler) { handler = h }

// HandleFunc makes f the Worker. Call it from an init function.
func HandleFunc(f http.HandlerFunc) { handler = f }

// current is the id of the request that is being handled; 0 is none.
var current uint32

// ErrOver is what a goroutine gets that outlives its request.
var ErrOver = errors.New("the request is over")

// over says that req is not being handled any more: naming it would end the program.
func over(req uint32) bool { return req != current }

//go:wasmexport handle
func handle(req uint32) {
	current = req
	beginWaiting()
	defer func() { current = 0 }()
	w := &writer{req: req, header: http.Header{}}
	defer w.recover()
	r, err := incoming(req)
	if err != nil {
		panic(err)
	}
	handler.ServeHTTP(w, r)
	w.finish()
}

// recover turns a panic of the handler into the Worker's exception.
func (w *writer) recover() {
	switch p := recover().(type) {
	case nil:
	case Exception:
		throwText(w.req, string(p), "")
	default:
		throwText(w.req, fmt.Sprint("panic: ", p), string(debug.Stack()))
	}
	w.abort()
}

func throwText(req uint32, text, stack string) {
	const most = 32 << 10
	text, stack = text[:min(len(text), most)], stack[:min(len(stack), most)]
	b := []byte(text + stack)
	throw(req, at(b), size(text), size(stack))
}

// Exception is a value to panic with: the call ends with this text, without a stack.
type Exception string

// scratch is where heads are read to: everything is copied out of it.
var scratch = make([]byte, 4<<10)

// incoming is the request as net/http knows it.
func incoming(req uint32) (*http.Request, error) {
	raw, n := collect(scratch, func(p unsafe.Pointer, room uint32) int32 { return requestHead(req, p, room) })
	if n < 0 {
		return nil, abi.Code(n)
	}
	head := abi.RequestHead(raw)
	u, err := url.Parse(string(head.URL()))
	if err != nil {
		return nil, err
	}
	r := &http.Request{
		Method: string(head.Method()), URL: u, Host: u.Host, RequestURI: u.RequestURI(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header(head.Headers()), Body: http.NoBody,
	}
	if h := r.Header.Get("Host"); h != "" {
		r.Host = h
		r.Header.Del("Host")
	}
	if b := requestBody(req); b > 0 {
		r.Body, r.ContentLength = &body{req: req, handle: b}, contentLength(r.Header)
	}
	return r, nil
}

func header(b abi.HeaderBlock) http.Header {
	h := http.Header{}
	for len(b) > 0 {
		var name, value []byte
		name, value, b = b.Next()
		h.Add(string(name), string(value))
	}
	return h
}

func contentLength(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// body is a body that stays in the host until it is read.
type body struct {
	req      uint32
	handle   int32
	response int32 // that it belongs to; 0: the incoming request
}

var _ io.ReadCloser = (*body)(nil)

func (b *body) Read(p []byte) (int, error) {
	if b.handle == 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	if over(b.req) {
		return 0, ErrOver
	}
	if len(p) == 0 {
		return 0, nil
	}
	n := bodyRead(b.req, b.handle, at(p), size(p))
	switch {
	case n < 0:
		return 0, abi.Code(n)
	case n == 0:
		return 0, io.EOF
	}
	return int(n), nil
}

// Close gives the body up, and the response that it belongs to.
func (b *body) Close() error {
	switch {
	case b.handle == 0 || over(b.req):
	case b.response != 0:
		closeHandle(b.req, b.response)
	default:
		closeHandle(b.req, b.handle)
	}
	b.handle, b.response = 0, 0
	return nil
}
