package egress

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// smallBody is read whole before the response is handed on: it travels as bytes, and its
// connection is free at once.
const smallBody = 16 << 10

// incoming makes the Worker's view of an origin's response. It owns x.
func (c *Client) incoming(r *http.Response, x *exchange, pass *passage, from *target) (*isolate.Response, error) {
	head, err := responseHead(r)
	if err != nil {
		x.close()
		return nil, pass.end(err)
	}
	resp := &isolate.Response{Head: head, URL: from.href, StatusText: reason(r)}
	body := &receiving{response: r, exchange: x, pass: *pass, left: pass.bytes, timeout: c.ReadTimeout}
	switch n := r.ContentLength; {
	case r.Body == http.NoBody:
		x.finish(r)
		pass.end(nil)
	case n > pass.bytes:
		x.close()
		return nil, pass.end(errTooLarge)
	case n >= 0 && n <= smallBody:
		defer body.Close()
		resp.Body.Bytes = make([]byte, n)
		if _, err = io.ReadFull(body, resp.Body.Bytes); err != nil {
			return nil, err
		}
	default:
		resp.Body = isolate.Body{Stream: body, Length: n}
	}
	return resp, nil
}

// reason is the origin's own reason phrase; "" when it is the status' own.
func reason(r *http.Response) string {
	_, text, _ := strings.Cut(r.Status, " ")
	if len(text) > maxReason || text == http.StatusText(r.StatusCode) && r.StatusCode < 400 {
		return ""
	}
	for _, c := range []byte(text) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return ""
		}
	}
	return text
}

// maxReason is what isolate.Response allows.
const maxReason = 512

// hopByHop are the response headers that end here.
var hopByHop = map[string]bool{"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true}

// responseHead checks a head and makes it flat. Names come in order of the alphabet; the
// values of one name in the order in which they came.
func responseHead(r *http.Response) (abi.ResponseHead, error) {
	if r.StatusCode < 200 || r.StatusCode > 599 {
		return nil, errResponse
	}
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		if !hopByHop[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	head := abi.AppendResponseHead(make([]byte, 0, 1024), r.StatusCode)
	for _, name := range names {
		for _, value := range r.Header[name] {
			head = abi.AppendHeader(head, 0, name, value)
		}
	}
	if r.Header["Content-Length"] == nil && r.ContentLength > 0 {
		head = abi.AppendHeader(head, 0, "content-length", strconv.FormatInt(r.ContentLength, 10))
	}
	checked, err := abi.ParseResponseHead(head)
	if err != nil {
		return nil, errResponse
	}
	return checked, nil
}

// receiving is a response body: counted, and ended when its origin falls silent. Close may
// come from another goroutine and ends a Read. Nobody closes response.Body: that would read it to its end.
type receiving struct {
	response *http.Response
	exchange *exchange
	pass     passage
	left     int64 // bytes that may still come
	timeout  time.Duration
	ended    bool // the connection is another's by now
}

func (r *receiving) Read(p []byte) (int, error) {
	if r.ended {
		return 0, io.EOF
	}
	if c := r.exchange.conn; c.in.Buffered() == 0 {
		c.SetReadDeadline(time.Now().Add(r.timeout)) // of this Read: a Worker may take its time between them
	}
	n, err := r.response.Body.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, errTooLarge
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		r.ended = true
		r.exchange.finish(r.response)
		r.pass.end(nil)
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, errTimeout
	}
	return n, r.pass.end(errLost)
}

func (r *receiving) Close() error {
	r.exchange.close()
	r.pass.end(nil)
	return nil
}
