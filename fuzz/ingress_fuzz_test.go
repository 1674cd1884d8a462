package fuzz

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/gateway/ingress"
	"switchyard/isolate"
)

// mirrorSource answers with what it was sent, as far as a Worker can see it.
const mirrorSource = `export default { async fetch(request) {
	const body = await request.text();
	return new Response(JSON.stringify({ method: request.method, url: request.url, headers: [...request.headers], size: body.length }),
		{ headers: { "x-answer": "1" } });
} };`

// mirror is an ingress before an engine with one Worker, which counts what reaches the engine.
type mirror struct {
	engine *engine.Engine
	calls  atomic.Int64
	served chan error
	addr   string
}

func (m *mirror) Serve(ev *engine.Event) (*isolate.Response, error) {
	m.calls.Add(1)
	if ev.Host == "" || bytes.ContainsAny([]byte(ev.Host), " /@?#\\\x00\r\n") {
		panic("BUG: the host is " + ev.Host)
	}
	return m.engine.Serve(ev)
}

func openMirror(tb testing.TB) *mirror {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	e, err := engine.Open(engine.Options{
		Dir: tb.TempDir(), Runtime: needRuntime(tb), Entry: "mirror", Log: func(engine.LogLine) {}, Logger: quiet,
	})
	if err != nil {
		tb.Fatal(err)
	}
	u := engine.Upload{Main: "index.js", Modules: []isolate.Module{{Name: "index.js", Kind: isolate.ModuleES, Source: []byte(mirrorSource)}}}
	if _, err := e.Deploy(context.Background(), engine.Ref{Script: "mirror"}, u); err != nil {
		tb.Fatal(err)
	}
	m := &mirror{engine: e, served: make(chan error, 1)}
	in, err := ingress.New(ingress.Options{
		Handler: m, Logger: quiet, HeaderTimeout: 200 * time.Millisecond, BodyTimeout: 200 * time.Millisecond, IdleTimeout: 200 * time.Millisecond,
		GoneGrace: 10 * time.Second,
	})
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	m.addr = ln.Addr().String()
	go func() { m.served <- in.Serve(ln) }() // close waits for it
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(in.Shutdown(ctx), <-m.served, e.Close()); err != nil {
			tb.Error(err)
		}
	})
	return m
}

// talk sends raw on one connection, says that there is no more, and reads every response.
func (m *mirror) talk(raw []byte) (answers []*http.Response, rest []byte, err error) {
	conn, err := net.Dial("tcp", m.addr)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { // ends with the connection: answers may come before all of it was read
		conn.Write(raw)
		conn.(*net.TCPConn).CloseWrite()
	}()
	all, err := io.ReadAll(conn)
	if err != nil && len(all) == 0 && !isReset(err) {
		return nil, nil, fmt.Errorf("the connection was not ended: %w", err)
	}
	r := bufio.NewReader(bytes.NewReader(all))
	for {
		if _, err := r.Peek(1); err != nil {
			return answers, nil, nil
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			rest, _ := io.ReadAll(r)
			return answers, rest, fmt.Errorf("answer %d cannot be read: %w", len(answers)+1, err)
		}
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return answers, body, fmt.Errorf("the body of answer %d cannot be read: %w", len(answers)+1, err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		answers = append(answers, resp)
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

// FuzzIngress sends bytes to the ingress. Whatever they are, each call of the engine is one
// answer of a Worker, a refusal is the last answer on its connection, and nothing is a 5xx but
// what HTTP says is one.
func FuzzIngress(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0_2e\r\nhello\r\n0\r\n\r\n",
		"GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"GET //evil/%2e%2e/%2f HTTP/1.1\r\nHost: A.Test:80\r\n\r\n",
		"HEAD / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
		"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	} {
		f.Add([]byte(seed))
	}
	m := openMirror(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = bytes.ReplaceAll(raw[:min(len(raw), 8<<10)], []byte("HEAD"), []byte("GET")) // whoever reads a HEAD's answer must know that it is one
		before := m.calls.Load()
		answers, rest, err := m.talk(raw)
		if err != nil {
			t.Fatalf("%v\nthe rest: %.200q", err, rest)
		}
		fromWorker := 0
		for i, a := range answers {
			if a.Header.Get("X-Answer") == "1" {
				fromWorker++
				continue
			}
			if allowed := a.StatusCode == 200 || a.StatusCode >= 400 && a.StatusCode < 500 || a.StatusCode == 501 || a.StatusCode == 505; !allowed {
				t.Errorf("answer %d has status %d", i+1, a.StatusCode)
			}
			if a.StatusCode >= 400 && i != len(answers)-1 {
				t.Errorf("answer %d of %d has status %d, and the connection went on", i+1, len(answers), a.StatusCode)
			}
		}
		if calls := int(m.calls.Load() - before); fromWorker > calls || calls > bytes.Count(raw, []byte("HTTP/1.")) {
			t.Errorf("%d answers of a Worker, the engine was called %d times", fromWorker, calls)
		}
	})
}
