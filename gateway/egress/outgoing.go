package egress

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"switchyard/gateway"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// outgoing holds a Worker's request until nobody uses its buffers any more: it may
// still be sent after the response has come.
type outgoing struct {
	req    *isolate.Request
	target *target
	method string
	wire   *wire // the request's head, and a small body behind it
	refs   atomic.Int32
}

// wire is a buffer for what is sent in one piece.
type wire struct{ b []byte }

var wires = sync.Pool{New: func() any { return &wire{make([]byte, 0, 1024)} }}

const (
	maxWire  = 64 << 10 // a buffer that grew beyond is not kept
	onePiece = 16 << 10 // bodies up to this size are sent with the head
)

func newOutgoing(req *isolate.Request) *outgoing {
	o := &outgoing{req: req, wire: wires.Get().(*wire)}
	o.refs.Store(1)
	return o
}

func (o *outgoing) release() {
	if o.refs.Add(-1) > 0 {
		return
	}
	if cap(o.wire.b) <= maxWire {
		o.wire.b = o.wire.b[:0]
		wires.Put(o.wire)
	}
	o.req.Release()
}

// kept says which request headers stay at home: what is hop by hop, what is written here,
// and what tells an origin who the client is in the platform's name.
func kept(name string) bool {
	switch name {
	case "host", "content-length", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer",
		"transfer-encoding", "upgrade", "expect", "cf-connecting-ip", "cf-connecting-ipv6", "cf-ray", "cf-visitor", "cf-worker",
		"cf-ew-via", "cf-ipcountry", "true-client-ip", "accept-encoding":
		return true
	}
	return strings.HasPrefix(name, "x-switchyard-")
}

// prepare checks the request and writes its head, the Worker's headers in their order, their names as most
// clients spell them.
func (o *outgoing) prepare(hops string) (err error) {
	if o.target, err = parseTarget(o.req.Head.URL()); err != nil {
		return err
	}
	switch o.method = methodOf(o.req.Head.Method()); o.method {
	case "CONNECT", "TRACE", "TRACK":
		return errMethod
	}
	b := append(o.wire.b[:0], o.method...)
	b = append(append(append(b, ' '), o.target.path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, o.target.authority()...), "\r\n"...)
	named := namedByConnection(o.req.Head.Headers())
	var encodings []string
	for rest := o.req.Head.Headers(); len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		if string(name) == "accept-encoding" {
			encodings = append(encodings, string(value))
		}
		if !kept(string(name)) && (named == nil || !named[string(name)]) {
			b = appendHeader(b, name, value)
		}
	}
	b = append(append(append(b, "Accept-Encoding: "...), acceptEncoding(encodings)...), "\r\n"...)
	b = append(append(appendName(b, gateway.LoopHeader), ": "...), hops...)
	b = append(b, "\r\n"...)
	b = o.appendLength(b)
	b = append(b, "\r\n"...)
	if !o.uploads() {
		b = append(b, o.req.Body.Bytes...)
	}
	o.wire.b = b
	return nil
}

// appendLength says how the body is framed (RFC 9112, 6). A method that means to send something says so also
// when it sends nothing.
func (o *outgoing) appendLength(b []byte) []byte {
	n := int64(len(o.req.Body.Bytes))
	if o.req.Body.Stream != nil {
		n = o.req.Body.Length
	}
	switch {
	case n < 0:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	case n == 0 && o.method != "POST" && o.method != "PUT" && o.method != "PATCH":
		return b
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), n, 10)
	return append(b, "\r\n"...)
}

// namedByConnection are the headers that the Worker's own Connection header names, in lower case; nearly always nil.
func namedByConnection(headers abi.HeaderBlock) (named map[string]bool) {
	for len(headers) > 0 {
		var name, value []byte
		name, value, headers = headers.Next()
		if string(name) != "connection" {
			continue
		}
		for member := range strings.SplitSeq(string(value), ",") {
			if named == nil {
				named = map[string]bool{}
			}
			named[strings.ToLower(strings.TrimSpace(member))] = true
		}
	}
	return named
}

func appendHeader(b, name, value []byte) []byte {
	b = append(append(appendName(b, string(name)), ": "...), value...)
	return append(b, "\r\n"...)
}

// appendName writes a lower-case name as Content-Type is written.
func appendName(b []byte, name string) []byte {
	start := true
	for _, c := range []byte(name) {
		if start && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		start = c == '-'
		b = append(b, c)
	}
	return b
}

// methodOf is the method as a string, for the common ones without an allocation.
func methodOf(b []byte) string {
	switch string(b) {
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "HEAD":
		return "HEAD"
	}
	return string(b)
}

// acceptEncoding is what an origin may answer in: what a Worker can read. One that passes its
// client's headers on may ask for less, not for what nobody here decodes: it would read that as text.
func acceptEncoding(asked []string) string {
	if asked == nil {
		return "gzip, br"
	}
	var known []string
	for member := range strings.SplitSeq(strings.Join(asked, ","), ",") {
		member = strings.TrimSpace(member)
		name, _, _ := strings.Cut(member, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "br", "identity":
			known = append(known, member)
		}
	}
	if known == nil {
		return "identity"
	}
	return strings.Join(known, ", ")
}

// uploads says that the body is sent while the answer may come already: it is a stream, or so long that its origin may want
// to answer before it has read it all.
func (o *outgoing) uploads() bool {
	body := &o.req.Body
	return body.Stream != nil && body.Length != 0 || len(body.Bytes) > onePiece
}

// body is what uploads says is sent; length -1 is unknown.
func (o *outgoing) body() (r io.Reader, length int64) {
	if body := &o.req.Body; body.Stream != nil {
		return body.Stream, body.Length
	}
	return bytes.NewReader(o.req.Body.Bytes), int64(len(o.req.Body.Bytes))
}

// repeatable says that the request may go out twice (RFC 9110, 9.2.2), and can.
func (o *outgoing) repeatable() bool {
	switch o.method {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return o.req.Body.Stream == nil
	}
	return false
}
