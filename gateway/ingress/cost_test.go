package ingress

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"switchyard/engine"
	"switchyard/isolate"
)

// helloWorld answers with one response that is never released to anything.
type helloWorld struct {
	resp isolate.Response
	body []byte
}

func (h *helloWorld) serve(ev *engine.Event) (*isolate.Response, error) {
	ev.Request.Release()
	h.resp.Body.Bytes = h.body
	return &h.resp, nil
}

func hello() *helloWorld {
	return &helloWorld{resp: *text(200, "", "content-type", "text/plain"), body: []byte("Hello")}
}

const getRequest = "GET /some/path?and=query HTTP/1.1\r\nHost: tenant.example.com\r\nUser-Agent: test\r\nAccept: */*\r\nCookie: a=b\r\n\r\n"

// roundTrip sends one request and reads its response of size bytes.
func roundTrip(t testing.TB, c net.Conn, request, buf []byte, size int) {
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, buf[:size]); err != nil {
		t.Fatal(err)
	}
}

// TestNoAllocations: a GET that is answered with bytes allocates nothing, from accept to end,
// client included.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	_, addr := start(t, hello().serve, nil)
	c, request, buf := dial(t, addr), []byte(getRequest), make([]byte, 4096)
	c.Write(request)
	size, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		roundTrip(t, c, request, buf, size)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	if n := testing.AllocsPerRun(2000, func() { roundTrip(t, c, request, buf, size) }); n >= 1 {
		t.Errorf("%v allocations a request", n)
	}
}

func BenchmarkHello(b *testing.B) {
	_, addr := start(b, hello().serve, nil)
	c, request, buf := dial(b, addr), []byte(getRequest), make([]byte, 4096)
	c.Write(request)
	size, err := c.Read(buf)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		roundTrip(b, c, request, buf, size)
	}
}

// BenchmarkAccept is what of a request is ours: checking it and making its head.
func BenchmarkAccept(b *testing.B) {
	raw := []byte(strings.SplitN(getRequest, "\r\n", 2)[1])
	in, _ := start(b, hello().serve, nil)
	client, server := net.Pipe()
	defer client.Close()
	x := &newConn(in, server).exchange
	target := []byte("/some/path?and=query")
	b.ReportAllocs()
	for b.Loop() {
		if why := x.header.read(raw, false); why != nil {
			b.Fatal(why)
		}
		r := acquireRequest()
		where, _ := x.c.authority(x.header.host)
		r.url = where.append(append(r.url[:0], "http://"...), false)
		r.url, _ = appendTarget(r.url, target)
		x.fillHead(r, []byte("GET"), where, false)
		r.Release()
	}
}

// TestLargeBodies: 100 MB go up and down at once in less than 64 MiB of memory.
func TestLargeBodies(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's memory is not ours")
	}
	const size = 100 << 20
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		return &isolate.Response{Head: text(200, "").Head, Body: ev.Request.Body}, nil // an echo, by handle
	}, nil)
	for _, chunked := range []bool{false, true} {
		c := dial(t, addr)
		debug.FreeOSMemory()
		before := resident(t)
		go func() {
			piece := make([]byte, 32<<10)
			if !chunked {
				fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size)
			} else {
				io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
			}
			for sent := 0; sent < size; sent += len(piece) {
				if chunked {
					fmt.Fprintf(c, "%x\r\n", len(piece))
				}
				c.Write(piece)
				if chunked {
					io.WriteString(c, "\r\n")
				}
			}
			if chunked {
				io.WriteString(c, "0\r\n\r\n")
			}
		}()
		c.SetReadDeadline(time.Now().Add(time.Minute))
		got, err := io.Copy(io.Discard, c) // it is the connection's last request
		if err != nil || got < size {
			t.Fatalf("%d bytes came back: %v", got, err)
		}
		grown := resident(t) - before
		t.Logf("chunked %v: memory grew by %d KiB", chunked, grown>>10)
		if grown > 64<<20 {
			t.Errorf("chunked %v: memory grew by %d MiB", chunked, grown>>20)
		}
	}
}

// TestIdleConnections prices a connection that waits, both ends in this process.
func TestIdleConnections(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("memory is measured")
	}
	const conns = 500
	_, addr := start(t, hello().serve, nil)
	debug.FreeOSMemory()
	before, buf := resident(t), make([]byte, 4096)
	for range conns {
		c := dial(t, addr)
		io.WriteString(c, getRequest)
		if _, err := c.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	each := (resident(t) - before) / conns
	t.Logf("an idle connection costs %d KiB", each>>10)
	if each > 128<<10 {
		t.Errorf("an idle connection costs %d KiB", each>>10)
	}
}

// resident returns the process' resident memory in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("resident memory is read from /proc")
	}
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(raw))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// BenchmarkPlain is the floor: fasthttp alone, the same request and response.
func BenchmarkPlain(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	server := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("text/plain")
		ctx.SetBodyString("Hello")
	}}
	go server.Serve(ln)
	c, request, buf := dial(b, ln.Addr().String()), []byte(getRequest), make([]byte, 4096)
	c.Write(request)
	size, err := c.Read(buf)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		roundTrip(b, c, request, buf, size)
	}
}
