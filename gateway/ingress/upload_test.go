package ingress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// TestBodyRate: a body that drips is let go once it was waited for long enough; one whose
// Worker does not read is not.
func TestBodyRate(t *testing.T) {
	in := &Ingress{Options: Options{BodyRate: 240, BodyBytes: 1 << 20}}
	for _, c := range []struct {
		read   int64
		waited time.Duration
		want   error
	}{
		{0, 9 * time.Second, nil},
		{100, 11 * time.Second, errBodySlow},
		{240 * 12, 11 * time.Second, nil},
		{240 * 50, 60 * time.Second, errBodySlow},
		{1<<20 + 1, time.Second, errBodyTooLong},
	} {
		u := &upload{c: &conn{in: in}, length: -1}
		u.mu.read, u.mu.waited = c.read, c.waited
		if got := u.judgeLocked(nil); got != c.want {
			t.Errorf("%d bytes in %v: %v, want %v", c.read, c.waited, got, c.want)
		}
	}
}

// TestTornBody: fasthttp takes a body that ends early for a whole one.
func TestTornBody(t *testing.T) {
	seen := make(chan error, 1)
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		defer ev.Request.Release()
		_, err := io.Copy(io.Discard, ev.Request.Body.Stream)
		seen <- err
		return text(200, "whole"), nil
	}, nil)
	for _, raw := range []string{
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000),
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nabc",
	} {
		c := dial(t, addr)
		io.WriteString(c, raw)
		c.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(c)
		if err := <-seen; !errors.Is(err, errBodyBroken) || bytes.Contains(got, []byte("200 OK")) {
			t.Errorf("the Worker saw %v, the client %q", err, got)
		}
	}
}

// TestEarlyAnswer: a client that is still sending gets its answer, not a reset.
func TestEarlyAnswer(t *testing.T) {
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		ev.Request.Release()
		return text(403, "no"), nil
	}, nil)
	for range 20 {
		c := dial(t, addr)
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
		go c.Write(make([]byte, 200000))
		got, err := io.ReadAll(c)
		if err != nil || !bytes.HasSuffix(got, []byte("\r\n\r\nno")) {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// TestRequestOutlivesExchange: what the engine has not released stays as it is, whatever the
// connection does meanwhile; a body that is read too late fails and does not take bytes of the
// next request.
func TestRequestOutlivesExchange(t *testing.T) {
	kept := make(chan *isolate.Request, 10)
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		kept <- ev.Request
		return text(200, "ok"), nil
	}, nil)
	c, buf := dial(t, addr), make([]byte, 4096)
	for i := range 5 {
		fmt.Fprintf(c, "POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n%d%d", i, i, i)
		if _, err := c.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	io.WriteString(c, "POST /5 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
	io.ReadAll(c)
	for i := range 5 {
		r := <-kept
		if want := fmt.Sprintf("http://h/%d", i); string(r.Head.URL()) != want || string(r.Body.Bytes) != fmt.Sprint(i, i)[:1]+fmt.Sprint(i) {
			t.Errorf("request %d became %s with %q", i, r.Head.URL(), r.Body.Bytes)
		}
		r.Release()
	}
	late := <-kept
	if n, err := late.Body.Stream.Read(buf); n != 0 || err == nil {
		t.Errorf("a body was read after its exchange: %d, %v", n, err)
	}
	late.Release()
}

// TestClientThatDoesNotRead: a response that nobody takes is let go after WriteTimeout.
func TestClientThatDoesNotRead(t *testing.T) {
	released := make(chan bool)
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		ev.Request.Release()
		resp := streamed(io.NopCloser(endless{}), -1)
		resp.Free = func(*isolate.Response) { close(released) }
		return resp, nil
	}, func(o *Options) { o.WriteTimeout = 300 * time.Millisecond })
	c := dial(t, addr)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	select {
	case <-released:
	case <-time.After(5 * time.Second):
		t.Error("the response is still being written")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// FuzzHeader: a header block that is accepted makes a head that the ABI accepts, and never one
// that says what only we may say.
func FuzzHeader(f *testing.F) {
	in, err := New(Options{Handler: handlerFunc(mirror)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(in.watcher.close)
	client, server := net.Pipe()
	f.Cleanup(func() { client.Close() })
	for _, s := range []string{"Host: h\r\n\r\n", "Host: h\r\nCF-Ray: x\r\nConnection: a, b\r\nA: 1\r\n\r\n", "Host: h\r\n X: y\r\n", "Host: \xc3\xa9:80\r\nX-Switchyard-Token: \r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		x := &newConn(in, server).exchange
		if x.header.read(raw, false) != nil || x.header.hosts != 1 {
			return
		}
		where, ok := x.c.authority(x.header.host)
		if !ok {
			return
		}
		r := acquireRequest()
		defer r.Release()
		r.url = where.append(append(r.url[:0], "http://"...), false)
		x.fillHead(r, []byte("GET"), where, false)
		head, err := abi.ParseRequestHead(r.Head)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		for b := head.Headers(); len(b) > 0; {
			var name, value []byte
			name, value, b = b.Next()
			if hasPrefix(name, "x-switchyard-") || hasPrefix(name, "x-forwarded-") || hasPrefix(name, "cf-") && string(name) != "cf-connecting-ip" || hasPrefix(name, "cf-") && string(value) != x.c.peer.text {
				t.Fatalf("%q: %s: %s came through", raw, name, value)
			}
		}
	})
}
