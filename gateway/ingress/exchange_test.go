package ingress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

func TestRequestHead(t *testing.T) {
	_, addr := start(t, mirror, nil)
	_, proxied := start(t, mirror, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	spoof := "CF-Connecting-IP: 6.6.6.6\r\nCF-Ray: x\r\nX-Switchyard-Loop: 1\r\nX-Real-IP: 6.6.6.6\r\nTrue-Client-IP: 6.6.6.6\r\n" +
		"Cloudflare-Workers-Version-Overrides: a=b\r\nCloudflare-Workers-Version-Key: k\r\n"
	cases := []struct{ name, addr, raw, want string }{
		{"plain", addr, "GET /a?b HTTP/1.1\r\nHost: A.example.:80\r\nAccept: */*\r\nCookie: a=1\r\nCOOKIE: b=2\r\n\r\n",
			"GET http://a.example/a?b|event-host: a.example|host: a.example|accept: */*|cookie: a=1|cookie: b=2|cf-connecting-ip: 127.0.0.1|x-real-ip: 127.0.0.1|body: OK 0"},
		{"what only we may say", addr, "GET / HTTP/1.1\r\nHost: h\r\n" + spoof + "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n\r\n",
			"GET http://h/|event-host: h|host: h|cf-connecting-ip: 127.0.0.1|x-real-ip: 127.0.0.1|body: OK 0"},
		{"hop by hop", addr, "GET / HTTP/1.1\r\nHost: h:8080\r\nConnection: keep-alive, X-Mine, cf-connecting-ip\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: websocket\r\nProxy-Authorization: x\r\n\r\n",
			"GET http://h:8080/|event-host: h|host: h:8080|cf-connecting-ip: 127.0.0.1|x-real-ip: 127.0.0.1|body: OK 0"},
		{"trusted proxy", proxied, "GET / HTTP/1.1\r\nHost: h:443\r\n" + spoof + "X-Forwarded-For: 6.6.6.6, 9.9.9.9, 127.0.0.2\r\nX-Forwarded-Proto: https\r\n\r\n",
			"GET https://h/|event-host: h|host: h|x-forwarded-for: 6.6.6.6, 9.9.9.9, 127.0.0.2|x-forwarded-proto: https|cf-connecting-ip: 9.9.9.9|x-real-ip: 9.9.9.9|body: OK 0"},
		{"small body", addr, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
			"PUT http://h/|event-host: h|host: h|content-length: 3|cf-connecting-ip: 127.0.0.1|x-real-ip: 127.0.0.1|body: OK 3"},
		{"chunked body", addr, "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Trailer: z\r\n\r\n",
			"PUT http://h/|event-host: h|host: h|cf-connecting-ip: 127.0.0.1|x-real-ip: 127.0.0.1|body: OK 3"},
	}
	for _, c := range cases {
		r := send(t, c.addr, c.raw, quiet)
		if len(r.bodies) != 1 || strings.ReplaceAll(strings.TrimSpace(r.bodies[0]), "\n", "|") != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, r.bodies, c.want)
		}
	}
}

