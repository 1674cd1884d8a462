package isolate

import (
	"io"

	"switchyard/isolate/abi"
)

// Request is a request on its way between ingress, Workers and egress. Its head is flat
// (abi.RequestHead); its URL is absolute and serialised as WHATWG does.
//
// Ownership: whoever is handed a *Request owns it and calls Release exactly once, after
// which neither Head nor Body.Bytes may be touched.
type Request struct {
	Head abi.RequestHead
	Body Body
	// Free, when not nil, is called once by Release: it gives the buffers back to their pool.
	Free func(*Request)
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
	Free       func(*Response)
}

// Release closes the body and gives the buffers back.
func (r *Response) Release() {
	r.Body.Close()
	if free := r.Free; free != nil {
		r.Free = nil
		free(r)
	}
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
