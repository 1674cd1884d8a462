package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nlnwa/whatwg-url/url"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// Redirect modes of a Subrequest; "manual" is the third.
const (
	redirectFollow = "follow"
	redirectError  = "error"
)

// maxRedirects is the Fetch standard's.
const maxRedirects = 20

var (
	errRedirect  = errors.New("Unexpected redirect response: the request's redirect mode is \"error\".")
	errRedirects = fmt.Errorf("Too many redirects: more than %d.", maxRedirects)
	errReplay    = errors.New("The request's body cannot be sent again to where it is redirected.")
)

// follow calls a Worker in redirect mode "follow" or "error". Egress follows redirects itself,
// but what a Worker answers is followed here, and every hop goes through the Worker again: a
// redirect is no way around an outbound Worker.
func (inv *invocation) follow(ctx context.Context, sub *isolate.Subrequest) (*isolate.Response, error) {
	first := acquireHop(sub.Request)
	defer first.release()
	h := first
	for followed := 0; ; followed++ {
		resp, err := inv.callWorker(ctx, sub)
		if err != nil {
			return nil, err
		}
		location := redirectOf(resp)
		if location == nil {
			if followed > 0 {
				resp.URL, resp.Redirected = string(h.head.URL()), true
			}
			return resp, nil
		}
		err = errRedirect
		if sub.Redirect == redirectFollow && followed == maxRedirects {
			err = errRedirects
		} else if sub.Redirect == redirectFollow {
			h, err = h.next(resp.Head.Status(), string(location))
		}
		resp.Release()
		if err != nil {
			return nil, err
		}
		sub.Request = h.request()
	}
}

// redirectOf returns where resp redirects to; nil when it does not.
func redirectOf(resp *isolate.Response) []byte {
	switch resp.Head.Status() {
	case 301, 302, 303, 307, 308:
		return resp.Head.Headers().Get("location")
	}
	return nil
}

// hop is what a redirect needs to know of the request before: a copy, since the request itself
// was given away.
type hop struct {
	head abi.RequestHead
	body []byte
	once bool // the body cannot be sent again: it was a stream, or more than maxReplay bytes
}

const maxReplay = 256 << 10

// hops keeps first hops, of which most never meet a redirect.
var hops = sync.Pool{New: func() any { return new(hop) }}

func acquireHop(req *isolate.Request) *hop {
	h := hops.Get().(*hop)
	h.head = append(h.head[:0], req.Head...)
	h.body = h.body[:0]
	h.once = req.Body.Stream != nil || len(req.Body.Bytes) > maxReplay
	if !h.once {
		h.body = append(h.body, req.Body.Bytes...)
	}
	return h
}

func (h *hop) release() { hops.Put(h) }

// request makes the request of a hop that next has made: it may keep both head and body.
func (h *hop) request() *isolate.Request {
	return &isolate.Request{Head: h.head, Body: isolate.Body{Bytes: h.body}}
}

// next is the Fetch standard's HTTP-redirect fetch.
func (h *hop) next(status int, location string) (*hop, error) {
	from, err := url.Parse(string(h.head.URL()))
	if err != nil {
		return nil, err
	}
	to, err := from.Parse(location)
	if err != nil || to.Scheme() != "http" && to.Scheme() != "https" {
		return nil, fmt.Errorf("Invalid redirect: %.200q is not a URL that can be fetched.", location)
	}
	method := string(h.head.Method())
	get := (status == 301 || status == 302) && method == "POST" || status == 303 && method != "GET" && method != "HEAD"
	if h.once && !get {
		return nil, errReplay
	}
	next := new(hop)
	if get {
		method = "GET"
	} else if len(h.body) > 0 {
		next.body = bytes.Clone(h.body)
	}
	next.head = abi.AppendRequestHead(nil, method, to.Href(true))
	away := from.Protocol() != to.Protocol() || from.Host() != to.Host()
	for rest := h.head.Headers(); len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		if !(get && ofBody(name) || away && ofOrigin(name)) {
			next.head = abi.AppendHeader(next.head, 0, name, value)
		}
	}
	return next, nil
}

// ofBody says that a header describes the body, which is left behind when a redirect makes a GET.
func ofBody(name []byte) bool {
	switch string(name) {
	case "content-encoding", "content-language", "content-location", "content-type", "content-length":
		return true
	}
	return false
}

// ofOrigin says that a header was meant for the origin that was asked for only.
func ofOrigin(name []byte) bool {
	switch string(name) {
	case "authorization", "cookie", "proxy-authorization", "host":
		return true
	}
	return false
}