func TestResponses(t *testing.T) {
	var make func() (*isolate.Response, error)
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		ev.Request.Release()
		ev.Isolate, ev.CPU = "warm", 1500*time.Microsecond
		return make()
	}, func(o *Options) { o.Token = "sesame" })
	short := func() *isolate.Response { return streamed(io.NopCloser(strings.NewReader("abc")), 5) }
	broken := func() *isolate.Response {
		return streamed(io.NopCloser(io.MultiReader(strings.NewReader("abc"), failing{})), -1)
	}
	cases := []struct {
		name, request string
		make          func() (*isolate.Response, error)
		want, never   string // in the raw response
		closed        bool
	}{
		{"headers", "GET", func() (*isolate.Response, error) {
			return text(201, "hi", "x-a", "1", "set-cookie", "a=1", "set-cookie", "a=2", "content-length", "99", "transfer-encoding", "gzip", "connection", "close", "x-switchyard-isolate", "spoof", "date", "never"), nil
		}, "HTTP/1.1 201 Created\r\nDate: *\r\nContent-Length: 2\r\nX-A: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: a=2\r\n\r\nhi", "", false},
		{"operator", "GET+token", func() (*isolate.Response, error) { return text(200, ""), nil }, "X-Switchyard-Isolate: warm\r\nX-Switchyard-Cpu-Us: 1500\r\n", "", false},
		{"not the operator", "GET+wrong", func() (*isolate.Response, error) { return text(200, ""), nil }, "200 OK", "X-Switchyard", false},
		{"HEAD of bytes", "HEAD", func() (*isolate.Response, error) { return text(200, "hello"), nil }, "Content-Length: 5\r\n\r\n$", "", false},
		{"HEAD that says its length", "HEAD", func() (*isolate.Response, error) { return text(200, "", "content-length", "77"), nil }, "Content-Length: 77\r\n\r\n$", "", false},
		{"HEAD of a stream", "HEAD", func() (*isolate.Response, error) { return short(), nil }, "Content-Length: 5\r\n\r\n$", "", false},
		{"204 with body", "GET", func() (*isolate.Response, error) { return text(204, "body"), nil }, "204 No Content\r\nDate: *\r\n\r\n$", "Content-Length", false},
		{"304 with body", "GET", func() (*isolate.Response, error) { return text(304, "body"), nil }, "304 Not Modified\r\nDate: *\r\n\r\n$", "", false},
		{"205 with body", "GET", func() (*isolate.Response, error) { return text(205, "body"), nil }, "Content-Length: 0\r\n\r\n$", "", false},
		{"empty", "GET", func() (*isolate.Response, error) { return text(200, ""), nil }, "Content-Length: 0\r\n\r\n$", "", false},
		{"status 99", "GET", func() (*isolate.Response, error) { return text(99, ""), nil }, "HTTP/1.1 500", "", false},
		{"status 101", "GET", func() (*isolate.Response, error) { return text(101, ""), nil }, "HTTP/1.1 500", "", false},
		{"status 1000", "GET", func() (*isolate.Response, error) { return text(1000, ""), nil }, "HTTP/1.1 500", "", false},
		{"split", "GET", func() (*isolate.Response, error) { return text(200, "", "x-a", "b\r\nSet-Cookie: c"), nil }, "HTTP/1.1 500", "Set-Cookie", false},
		{"split in a name", "GET", func() (*isolate.Response, error) { return text(200, "", "x-a: b\r\nx", "c"), nil }, "HTTP/1.1 500", "X-A", false},
		{"stream of known length", "GET", func() (*isolate.Response, error) {
			return streamed(io.NopCloser(strings.NewReader("abcde")), 5), nil
		}, "Content-Length: 5\r\n\r\nabcde$", "", false},
		{"stream that is too long", "GET", func() (*isolate.Response, error) {
			return streamed(io.NopCloser(strings.NewReader("abcdefgh")), 5), nil
		}, "Content-Length: 5\r\n\r\nabcde$", "", false},
		{"stream that is too short", "GET", func() (*isolate.Response, error) { return short(), nil }, "Content-Length: 5\r\n\r\nabc$", "", true},
		{"stream of unknown length", "GET", func() (*isolate.Response, error) {
			return streamed(io.NopCloser(strings.NewReader("abc")), -1), nil
		}, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$", "", false},
		{"stream that breaks", "GET", func() (*isolate.Response, error) { return broken(), nil }, "\r\n\r\n3\r\nabc\r\n$", "", true},
		{"unknown length for 1.0", "GET 1.0", func() (*isolate.Response, error) {
			return streamed(io.NopCloser(strings.NewReader("abc")), -1), nil
		}, "Connection: close\r\n\r\nabc$", "chunked", true},
		{"large bytes", "GET", func() (*isolate.Response, error) { return text(200, strings.Repeat("x", 100000)), nil }, "Content-Length: 100000\r\n\r\nxxx", "", false},
		{"no Worker", "GET", func() (*isolate.Response, error) {
			return nil, fmt.Errorf("%w: %q", engine.ErrWorkerNotFound, "secret")
		}, "404 Not Found", "secret", false},
		{"exception", "GET", func() (*isolate.Response, error) { return nil, &isolate.Exception{Message: "secret", Stack: "secret"} }, "error code: 1101\nWorker threw exception\n$", "secret", false},
		{"CPU limit", "GET", func() (*isolate.Response, error) { return nil, isolate.ErrCPULimit }, "error code: 1102\n", "", false},
		{"HEAD of an exception", "HEAD", func() (*isolate.Response, error) { return nil, &isolate.Exception{Message: "x"} }, "Content-Length: 40\r\nCache-Control: no-store\r\n\r\n$", "", false},
		{"unknown error", "GET", func() (*isolate.Response, error) { return nil, errors.New("secret") }, "HTTP/1.1 500", "secret", false},
		{"panic", "GET", func() (*isolate.Response, error) { panic("secret") }, "HTTP/1.1 500", "secret", true},
	}
	for _, c := range cases {
		var released atomic.Int64
		var made atomic.Int64
		make = func() (*isolate.Response, error) {
			resp, err := c.make()
			if resp != nil {
				made.Add(1)
				resp.Free = func(*isolate.Response) { released.Add(1) }
			}
			return resp, err
		}
		method, extra, _ := strings.Cut(c.request, "+")
		version := "1.1"
		if method, _, old := strings.Cut(method, " 1.0"); old {
			c.request, version = method, "1.0"
		}
		token := map[string]string{"token": "sesame", "wrong": "open"}[extra]
		raw := fmt.Sprintf("%s / HTTP/%s\r\nHost: h\r\nX-Switchyard-Token: %s\r\n\r\n", strings.TrimSuffix(method, " 1.0"), version, token)
		r := send(t, addr, raw, quiet)
		got := dateLine(string(r.raw)) + "$"
		if !strings.Contains(got, c.want) || c.never != "" && strings.Contains(got, c.never) || r.closed != c.closed {
			t.Errorf("%s: got %.300q closed %v, want %q, never %q, closed %v", c.name, got, r.closed, c.want, c.never, c.closed)
		}
		if made.Load() != released.Load() {
			t.Errorf("%s: %d responses were made, %d released", c.name, made.Load(), released.Load())
		}
	}
}

