package isolate

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/abi"
)

// exampleGuest is one of the examples that tell the same stories.
type exampleGuest struct {
	name  string
	build func(t testing.TB) []byte
}

var exampleGuests = []exampleGuest{
	{"c", func(t testing.TB) []byte { return readFile(t, "guest/c/example.wasm") }},
	{"c-inline", func(t testing.TB) []byte { return readFile(t, "testdata/inline.wasm") }},
	{"go", buildGoExample},
}

// buildGoExample compiles the Go example with the go tool, which caches what it has built.
func buildGoExample(t testing.TB) []byte {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go tool to build the Go example with")
	}
	out := filepath.Join(t.TempDir(), "example.wasm")
	cmd := exec.Command(tool, "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./guest/go/example")
	cmd.Env = append(cmd.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the Go example: %v\n%s", err, text)
	}
	return readFile(t, out)
}

// story is one request and what must come of it.
type story struct {
	name   string
	only   string // prefix of the guests that tell it
	stream bool   // for guests that can stream their response
	method string // default GET
	path   string
	header []string // pairs
	body   Body
	params string
	limits Limits

	status int // default 200
	text   string
	want   func(string) bool // instead of text
	replay []string          // header pairs of the answer
	err    error             // instead of an answer
	within time.Duration
}

func stories() []story {
	cpu := Limits{CPU: 50 * time.Millisecond}
	return []story{
		{name: "hello", path: "/hello/you", text: "Hello /hello/you"},
		{name: "headers", path: "/headers", header: []string{"x-one", "1", "x-two", "zwei", "accept", "*/*"}, replay: []string{"x-one", "1", "x-two", "zwei"}},
		{name: "echo small", stream: true, method: "POST", path: "/echo", body: Body{Bytes: []byte("small")}, text: "small"},
		{name: "echo nothing", stream: true, method: "POST", path: "/echo", text: ""},
		{name: "echo 10 MB", stream: true, method: "POST", path: "/echo", body: streamed(big), text: string(big)},
		{name: "count 10 MB", method: "POST", path: "/length", body: streamed(big), text: "10485760"},
		{name: "count bytes", method: "POST", path: "/length", body: Body{Bytes: big[:100_000]}, text: "100000"},
		{name: "broken body", method: "POST", path: "/length", body: Body{Stream: io.NopCloser(brokenReader{}), Length: -1}, want: func(s string) bool { return s == "-11" || strings.Contains(s, "Broken") }},
		{name: "mirror small", method: "POST", path: "/mirror", body: Body{Bytes: []byte("small")}, text: "small"},
		{name: "mirror 10 MB", method: "POST", path: "/mirror", body: streamed(big), text: string(big)},
		{name: "stream", stream: true, path: "/stream", text: "line 0\nline 1\nline 2\n"},
		{name: "env text", path: "/env/GREETING", text: "good day"},
		{name: "env json", path: "/env/CONFIG", text: `{"deep":[1,2]}`},
		{name: "env missing", path: "/env/NONE", status: 404, text: "not set"},
		{name: "env is no binding", path: "/env/DISPATCHER", status: 404, text: "not set"},
		{name: "params", path: "/env/GREETING", params: `{"GREETING":"for you","N":1}`, text: "for you"},
		{name: "params json", path: "/env/N", params: `{"N":{"a":1}}`, text: `{"a":1}`},
		{name: "params beside env", path: "/env/GREETING", params: `{"N":1}`, text: "good day"},
		{name: "fetch", path: "/fetch", text: "one"},
		{name: "fetch refused", path: "/fetch", limits: Limits{Subrequests: 1}, text: "one"},
		{name: "too many fetches", path: "/parallel", limits: Limits{Subrequests: 2}, status: 502, want: func(string) bool { return true }},
		{name: "three in parallel", path: "/parallel", text: "123", within: 250 * time.Millisecond},
		{name: "three in parallel under a wall limit", path: "/parallel", text: "123", limits: Limits{Wall: 5 * time.Second}},
		{name: "pass by handle", path: "/pass", text: string(big)},
		{name: "upload", method: "POST", path: "/upload", body: streamed(big[:1<<20]), text: "1048576"},
		{name: "dispatch", path: "/dispatch/customer", status: 201, text: "customer for http://worker.example/dispatch/customer"},
		{name: "dispatch to nobody", path: "/dispatch/ghost", status: 404, text: "Worker not found"},
		{name: "dispatch with options", path: "/limited/customer", only: "go", status: 201, text: `customer with {"limits":{"cpuMs":5},"outbound":{"who":"me"}}`},
		{name: "sleep", path: "/sleep", text: "slept"},
		{name: "log", path: "/log", text: "logged"},
		{name: "throw", path: "/throw", err: &Exception{Message: "Error: on purpose"}},
		{name: "no answer", path: "/silent", only: "c", err: ErrNoResponse},
		{name: "trap", path: "/trap", only: "c", err: ErrTrap},
		{name: "exit", path: "/exit", only: "go", err: ErrTrap},
		{name: "CPU limit", path: "/spin", limits: cpu, err: ErrCPULimit, within: 500 * time.Millisecond},
		{name: "endless recursion", path: "/recurse", limits: Limits{CPU: 5 * time.Second}, err: ErrStack},
		{name: "all memory", path: "/grow", only: "c", text: "2048"},
		{name: "more than all memory", path: "/grow", only: "go", limits: Limits{CPU: 5 * time.Second}, err: ErrMemoryLimit},
		{name: "answered twice", path: "/twice", only: "c", text: "first"},
		{name: "codes", path: "/codes", only: "c", text: "-2 -2 -2 -5 -4 -2 -9 -5 -2 -2 -2 -2 -2 -2 -4 -2 -1 -1 -5 -5 -12"},
		{name: "goroutines", path: "/goroutines", only: "go", text: "123", within: 250 * time.Millisecond},
		{name: "a goroutine left behind", path: "/leave", only: "go", text: "left"},
		{name: "fetch after it", path: "/fetch", text: "one"},
		{name: "hello again", path: "/x", text: "Hello /x"},
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("reset by peer") }

func TestWasmStories(t *testing.T) {
	rt := wasmRuntime(t)
	for _, g := range exampleGuests {
		t.Run(g.name, func(t *testing.T) {
			source := g.build(t)
			for policy, name := range map[Policy]string{PolicyReuse: "reuse", PolicyRequest: "request"} {
				t.Run(name, func(t *testing.T) {
					start := time.Now()
					p := poolOf(t, rt, wasmSpec(source, policy))
					t.Logf("%d bytes: compiled and started in %v, start-up CPU %v, image %d bytes",
						len(source), time.Since(start), p.Info().Startup, p.Info().ImageBytes)
					for _, s := range stories() {
						if strings.HasPrefix(g.name, s.only) && !(s.stream && g.name == "c-inline") {
							t.Run(s.name, func(t *testing.T) { s.tell(t, p) })
						}
					}
				})
			}
		})
	}
}

func (s *story) tell(t *testing.T, p *Pool) {
	method := s.method
	if method == "" {
		method = "GET"
	}
	done := make(chan Usage, 1)
	c := &Call{
		Context: context.Background(), Host: new(world), Limits: s.limits,
		Request: wasmRequest(method, s.path, s.body, s.header...),
		Done:    func(_ *Call, u Usage) { done <- u },
	}
	if s.params != "" {
		c.Params = []byte(s.params)
	}
	start := time.Now()
	r, err := p.Invoke(c)
	if err == nil {
		s.check(t, r)
	}
	s.checkError(t, err)
	if d := time.Since(start); s.within > 0 && d > s.within {
		t.Errorf("took %v, want less than %v", d, s.within)
	}
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("the call was never done")
	}
}

