package egress

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// smallBody is read whole before the response is handed on: it travels as bytes, and its
// connection is free at once.
const smallBody = 16 << 10

// incoming makes the Worker's view of an origin's response. It owns a.
func (c *Client) incoming(a *answer, from *target) (*isolate.Response, error) {
	head, err := responseHead(a.Response)
	if err != nil {
		a.discard()
		return nil, err
	}
	resp := &isolate.Response{Head: head, URL: from.href(), StatusText: reason(a.Response)}
	receiving := newReceiving(a, c.Options)
	switch n := a.ContentLength; {
	case a.Body == http.NoBody:
		receiving.Close()
	case n > c.ResponseBytes:
		receiving.Close()
		return nil, errTooLarge
	case n >= 0 && n <= smallBody:
		defer receiving.Close()
		resp.Body.Bytes = make([]byte, n)
		if _, err = io.ReadFull(receiving, resp.Body.Bytes); err != nil {
			return nil, err
		}
	default:
		resp.Body = isolate.Body{Stream: receiving, Length: n}
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
// come from another goroutine and ends a Read.
type receiving struct {
	answer  *answer
	left    int64 // bytes that may still come
	timeout time.Duration
	timer   *time.Timer
	silent  atomic.Bool // the timer has ended the body
	close   sync.Once
}

func newReceiving(a *answer, o Options) *receiving {
	r := &receiving{answer: a, left: o.ResponseBytes, timeout: o.ReadTimeout}
	r.timer = time.AfterFunc(r.timeout, func() {
		r.silent.Store(true)
		a.cancel()
	})
	r.timer.Stop() // it runs while Read waits: a Worker may take its time
	return r
}

func (r *receiving) Read(p []byte) (int, error) {
	r.timer.Reset(r.timeout)
	n, err := r.answer.Body.Read(p)
	r.timer.Stop()
	if r.left -= int64(n); r.left < 0 {
		return 0, errTooLarge
	}
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case r.silent.Load():
		return n, errTimeout
	}
	return n, errLost
}

func (r *receiving) Close() error {
	r.close.Do(func() {
		r.timer.Stop()
		r.answer.discard()
	})
	return nil
}