// dateLine hides the time.
func dateLine(s string) string {
	before, after, ok := strings.Cut(s, "\r\nDate: ")
	if !ok {
		return s
	}
	_, after, _ = strings.Cut(after, "\r\n")
	return before + "\r\nDate: *\r\n" + after
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("origin broke") }

// TestUnreadBody: what a Worker leaves of a body is never taken for the next request.
func TestUnreadBody(t *testing.T) {
	var calls atomic.Int64
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		calls.Add(1)
		ev.Request.Release()
		return text(200, "done"), nil
	}, nil)
	smuggled := strings.Repeat("GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n", 3000)
	for _, raw := range []string{
		fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(smuggled), smuggled),
		fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled),
	} {
		calls.Store(0)
		r := send(t, addr, raw, time.Second)
		if calls.Load() != 1 || r.finals() != 1 || !r.closed || !r.responses[0].Close {
			t.Errorf("%d calls, %d responses, closed %v", calls.Load(), r.finals(), r.closed)
		}
	}
}

// TestClientGone: a call learns within moments that nobody waits for it, and a client that
// only shut its sending side down gets an answer that comes quickly.
func TestClientGone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("clients are watched on Linux only")
	}
	ended := make(chan time.Duration, 1)
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		defer ev.Request.Release()
		if string(ev.Request.Head.URL()) == "http://h/quick" {
			time.Sleep(5 * time.Millisecond)
			return text(200, "quick"), ev.Context.Err()
		}
		begun := time.Now()
		select {
		case <-ev.Context.Done():
		case <-time.After(5 * time.Second):
		}
		ended <- time.Since(begun)
		return nil, isolate.ErrCanceled
	}, nil)
	for range 3 {
		c := dial(t, addr)
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		time.Sleep(50 * time.Millisecond)
		c.Close()
		if took := <-ended; took > time.Second {
			t.Errorf("the call went on for %v", took)
		}
	}
	c := dial(t, addr)
	io.WriteString(c, "GET /quick HTTP/1.1\r\nHost: h\r\n\r\n")
	c.(*net.TCPConn).CloseWrite()
	if got, _ := io.ReadAll(c); !bytes.HasSuffix(got, []byte("quick")) {
		t.Errorf("after a half close: %q", got)
	}
}

