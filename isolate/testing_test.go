package isolate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"switchyard/isolate/abi"
	"switchyard/isolate/js"
)

// testRuntime is one Runtime for all tests: compiling the engine takes half a second.
var testRuntime = sync.OnceValues(func() (*Runtime, error) {
	engine, err := js.Engine()
	if err != nil {
		return nil, err
	}
	return NewRuntime(Options{Engine: engine, Prelude: js.Prelude()})
})

func jsRuntime(t testing.TB) *Runtime {
	t.Helper()
	rt, err := testRuntime()
	if errors.Is(err, js.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// fakeHost answers fetches by URL and collects log lines.
type fakeHost struct {
	fetch func(ctx context.Context, c *Call, sub *Subrequest) (*Response, error)
	mu    struct {
		sync.Mutex
		lines []string
	}
}

func (h *fakeHost) Fetch(ctx context.Context, c *Call, sub *Subrequest) (*Response, error) {
	defer sub.Request.Release()
	if h.fetch == nil {
		return nil, errors.New("no network here")
	}
	return h.fetch(ctx, c, sub)
}

func (h *fakeHost) Log(_ *Call, level LogLevel, line []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.lines = append(h.mu.lines, fmt.Sprintf("%d %s", level, line))
}

func (h *fakeHost) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.mu.lines, "\n")
}

// testRequest builds a request; headers are "name: value" lines.
func testRequest(method, url, body string, headers ...string) *Request {
	r := newRequest()
	head := abi.AppendRequestHead(nil, method, url)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		head = abi.AppendHeader(head, 0, name, value)
	}
	r.fill(head, []byte(body))
	return r
}

func testResponse(status int, body string) *Response {
	return &Response{Head: abi.AppendResponseHead(nil, status), Body: Body{Bytes: []byte(body)}}
}

// spec is a Worker of one ES module.
func jsSpec(source string) *Spec {
	return &Spec{Name: "test", Main: "index.js", Modules: []Module{{Name: "index.js", Kind: ModuleES, Source: []byte(source)}}}
}

func newTestPool(t testing.TB, s *Spec) *Pool {
	t.Helper()
	return poolOf(t, jsRuntime(t), s)
}

// poolOf is a pool that must be drained when the test ends.
func poolOf(t testing.TB, rt *Runtime, s *Spec) *Pool {
	t.Helper()
	p, err := rt.NewPool(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		waitFor(t, "the pool to drain", func() bool { return p.Stats() == PoolStats{} })
	})
	return p
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 10 s for %s", what)
		}
	}
}

// testCPU is the limit of a call; the race detector makes the host's part many times slower.
func testCPU() time.Duration {
	if raceEnabled {
		return 2 * time.Second
	}
	return 200 * time.Millisecond
}

// ask runs one call and returns "STATUS body", or the error.
func ask(p *Pool, h Host, r *Request) (string, error) {
	c := &Call{Context: context.Background(), Host: h, Request: r, Limits: Limits{CPU: testCPU(), Subrequests: 50}}
	resp, err := p.Invoke(c)
	if err != nil {
		return "", err
	}
	defer resp.Release()
	body := resp.Body.Bytes
	if resp.Body.Stream != nil {
		if body, err = io.ReadAll(resp.Body.Stream); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d %s", resp.Head.Status(), body), nil
}

// wants is ask with an expectation: want is the outcome, or "error: " and a part of its text.
func wants(t *testing.T, p *Pool, h Host, r *Request, want string) {
	t.Helper()
	got, err := ask(p, h, r)
	if text, ok := strings.CutPrefix(want, "error: "); ok {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %q, error %v; want error %q", got, err, text)
		}
		return
	}
	if err != nil || got != want {
		t.Errorf("got %q, error %v; want %q", got, err, want)
	}
}
