package isolate

import (
	"io"
	"sync"

	"switchyard/isolate/abi"
)

// Request is a request on its way between ingress, Workers and egress. Its head is flat
// (abi.RequestHead); its URL is absolute and serialised as WHATWG does.
//
// Ownership: whoever is handed a *Request owns it and calls Release exactly once, after
// which neither Head nor Body.Bytes may be touched. A Stream that was moved out of it lives on.
type Request struct {
	Head abi.RequestHead
	Body Body
	// Free, when not nil, is called once by Release: it gives the buffers back to their pool.
	Free func(*Request)

	buf []byte
}

// Release closes the body and gives the buffers back.
func (r *Request) Release() {
	r.Body.Close()
	if free := r.Free; free != nil {
		r.Free = nil
		free(r)
	}
}

// Response is a response on its way back. The same ownership as Request.
type Response struct {
	Head abi.ResponseHead
	Body Body
	URL  string // final URL after redirects; "" when it is not known
	// Redirected says that URL is not the URL that was asked for.
	Redirected bool
	// StatusText is the reason phrase (RFC 9112, 4), at most 512 bytes; "" is the status' own.
	StatusText string
	Free       func(*Response)

	buf []byte
}

// Release closes the body and gives the buffers back.
func (r *Response) Release() {
	r.Body.Close()
	if free := r.Free; free != nil {
		r.Free = nil
		free(r)
	}
}

// headOnly is a copy of r without its body; r is released.
func (r *Response) headOnly() *Response {
	h := newResponse()
	h.buf = append(h.buf[:0], r.Head...)
	h.Head = abi.ResponseHead(h.buf[:len(h.buf):len(h.buf)])
	h.URL, h.Redirected, h.StatusText = r.URL, r.Redirected, r.StatusText
	r.Release()
	return h
}

// Body is at most one of Bytes and Stream. The zero Body is no body at all.
type Body struct {
	Bytes  []byte
	Stream io.ReadCloser // read by one goroutine; Close may come from another and ends a Read
	Length int64         // of Stream in bytes; -1 when it is not known. Unused with Bytes.
}

// Close lets a stream's producer know that nobody will read on.
func (b *Body) Close() {
	if b.Stream != nil {
		b.Stream.Close()
	}
	*b = Body{}
}

// Size returns the length in bytes, -1 when it is not known.
func (b *Body) Size() int64 {
	if b.Stream != nil {
		return b.Length
	}
	return int64(len(b.Bytes))
}

// empty says that there is nothing to read.
func (b *Body) empty() bool { return b.Stream == nil && len(b.Bytes) == 0 }

// maxPooled bounds the buffers that pooled exchanges keep.
const maxPooled = 64 << 10

var (
	requests  = sync.Pool{New: func() any { return new(Request) }}
	responses = sync.Pool{New: func() any { return new(Response) }}
)

func newRequest() *Request {
	r := requests.Get().(*Request)
	r.Free = freeRequest
	return r
}

func freeRequest(r *Request) {
	if cap(r.buf) > maxPooled {
		r.buf = nil
	}
	*r = Request{buf: r.buf[:0]}
	requests.Put(r)
}

func newResponse() *Response {
	r := responses.Get().(*Response)
	r.Free = freeResponse
	return r
}

func freeResponse(r *Response) {
	if cap(r.buf) > maxPooled {
		r.buf = nil
	}
	*r = Response{buf: r.buf[:0]}
	responses.Put(r)
}

// fill copies head and body into the request's own buffer.
func (r *Request) fill(head, body []byte) {
	r.buf = append(append(r.buf[:0], head...), body...)
	r.Head = abi.RequestHead(r.buf[:len(head):len(head)])
	if len(body) > 0 {
		r.Body.Bytes = r.buf[len(head):len(r.buf):len(r.buf)]
	}
}
