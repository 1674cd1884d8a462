package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

func send(t testing.TB, method, url, contentType string, body io.Reader) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, paths.Replace(url), body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestProbes(t *testing.T) {
	var ready error
	server, _ := newTestServer(t, func(o *Options) {
		o.Health = func() error { return ready }
		o.Metrics = func(w io.Writer) { io.WriteString(w, "up 1\n") }
	})
	get := func(path, token string) (int, string) {
		r, _ := http.NewRequest("GET", server.URL+path, nil)
		r.Host = "balancer.example"
		if token != "" {
			r.Host = ""
			r.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	for _, want := range []struct {
		path, token string
		status      int
		body        string
	}{
		{"/healthz", "", 200, "ok\n"},
		{"/readyz", "", 200, "ready\n"},
		{"/metrics", testToken, 200, "up 1\n"},
		{"/metrics", "wrong", 403, ""},
	} {
		status, body := get(want.path, want.token)
		if status != want.status || want.body != "" && body != want.body {
			t.Errorf("GET %s: %d %q, want %d %q", want.path, status, body, want.status, want.body)
		}
	}
	ready = errors.New("the store is closed")
	if status, body := get("/readyz", ""); status != 503 || body != "not ready\n" {
		t.Errorf("not ready: %d %q", status, body)
	}
}

// TestPlatformErrors is the table of problem.go seen from outside.
func TestPlatformErrors(t *testing.T) {
	startup := &isolate.StartupError{Module: "i.js", Message: "SyntaxError: unexpected token in line 3", Stack: "    at i.js:3:7\n"}
	for _, c := range []struct {
		err    error
		status int
		code   int
		text   string
		retry  string // X-Should-Retry
	}{
		{&engine.InputError{Field: "bindings[2].service", Reason: "script \"x\" is not there"}, 400, codeInput, `bindings[2].service: script \"x\" is not there`, ""},
		{fmt.Errorf("deploy: %w", startup), 400, codeInput, `i.js: SyntaxError: unexpected token in line 3\n    at i.js:3:7`, ""},
		{fmt.Errorf("%w: disk full", engine.ErrUnavailable), 503, codeNoChanges, "the store does not accept changes: disk full", ""},
		{engine.ErrConflict, 409, codeConflict, "changed by somebody else", "false"},
		{fmt.Errorf("%w: \"x\"", engine.ErrNamespaceNotFound), 404, codeNamespaceNotFound, `not found: \"x\"`, ""},
		{fmt.Errorf("%w: \"x\"", engine.ErrScriptNotFound), 404, codeUserNotFound, `not found: \"x\"`, ""},
		{errors.New("pebble: secret detail"), 500, codeInternal, "internal error", "false"},
		{context.DeadlineExceeded, 503, codeBusy, "deadline", ""},
	} {
		server, platform := newTestServer(t, nil)
		platform.fail = c.err
		r, body := send(t, "PUT", server.URL+"$NS/prod/scripts/a", "application/javascript", strings.NewReader("1"))
		if r.StatusCode != c.status || !strings.Contains(body, fmt.Sprintf(`"code":%d,`, c.code)) || !strings.Contains(body, c.text) {
			t.Errorf("%v: %d %s", c.err, r.StatusCode, body)
		}
		if strings.Contains(body, "secret detail") {
			t.Errorf("%v: the client sees %s", c.err, body)
		}
		if got := r.Header.Get("X-Should-Retry"); got != c.retry {
			t.Errorf("%v: X-Should-Retry %q, want %q", c.err, got, c.retry)
		}
	}
}

// panicking stands for a bug of ours behind the API.
type panicking struct{ *fakePlatform }

func (panicking) Namespaces() []engine.Namespace { panic("BUG: on purpose") }

func TestPanicIsAnswered(t *testing.T) {
	var logged bytes.Buffer
	server, _ := newTestServer(t, func(o *Options) {
		o.Platform = panicking{newFake()}
		o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	})
	for range 2 {
		r, body := send(t, "GET", server.URL+"$NS", "", nil)
		if r.StatusCode != 500 || !strings.Contains(body, `"code":10013`) || strings.Contains(body, "on purpose") {
			t.Errorf("%d %s", r.StatusCode, body)
		}
	}
	if !strings.Contains(logged.String(), "on purpose") {
		t.Error("the panic is not in the log")
	}
}

// TestCeilings sends what is too much of something; nothing of it reaches the platform.
func TestCeilings(t *testing.T) {
	server, platform := newTestServer(t, func(o *Options) { o.MaxUpload = 8 << 20 })
	form := func(parts ...string) string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString("--x\r\nContent-Disposition: form-data; name=\"" + p + "\r\n")
		}
		return b.String() + "--x--\r\n"
	}
	script := "i.js\"\r\nContent-Type: application/javascript+module\r\n\r\nexport default {}"
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	brackets := make([]string, 0, 40_000)
	for range cap(brackets) {
		brackets = append(brackets, "metadata[tags][]\"\r\n\r\nx")
	}
	for _, c := range []struct {
		name, contentType, body string
		status, code            int
		text                    string
	}{
		{"body", "application/javascript", strings.Repeat("x", 8<<20+1), 413, codeTooLarge, "exceeds 8388608 bytes"},
		{"parts", "", form(brackets...), 400, codeTooLarge, "more than 2048 parts"},
		{"part name", "", form(strings.Repeat("n", 10_000) + "\"\r\n\r\nx"), 400, codeBody, "longer than 512 bytes"},
		{"metadata", "", form("metadata\"\r\n\r\n{\"x\":\""+strings.Repeat("y", 1<<20)+"\"}", script), 413, codeTooLarge, `part \"metadata\" exceeds`},
		{"depth", "", form("metadata\"\r\n\r\n{\"x\":"+deep(100_000)+"}", script), 400, codeBody, "deeper than 64 levels"},
		{"bracket depth", "", form("metadata"+strings.Repeat("[a]", 100)+"\"\r\n\r\nx", script), 400, codeBody, "deeper than 64 levels"},
		{"headers of a part", "", form("metadata\"\r\nX: "+strings.Repeat("y", 11<<20)+"\r\n\r\n{}", script), 413, codeTooLarge, "exceeds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.contentType == "" {
				c.contentType = "multipart/form-data; boundary=x"
			}
			r, body := send(t, "PUT", server.URL+"$NS/prod/scripts/a", c.contentType, strings.NewReader(c.body))
			if r.StatusCode != c.status || !strings.Contains(body, fmt.Sprintf(`"code":%d,`, c.code)) || !strings.Contains(body, c.text) {
				t.Errorf("%d %.300s", r.StatusCode, body)
			}
			if len(body) > 1000 {
				t.Errorf("the answer has %d bytes", len(body))
			}
		})
	}
	r, body := send(t, "POST", server.URL+"$NS", "", strings.NewReader(`{"name":"`+strings.Repeat("x", 1<<20)+`"}`))
	if r.StatusCode != 413 {
		t.Errorf("JSON body: %d %s", r.StatusCode, body)
	}
	if calls := platform.takeCalls(); calls != nil {
		t.Error("the platform was asked for", calls)
	}
}