// TestEventStream: each event is there before the next one is sent, and the stream ends when
// its client leaves.
func TestEventStream(t *testing.T) {
	closed := make(chan struct{})
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		ev.Request.Release()
		r, w := io.Pipe()
		go func() {
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(w, "data: %d\n\n", i); err != nil {
					close(closed)
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		return streamed(r, -1), nil
	}, nil)
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	begun, events := time.Now(), bufio.NewReader(resp.Body)
	for i := range 5 {
		line, err := events.ReadString('\n')
		if want := fmt.Sprintf("data: %d\n", i); err != nil || line != want {
			t.Fatalf("%q, %v; want %q", line, err, want)
		}
		events.ReadString('\n')
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("five events took %v", took)
	}
	resp.Body.Close()
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
		t.Error("the stream goes on without a client")
	}
}

// silent is a stream that sends nothing until it is closed.
type silent chan struct{}

func (s silent) Read([]byte) (int, error) { <-s; return 0, io.ErrClosedPipe }
func (s silent) Close() error {
	select {
	case <-s:
	default:
		close(s)
	}
	return nil
}

// TestQuietStreamEnds: the head of a stream does not wait for its first byte, and a stream
// that sends nothing is closed when its client leaves.
func TestQuietStreamEnds(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("clients are watched on Linux only")
	}
	source := make(silent)
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		ev.Request.Release()
		return streamed(source, -1), nil
	}, nil)
	c := dial(t, addr)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
		t.Fatalf("the head waits for the body: %q, %v", line, err)
	}
	c.Close()
	select {
	case <-source:
	case <-time.After(2 * time.Second):
		t.Error("the stream was not closed")
	}
}

func TestConnsPerIP(t *testing.T) {
	in, addr := start(t, mirror, func(o *Options) { o.ConnsPerIP = 2 })
	a, b := dial(t, addr), dial(t, addr)
	waitFor(t, func() bool { return in.conns.len() == 2 })
	c := dial(t, addr)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("a third connection is served")
	}
	a.Close()
	b.Close()
	waitFor(t, func() bool { return in.conns.len() == 0 })
	if r := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", quiet); r.status() != 200 {
		t.Errorf("after the others left: %q", r.raw)
	}
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for range 400 {
		if what() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not happen")
}

// TestShutdown: requests in flight finish and are told to close, idle connections end, and
// what does not finish is cut at the deadline.
func TestShutdown(t *testing.T) {
	for _, c := range []struct {
		name  string
		grace time.Duration
		whole bool
	}{{"in time", 3 * time.Second, true}, {"too late", 200 * time.Millisecond, false}} {
		t.Run(c.name, func(t *testing.T) {
			in, err := New(Options{Handler: handlerFunc(func(ev *engine.Event) (*isolate.Response, error) {
				defer ev.Request.Release()
				if string(ev.Request.Head.URL()) == "http://h/slow" {
					select {
					case <-time.After(500 * time.Millisecond):
					case <-ev.Context.Done():
						return nil, isolate.ErrCanceled
					}
				}
				return text(200, "done"), nil
			})})
			if err != nil {
				t.Fatal(err)
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- in.Serve(ln) }()
			idle := dial(t, ln.Addr().String())
			io.WriteString(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			if _, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil {
				t.Fatal(err)
			}
			slow := dial(t, ln.Addr().String())
			io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
			time.Sleep(50 * time.Millisecond)
			ctx, cancel := context.WithTimeout(context.Background(), c.grace)
			defer cancel()
			err = in.Shutdown(ctx)
			if (err == nil) != c.whole {
				t.Errorf("Shutdown: %v", err)
			}
			if err := <-served; err != nil {
				t.Errorf("Serve: %v", err)
			}
			got, _ := io.ReadAll(slow)
			if whole := bytes.HasSuffix(got, []byte("done")); whole != c.whole {
				t.Errorf("the slow request got %q", got)
			}
			if c.whole && !bytes.Contains(got, []byte("Connection: close")) {
				t.Errorf("the client is not told to close: %q", got)
			}
			idle.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := idle.Read(make([]byte, 1)); isTimeout(err) {
				t.Error("the idle connection is open")
			}
			if n := in.conns.len(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	}
}
