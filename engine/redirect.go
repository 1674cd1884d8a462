package engine

import (
	"fmt"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// redirectOf returns where resp redirects to; "" when it does not. A Location that is empty leads
// nowhere, as in browsers.
func redirectOf(resp *isolate.Response) string {
	switch resp.Head.Status() {
	case 301, 302, 303, 307, 308:
		return string(resp.Head.Headers().Get("location"))
	}
	return ""
}

// hop is one request on the way along the redirects of a fetch.
type hop struct {
	head abi.RequestHead
	body []byte
	once bool // the body is a stream, which cannot be sent again
}

// next is the Fetch standard's HTTP-redirect fetch. Besides what the standard drops when the
// origin changes, cookies are dropped: nobody but the Worker has set them, for the origin that
// it named.
func (h *hop) next(status int, location string) (hop, error) {
	from, err := ParseURL(string(h.head.URL()), nil)
	if err != nil {
		return hop{}, err
	}
	to, err := ParseURL(location, from)
	if err != nil || to.Scheme() != "http" && to.Scheme() != "https" {
		return hop{}, fmt.Errorf("Invalid redirect: %.200q is not a URL that can be fetched.", location)
	}
	method := string(h.head.Method())
	get := (status == 301 || status == 302) && method == "POST" || status == 303 && method != "GET" && method != "HEAD"
	if h.once && !(get && status == 303) {
		return hop{}, errReplay
	}
	next := hop{body: h.body}
	if get {
		method, next.body = "GET", nil
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
	_, err = abi.ParseRequestHead(next.head) // a longer URL may be too much for the head
	return next, err
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
	case "authorization", "cookie", "cookie2", "proxy-authorization", "host":
		return true
	}
	return false
}
