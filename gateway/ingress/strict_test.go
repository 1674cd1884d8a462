package ingress

import (
	"strings"
	"testing"
	"time"
)

const quiet = 150 * time.Millisecond

// TestStrict holds, row by row, what fasthttp alone would let pass. The letter and number
// names the hazard.
func TestStrict(t *testing.T) {
	_, addr := start(t, mirror, func(o *Options) {
		o.BodyBytes = 100
		o.HeaderBytes = 32 << 10
		o.HeaderTimeout = time.Second
	})
	long := strings.Repeat("a", 17<<10)
	cases := []struct {
		name, raw string
		status    int
		closed    bool
	}{
		{"F1 chunk that is no chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n\r\n", 400, true},
		{"F2 length over the limit", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", 413, true},
		{"F2 chunks over the limit", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n66\r\n" + strings.Repeat("x", 102) + "\r\n0\r\n\r\n", 413, true},
		{"F3 version 9.9", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505, true},
		{"F3 version 2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, true},
		{"F3 preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, true},
		{"F5 absolute form of another host", "GET http://evil.com/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"F5 absolute form of another port", "GET http://h:81/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"F5 absolute form of the same host", "GET http://H:80/x HTTP/1.1\r\nHost: h\r\n\r\n", 200, false},
		{"F5 absolute form with user", "GET http://h@h/x HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"F5 absolute form of another scheme", "GET ftp://h/x HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"F6 list of hosts", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400, true},
		{"F6 user in host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, true},
		{"F6 broken address", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, true},
		{"F6 escape in host", "GET / HTTP/1.1\r\nHost: %61\r\n\r\n", 400, true},
		{"F6 two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true},
		{"F6 empty host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400, true},
		{"F7 1.0 without host", "GET / HTTP/1.0\r\n\r\n", 400, true},
		{"F7 1.0 with host", "GET / HTTP/1.0\r\nHost: h\r\n\r\n", 200, true},
		{"F8 length and coding", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true},
		{"F8 coding and length", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, true},
		{"F9 folded header", "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n 2\r\n\r\n", 400, true},
		{"F9 folded first header", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, true},
		{"F10 identity and length", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na", 400, true},
		{"F10 identity", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", 501, true},
		{"F10 gzip, chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, true},
		{"F10 chunked twice", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501, true},
		{"F11 header of 20 KiB", "GET / HTTP/1.1\r\nHost: h\r\nCookie: " + long + "\r\n\r\n", 200, false},
		{"F11 header of 34 KiB", "GET / HTTP/1.1\r\nHost: h\r\nCookie: " + long + long + "\r\n\r\n", 431, true},
		{"F11 target of 17 KiB", "GET /" + long + " HTTP/1.1\r\nHost: h\r\n\r\n", 414, true},
		{"F11 300 headers", "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: b\r\n", 300) + "\r\n", 431, true},
		{"F17 CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405, true},
		{"F17 TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405, true},
		{"F17 lower case", "get / HTTP/1.1\r\nHost: h\r\n\r\n", 501, true},
		{"F17 unknown", "FROBNICATE / HTTP/1.1\r\nHost: h\r\n\r\n", 501, true},
		{"F17 WebDAV", "PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n", 200, false},
		{"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400, true},
		{"signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400, true},
		{"list of lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1,1\r\n\r\na", 400, true},
		{"blank before colon", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\na", 400, true},
		{"bare LF", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400, true},
		{"control in value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n\r\n", 400, true},
		{"NUL in value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", 400, true},
		{"blank in name", "GET / HTTP/1.1\r\nHost: h\r\nX Y: a\r\n\r\n", 400, true},
		{"empty name", "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", 400, true},
		{"fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"OPTIONS of the server", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 200, true},
		{"star with GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"TLS on the plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, true},
		{"unknown expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\na", 417, true},
		{"expectation, body too large", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n", 413, true},
		{"connection: Close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Close\r\n\r\n", 200, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := send(t, addr, c.raw, 400*time.Millisecond)
			if r.status() != c.status || r.finals() != 1 || len(r.rest) > 0 || r.closed != c.closed {
				t.Errorf("status %d in %d responses, closed %v, rest %q; want %d in one, closed %v\n%s", r.status(), r.finals(), r.closed, r.rest, c.status, c.closed, r.raw)
			}
		})
	}
}

func TestExpectContinue(t *testing.T) {
	_, addr := start(t, mirror, nil)
	r := send(t, addr, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", quiet)
	if len(r.responses) != 2 || r.responses[0].StatusCode != 100 || r.responses[1].StatusCode != 200 || !strings.Contains(r.bodies[1], "body: OK 3") {
		t.Errorf("%s", r.raw)
	}
}

func TestPipelined(t *testing.T) {
	_, addr := start(t, mirror, nil)
	r := send(t, addr, "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcPOST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n", quiet)
	if r.finals() != 3 || r.closed {
		t.Fatalf("%s", r.raw)
	}
	for i, want := range []string{"POST http://h/1\n", "POST http://h/2\n", "GET http://h/3\n"} {
		if !strings.HasPrefix(r.bodies[i], want) {
			t.Errorf("response %d is %q, want %q", i, r.bodies[i], want)
		}
	}
}

// TestSlow covers F12: a header that drips is cut at the header's time, a body that drips at
// the body's rate; a torn body never gets a 200.
func TestSlow(t *testing.T) {
	_, addr := start(t, mirror, func(o *Options) {
		o.HeaderTimeout = 200 * time.Millisecond
		o.BodyTimeout = 300 * time.Millisecond
	})
	for _, c := range []struct {
		name, raw string
		status    int
	}{
		{"header", "GET / HTTP/1.1\r\nHos", 408},
		{"small body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc", 408},
		{"large body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" + strings.Repeat("x", 100000), 408},
		{"chunked body", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", 408},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := send(t, addr, c.raw, 2*time.Second)
			if r.status() != c.status || r.finals() != 1 || !r.closed {
				t.Errorf("got %q, closed %v", r.raw, r.closed)
			}
		})
	}
}
