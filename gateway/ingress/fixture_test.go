package ingress

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// handlerFunc is a Handler.
type handlerFunc func(ev *engine.Event) (*isolate.Response, error)

func (f handlerFunc) Serve(ev *engine.Event) (*isolate.Response, error) { return f(ev) }

// start runs an Ingress on a port of the loopback until the test ends.
func start(t testing.TB, f handlerFunc, change func(*Options)) (in *Ingress, addr string) {
	t.Helper()
	o := Options{Handler: f, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	in, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- in.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		in.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return in, ln.Addr().String()
}

// text makes a response of status, body and pairs of header name and value.
func text(status int, body string, headers ...string) *isolate.Response {
	head := abi.AppendResponseHead(nil, status)
	for i := 0; i < len(headers); i += 2 {
		head = abi.AppendHeader(head, 0, headers[i], headers[i+1])
	}
	return &isolate.Response{Head: abi.ResponseHead(head), Body: isolate.Body{Bytes: []byte(body)}}
}

func streamed(body io.ReadCloser, length int64) *isolate.Response {
	r := text(200, "")
	r.Body = isolate.Body{Stream: body, Length: length}
	return r
}

// mirror answers with method, URL and headers as the Worker sees them, after it has read the
// body, whose length it tells.
func mirror(ev *engine.Event) (*isolate.Response, error) {
	defer ev.Request.Release()
	var n int64
	if s := ev.Request.Body.Stream; s != nil {
		var err error
		if n, err = io.Copy(io.Discard, s); err != nil {
			return nil, err
		}
	} else {
		n = int64(len(ev.Request.Body.Bytes))
	}
	var out strings.Builder
	out.Write(ev.Request.Head.Method())
	out.WriteByte(' ')
	out.Write(ev.Request.Head.URL())
	out.WriteString("\nevent-host: " + ev.Host + "\n")
	for b := ev.Request.Head.Headers(); len(b) > 0; {
		var name, value []byte
		name, value, b = b.Next()
		out.WriteString(string(name) + ": " + string(value) + "\n")
	}
	out.WriteString("body: " + http.StatusText(200) + " " + itoa(n) + "\n")
	return text(200, out.String()), nil
}

func itoa(n int64) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// reply is what a raw request got.
type reply struct {
	raw       []byte
	responses []*http.Response
	bodies    []string
	rest      []byte // bytes that are no response
	closed    bool   // by the server
}

// status returns the first final status, 0 without one.
func (r reply) status() int {
	for _, resp := range r.responses {
		if resp.StatusCode >= 200 {
			return resp.StatusCode
		}
	}
	return 0
}

func (r reply) finals() (n int) {
	for _, resp := range r.responses {
		if resp.StatusCode >= 200 {
			n++
		}
	}
	return n
}

// send writes raw and collects what comes back until the server closes or is quiet.
func send(t testing.TB, addr string, raw string, quiet time.Duration) reply {
	t.Helper()
	c := dial(t, addr)
	defer c.Close()
	go io.WriteString(c, raw)
	var r reply
	buf := make([]byte, 64<<10)
	for {
		c.SetReadDeadline(time.Now().Add(quiet))
		n, err := c.Read(buf)
		r.raw = append(r.raw, buf[:n]...)
		if err != nil {
			r.closed = !isTimeout(err)
			break
		}
	}
	method := "GET"
	if strings.HasPrefix(raw, "HEAD ") {
		method = "HEAD"
	}
	r.parse(method)
	return r
}

func (r *reply) parse(method string) {
	br := bufio.NewReader(bytes.NewReader(r.raw))
	for {
		if _, err := br.Peek(1); err != nil {
			return
		}
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			r.rest, _ = io.ReadAll(br)
			r.rest = append(r.rest, err.Error()...)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		r.responses, r.bodies = append(r.responses, resp), append(r.bodies, string(body))
	}
}
