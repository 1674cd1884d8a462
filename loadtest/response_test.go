package loadtest

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestResponse: every answer is read alike, however its bytes are cut up.
func TestResponse(t *testing.T) {
	for _, c := range []struct {
		text, body string
		status     int
		state      responseState
		close      bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, complete, false},
		{"HTTP/1.1 204 No Content\r\n\r\n", "", 204, complete, false},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", 304, complete, false},
		{"HTTP/1.1 200\r\ncontent-length:0\r\nConnection: Close\r\n\r\n", "", 200, complete, true},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", "x", 201, complete, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n", "abcde", 200, complete, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "a", 200, complete, false},
		{"HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end", 200, untilClose, true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "hello", 200, inBody, false},
	} {
		for seed := range uint64(20) {
			var r response
			r.begin(100)
			feedInPieces(t, &r, c.text, rand.New(rand.NewPCG(seed, 0)))
			if r.status != c.status || string(r.body) != c.body || r.state != c.state || r.close != c.close {
				t.Errorf("%q, seed %d: %d %q %d %v", c.text, seed, r.status, r.body, r.state, r.close)
			}
		}
	}
}

func feedInPieces(t *testing.T, r *response, text string, random *rand.Rand) {
	for text != "" {
		n := 1 + random.IntN(len(text))
		if err := r.feed([]byte(text[:n])); err != nil {
			t.Fatalf("%v in front of %q", err, text)
		}
		text = text[n:]
	}
}

func TestBadResponses(t *testing.T) {
	for _, text := range []string{
		"SSH-2.0\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", maxLine), "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", maxLines),
	} {
		var r response
		r.begin(100)
		if err := r.feed([]byte(text)); err == nil {
			t.Errorf("%.60q was accepted", text)
		}
	}
}

// TestStamp: whose answer a wrong body is.
func TestStamp(t *testing.T) {
	hello, stream := newKind("js-hello", 0), newKind("stream", 3)
	e := expected{kind: &hello, class: "a", tenant: 7, seq: 12, oldest: 3, newest: 4}
	for body, want := range map[string]outcome{
		"lt-a-7 000003 000000000012\n":  ok,
		"lt-a-7 000004 000000000012\n":  ok,
		"lt-a-7 000002 000000000012\n":  stale,
		"lt-a-7 000005 000000000012\n":  stale,
		"lt-a-70 000003 000000000012\n": leak,
		"lt-b-7 000003 000000000012\n":  leak,
		"lt-a-7 000003 000000000013\n":  leak,
		"lt-a-7 000003 000000000012":    mismatch,
		"":                              mismatch,
	} {
		if got, _ := e.check([]byte(body), nil); got != want {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	}
	e.kind = &stream
	line := "lt-a-7 000003 000000000012\n"
	for body, want := range map[string]outcome{line + line + line: ok, line + line: mismatch, line + line + strings.Replace(line, "12\n", "13\n", 1): leak} {
		if got, _ := e.check([]byte(body), nil); got != want {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	}
	if e.length() != 3*len(line) {
		t.Errorf("length %d", e.length())
	}
}