// slowPlatform holds every deploy until it is let go.
type slowPlatform struct {
	*fakePlatform
	entered, leave chan struct{}
}

func (p slowPlatform) Deploy(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Script, error) {
	p.entered <- struct{}{}
	<-p.leave
	return p.fakePlatform.Deploy(ctx, ref, u)
}

// TestUploadsWait checks that no more than MaxUploads are in memory, and that everybody else
// is served meanwhile.
func TestUploadsWait(t *testing.T) {
	slow := slowPlatform{newFake(), make(chan struct{}, 8), make(chan struct{})}
	server, _ := newTestServer(t, func(o *Options) { o.Platform, o.MaxUploads = slow, 2 })
	const n = 5
	statuses := make(chan int, n)
	for i := range n {
		go func() {
			r, _ := send(t, "PUT", fmt.Sprintf("%s$W/scripts/s%d", server.URL, i), "application/javascript", strings.NewReader("1"))
			statuses <- r.StatusCode
		}()
	}
	<-slow.entered
	<-slow.entered
	if r, _ := send(t, "GET", server.URL+"$NS", "", nil); r.StatusCode != 200 {
		t.Error("a read waits for uploads:", r.StatusCode)
	}
	select {
	case <-slow.entered:
		t.Error("a third upload at once")
	case <-time.After(50 * time.Millisecond):
	}
	close(slow.leave)
	for range n {
		if status := <-statuses; status != 200 {
			t.Error("status", status)
		}
	}
}

func TestHeadAndHeaders(t *testing.T) {
	server, _ := newTestServer(t, nil)
	r, body := send(t, "HEAD", server.URL+"$NS", "", nil)
	if r.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %d %q", r.StatusCode, body)
	}
	for name, want := range map[string]string{"Server": "switchyard/dev", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": ""} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if r, _ := send(t, "OPTIONS", server.URL+"$NS", "", nil); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, POST" {
		t.Errorf("OPTIONS: %d, Allow %q", r.StatusCode, r.Header.Get("Allow"))
	}
}
