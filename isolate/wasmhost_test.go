package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"switchyard/isolate/abi"
)

// world is the Host of the stories: an origin and a dispatch namespace.
type world struct {
	mu   sync.Mutex
	logs []string
}

func (w *world) Log(_ *Call, level LogLevel, line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs = append(w.logs, fmt.Sprintf("%d %s", level, line))
}

func (w *world) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.logs...)
}

func (w *world) Fetch(ctx context.Context, _ *Call, sub *Subrequest) (*Response, error) {
	defer sub.Request.Release()
	if sub.Binding == 0 {
		return w.dispatch(sub)
	}
	u, err := url.Parse(string(sub.Request.Head.URL()))
	if err != nil {
		return nil, err
	}
	switch path := u.Path; {
	case path == "/one":
		return textResponse(200, "one"), nil
	case strings.HasPrefix(path, "/slow/"):
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return textResponse(200, path[len("/slow/"):]), nil
	case path == "/hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case path == "/stall":
		r := textResponse(200, "")
		in, _ := io.Pipe()
		r.Body = Body{Stream: in, Length: -1}
		return r, nil
	case path == "/big":
		r := textResponse(200, "")
		r.Body = Body{Stream: io.NopCloser(bytes.NewReader(big)), Length: int64(len(big))}
		return r, nil
	case path == "/length":
		n, err := countBody(&sub.Request.Body)
		return textResponse(200, fmt.Sprint(n)), err
	}
	return nil, errors.New("no such origin")
}

func (w *world) dispatch(sub *Subrequest) (*Response, error) {
	if sub.Name != "customer" {
		return nil, errors.New("Worker not found")
	}
	if sub.Options != nil {
		return textResponse(201, fmt.Sprintf("%s with %s", sub.Name, sub.Options)), nil
	}
	return textResponse(201, fmt.Sprintf("%s for %s", sub.Name, sub.Request.Head.URL())), nil
}

// big is what a body of 10 MB holds.
var big = bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)

func countBody(b *Body) (int64, error) {
	if b.Stream == nil {
		return int64(len(b.Bytes)), nil
	}
	return io.Copy(io.Discard, b.Stream)
}

func textResponse(status int, text string) *Response {
	r := newResponse()
	head := abi.AppendResponseHead(nil, status)
	r.Head = abi.ResponseHead(abi.AppendHeader(head, 0, "content-type", "text/plain"))
	r.Body.Bytes = []byte(text)
	return r
}

func wasmRequest(method, path string, body Body, headers ...string) *Request {
	r := newRequest()
	head := abi.AppendRequestHead(nil, method, "http://worker.example"+path)
	for i := 0; i+1 < len(headers); i += 2 {
		head = abi.AppendHeader(head, 0, headers[i], headers[i+1])
	}
	r.Head, r.Body = abi.RequestHead(head), body
	return r
}

// streamed is a body whose length nobody knows.
func streamed(b []byte) Body {
	return Body{Stream: io.NopCloser(bytes.NewReader(b)), Length: -1}
}

func wasmRuntime(t testing.TB) *Runtime {
	t.Helper()
	rt, err := NewRuntime(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	return rt
}

// wasmEnv is the env of the stories.
const wasmEnv = `[{"name":"DISPATCHER","type":"dispatch_namespace","index":0},
	{"name":"GREETING","type":"plain_text","text":"good day"},
	{"name":"CONFIG","type":"json","json":{"deep":[1,2]}}]`

func wasmSpec(source []byte, policy Policy) *Spec {
	return &Spec{
		Name: "test", Main: "worker.wasm", Env: []byte(wasmEnv), Policy: policy,
		Modules: []Module{{Name: "worker.wasm", Kind: ModuleWasm, Source: source}},
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answerText reads a response to its end.
func answerText(r *Response) (string, error) {
	defer r.Release()
	if r.Body.Stream == nil {
		return string(r.Body.Bytes), nil
	}
	b, err := io.ReadAll(r.Body.Stream)
	return string(b), err
}
