package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/isolate"
)

// script is an origin that knows, for each connection in turn, what it does with each request on it.
func script(t *testing.T, conns ...func(c net.Conn, in *bufio.Reader)) (addr string, accepted *atomic.Int32) {
	accepted = new(atomic.Int32)
	return rawOrigin(t, func(c net.Conn) {
		if n := int(accepted.Add(1)); n <= len(conns) {
			conns[n-1](c, bufio.NewReader(c))
		}
	}), accepted
}

func answers(text string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, in *bufio.Reader) {
		if req, err := http.ReadRequest(in); err == nil {
			io.Copy(io.Discard, req.Body)
			io.WriteString(c, text)
		}
	}
}

func twice(f func(net.Conn, *bufio.Reader)) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, in *bufio.Reader) { f(c, in); f(c, in) }
}

const okA = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"

// TestReuse: what becomes of a connection after its first answer, and of the request that finds it.
func TestReuse(t *testing.T) {
	hangUp := func(c net.Conn, in *bufio.Reader) { answers(okA)(c, in); http.ReadRequest(in) }
	for _, tc := range []struct {
		name   string
		method string
		conns  []func(net.Conn, *bufio.Reader)
		want   string // of the second request
		dialed int32
	}{
		{"used again", "GET", []func(net.Conn, *bufio.Reader){twice(answers(okA))}, "a", 1},
		{"origin closes", "POST", []func(net.Conn, *bufio.Reader){answers(okA), answers(okA)}, "a", 2},
		{"origin hangs up on the second request", "GET", []func(net.Conn, *bufio.Reader){hangUp, answers(okA)}, "a", 2},
		{"and it may have had an effect", "POST", []func(net.Conn, *bufio.Reader){hangUp, answers(okA)}, errLost.Error(), 1},
		{"says it closes", "GET", []func(net.Conn, *bufio.Reader){twice(answers("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na")), answers(okA)}, "a", 2},
		{"sends more than its answer", "GET", []func(net.Conn, *bufio.Reader){answers(okA + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), answers(okA)}, "a", 2},
		{"sends something later", "GET", []func(net.Conn, *bufio.Reader){func(c net.Conn, in *bufio.Reader) {
			answers(okA)(c, in)
			time.Sleep(20 * time.Millisecond)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			time.Sleep(100 * time.Millisecond)
		}, answers(okA)}, "a", 2},
		{"interim answers", "GET", []func(net.Conn, *bufio.Reader){answers(okA), answers("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + okA)}, "a", 2},
		{"too many of them", "GET", []func(net.Conn, *bufio.Reader){answers(okA), answers(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 6) + okA)}, errResponse.Error(), 2},
		{"half an answer is not asked for again", "GET", []func(net.Conn, *bufio.Reader){func(c net.Conn, in *bufio.Reader) {
			answers(okA)(c, in)
			answers("HTTP/1.1 2")(c, in)
		}}, errLost.Error(), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			addr, accepted := script(t, tc.conns...)
			c := local(t)
			ask := func() string {
				req := request(tc.method, "http://"+addr+"/")
				resp, err := c.Fetch(context.Background(), "t", nil, req)
				if err != nil {
					return err.Error()
				}
				return read(t, resp)
			}
			if got := ask(); got != "a" {
				t.Fatalf("first: %q", got)
			}
			time.Sleep(50 * time.Millisecond) // for what the origin does by itself
			if got := ask(); got != tc.want {
				t.Errorf("second: %q, want %q", got, tc.want)
			}
			if n := accepted.Load(); n != tc.dialed {
				t.Errorf("%d connections, want %d", n, tc.dialed)
			}
		})
	}
}

func TestIdleTimeout(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) {})
	c := client(t, func(o *Options) { o.Allow, o.IdleTimeout = []string{"127.0.0.1"}, 30*time.Millisecond })
	resp, err := fetch(c, "GET", "http://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Release()
	tr := c.pool.transport(&passage{tenant: "tenant"})
	for range 200 {
		tr.mu.Lock()
		idle, endpoints := tr.mu.idle, len(tr.mu.endpoints)
		tr.mu.Unlock()
		if idle == 0 && endpoints == 0 && c.pool.dialer.open.Load() == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("an idle connection stays")
}

// TestTurns: no more requests at once than ConnsPerOrigin; one that waits goes with its call.
func TestTurns(t *testing.T) {
	var now, most atomic.Int32
	held := make(chan bool)
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if r.URL.Path == "/hold" {
			<-held
		}
	})
	c := client(t, func(o *Options) { o.Allow, o.ConnsPerOrigin = []string{"127.0.0.1"}, 2 })
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if resp, err := fetch(c, "GET", "http://"+addr+"/hold"); err == nil {
				resp.Release()
			}
		})
	}
	for now.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := c.Fetch(ctx, "tenant", nil, request("GET", "http://"+addr+"/")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the third: %v", err)
	}
	close(held)
	for range 50 {
		all.Go(func() {
			if resp, err := fetch(c, "GET", "http://"+addr+"/"); err != nil {
				t.Error(err)
			} else {
				resp.Release()
			}
		})
	}
	all.Wait()
	if n := most.Load(); n != 2 {
		t.Errorf("%d at once, want 2", n)
	}
}