func (s *story) checkError(t *testing.T, err error) {
	t.Helper()
	if want := (*Exception)(nil); errors.As(s.err, &want) {
		if got := (*Exception)(nil); !errors.As(err, &got) || got.Message != want.Message {
			t.Errorf("error %v, want %v", err, s.err)
		}
	} else if !errors.Is(err, s.err) {
		t.Errorf("error %v, want %v", err, s.err)
	}
}

func (s *story) check(t *testing.T, r *Response) {
	t.Helper()
	status, want := r.Head.Status(), s.status
	if want == 0 {
		want = 200
	}
	head := append(abi.ResponseHead(nil), r.Head...)
	text, err := answerText(r)
	if err != nil {
		t.Errorf("body: %v", err)
	}
	if status != want {
		t.Errorf("status %d, want %d (%.80q)", status, want, text)
	}
	for i := 0; i+1 < len(s.replay); i += 2 {
		if got := string(head.Headers().Get(s.replay[i])); got != s.replay[i+1] {
			t.Errorf("header %s: %q, want %q", s.replay[i], got, s.replay[i+1])
		}
	}
	if ok := text == s.text; s.want == nil && !ok || s.want != nil && !s.want(text) {
		t.Errorf("body of %d bytes %.80q, want %d bytes %.80q", len(text), text, len(s.text), s.text)
	}
}
