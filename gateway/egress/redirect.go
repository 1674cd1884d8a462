package egress

import (
	"net/http"
	"strings"
)

// maxRedirects is the Fetch standard's.
const maxRedirects = 20

// hop is one request on the way along the redirects of a fetch.
type hop struct {
	target *target
	method string
	header http.Header
	body   body
}

// body says what becomes of the request's body on this hop.
type body int

const (
	noBody    body = iota
	bytesBody      // can be sent again
	oneStream      // can be sent once
)

// redirectOf returns where a response redirects to.
func redirectOf(resp *http.Response) (location string, moved bool) {
	switch resp.StatusCode {
	case 301, 302, 303, 307, 308:
		location = resp.Header.Get("Location")
	}
	return location, location != ""
}

// follow returns the next hop as the Fetch standard's HTTP-redirect fetch makes it. Besides
// what the standard drops when the origin changes, cookies are dropped: nobody but the Worker
// has set them, for the origin that it named.
func (h *hop) follow(status int, location string) (*hop, error) {
	t, err := parseTarget(location, h.target)
	if err != nil {
		return nil, err
	}
	if status != 303 && h.body == oneStream {
		return nil, errReplay
	}
	next := &hop{target: t, method: h.method, header: h.header.Clone(), body: h.body}
	if (status == 301 || status == 302) && h.method == "POST" || status == 303 && h.method != "GET" && h.method != "HEAD" {
		next.method, next.body = "GET", noBody
		for name := range next.header {
			switch strings.ToLower(name) {
			case "content-encoding", "content-language", "content-location", "content-type", "content-length":
				delete(next.header, name)
			}
		}
	}
	if !t.sameOrigin(h.target) {
		for _, name := range []string{"Authorization", "Cookie", "Cookie2", "Proxy-Authorization"} {
			delete(next.header, name)
		}
	}
	return next, nil
}