// TestUploads: bodies that come bit by bit, and fail on one side or the other.
func TestUploads(t *testing.T) {
	broken := errors.New("the source broke")
	long := strings.Repeat("x", 100<<10)
	early := func(c net.Conn, in *bufio.Reader) { // answers before it has read the body, and hangs up
		http.ReadRequest(in)
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 1\r\nConnection: close\r\n\r\na")
	}
	for _, tc := range []struct {
		name   string
		origin func(net.Conn, *bufio.Reader)
		body   isolate.Body
		want   string
	}{
		{"source breaks", answers(okA), isolate.Body{Stream: io.NopCloser(io.MultiReader(strings.NewReader("x"), &breaking{broken})), Length: -1}, errLost.Error()},
		{"source is short", answers(okA), isolate.Body{Stream: io.NopCloser(strings.NewReader("x")), Length: 10}, errLost.Error()},
		{"source is long", answers(okA), isolate.Body{Stream: io.NopCloser(strings.NewReader("xyz")), Length: 2}, "200 a"},
		{"answered early, stream", early, isolate.Body{Stream: io.NopCloser(strings.NewReader(long)), Length: -1}, "413 a"},
		{"answered early, bytes", early, isolate.Body{Bytes: []byte(long)}, "413 a"},
		{"empty stream", answers(okA), isolate.Body{Stream: io.NopCloser(strings.NewReader("")), Length: -1}, "200 a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			addr, _ := script(t, tc.origin)
			c := local(t)
			req := request("POST", "http://"+addr+"/")
			released := make(chan bool)
			req.Body, req.Free = tc.body, func(*isolate.Request) { close(released) }
			got := ""
			if resp, err := c.Fetch(context.Background(), "t", nil, req); err != nil {
				got = err.Error()
			} else {
				got = fmt.Sprint(resp.Head.Status(), " ", read(t, resp))
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			select {
			case <-released:
			case <-time.After(5 * time.Second):
				t.Error("the request is not released")
			}
		})
	}
}

type breaking struct{ err error }

func (b *breaking) Read([]byte) (int, error) { return 0, b.err }

// BenchmarkFetch is a fetch on a warm connection; the origin's allocations are counted too.
func BenchmarkFetch(b *testing.B) {
	addr := rawOrigin(b, func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			io.WriteString(c, okA)
		}
	})
	c := local(b)
	req := request("GET", "http://"+addr+"/some/path?x=1", "accept", "*/*")
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Fetch(context.Background(), "t", nil, req)
		if err != nil {
			b.Fatal(err)
		}
		resp.Release()
	}
}
