package fuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// request is one that a client sends.
type request struct {
	path   string
	n      int    // repetitions of the canary, where the path counts them
	canary canary // of the tenant that it is meant for
	host   string
	http   bool          // over a socket, else straight into Serve
	cancel time.Duration // the client leaves after this; 0: it stays
	part   int           // bytes of the answer that are read before it is let go; 0: all
	caught bool          // the dispatch Worker catches what goes wrong
}

// outcome is what became of one.
type outcome struct {
	err    error // of Serve, or of the connection
	status int
	header string // all of it
	mark   string // header x-mark
	body   string
	torn   error // while the body was read
}

func (o outcome) String() string {
	return fmt.Sprintf("status %d, error %v, torn %v, body %.200q", o.status, o.err, o.torn, o.body)
}

// kinds are the paths of the Worker: how often they are asked for, and what may come of them
// besides an answer. mortal ones kill their isolate.
var kinds = []struct {
	path   string
	weight int
	errs   []error
	mortal bool
}{
	{"report", 30, nil, false},
	{"big", 5, nil, false},
	{"head", 4, nil, false},
	{"echo", 6, nil, false},
	{"text", 6, nil, false},
	{"fetch", 8, nil, false},
	{"pass", 4, nil, false},
	{"stream", 6, nil, false},
	{"later", 8, nil, false},
	{"log", 4, nil, false},
	{"throw", 4, []error{errThrown}, false},
	{"reject", 3, []error{errThrown}, false},
	{"spin", 2, []error{isolate.ErrCPULimit}, true},
	{"async", 1, []error{isolate.ErrCPULimit}, true},
	{"recurse", 2, []error{errThrown, isolate.ErrStack}, false},
	{"memory", 1, []error{isolate.ErrMemoryLimit, isolate.ErrCPULimit, errThrown}, false},
	{"never", 2, []error{isolate.ErrNoResponse}, false},
	{"hang", 2, []error{isolate.ErrCanceled}, false},
}

// errThrown stands for any exception of the guest.
var errThrown = &isolate.Exception{Message: "thrown"}

func kindOf(path string) (errs []error, mortal bool) {
	for _, k := range kinds {
		if k.path == path {
			return k.errs, k.mortal
		}
	}
	panic("BUG: no such path: " + path)
}

// newRequest draws one for the tenant behind host.
func newRequest(r *rand.Rand, host string, c canary) *request {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	q := &request{canary: c, host: host, http: r.IntN(3) == 0}
	at := r.IntN(total)
	for _, k := range kinds {
		if at -= k.weight; at < 0 {
			q.path = k.path
			break
		}
	}
	q.n = 1 + r.IntN(1<<r.IntN(12))
	if q.path == "stream" {
		q.n = r.IntN(12)
	}
	if q.path == "hang" || r.IntN(25) == 0 {
		q.cancel = time.Duration(1 + r.IntN(3_000_000))
	}
	if r.IntN(12) == 0 {
		q.part = 1 + r.IntN(500)
	}
	return q
}

func (q *request) url() string {
	return fmt.Sprintf("http://%s/%s?c=%v&n=%d", q.host, q.path, q.canary, q.n)
}

// payload is the request's body; a method without one has "".
func (q *request) payload() string {
	if q.path == "echo" || q.path == "text" {
		return strings.Repeat(q.canary.String(), q.n)
	}
	return ""
}

// want is the whole body of the answer, "" when it is a report.
func (q *request) want() string {
	c := q.canary.String()
	switch q.path {
	case "big", "echo", "text":
		return strings.Repeat(c, q.n)
	case "stream":
		return strings.Repeat(c, 32*q.n)
	case "pass":
		return strings.Repeat(c, bigCount)
	case "fetch":
		return "origin " + c
	case "head":
		return "x"
	case "log":
		return "logged"
	}
	return ""
}

// ask sends q and reads the answer.
func (p *platform) ask(q *request) outcome {
	ctx := context.Background()
	if q.cancel > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.cancel)
		defer cancel()
	}
	if q.http {
		return p.askHTTP(ctx, q)
	}
	return p.askEngine(ctx, q)
}

func (p *platform) askEngine(ctx context.Context, q *request) outcome {
	method := "GET"
	if q.payload() != "" {
		method = "POST"
	}
	head := abi.AppendRequestHead(nil, method, q.url())
	head = abi.AppendHeader(head, 0, "x-canary", q.canary.String())
	req := &isolate.Request{Head: head, Body: isolate.Body{Bytes: []byte(q.payload())}}
	resp, err := p.system.Serve(&engine.Event{Context: ctx, Request: req, Host: q.host})
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Release()
	o := outcome{status: resp.Head.Status(), header: string(resp.Head.Headers()), mark: string(resp.Head.Headers().Get("x-mark"))}
	var body io.Reader = bytes.NewReader(resp.Body.Bytes)
	if resp.Body.Stream != nil {
		body = resp.Body.Stream
	}
	o.body, o.torn = q.read(body)
	return o
}

func (p *platform) askHTTP(ctx context.Context, q *request) outcome {
	method := http.MethodGet
	if q.payload() != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, q.url(), strings.NewReader(q.payload()))
	if err != nil {
		return outcome{err: err}
	}
	req.Header.Set("X-Canary", q.canary.String())
	resp, err := p.client.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	o := outcome{status: resp.StatusCode, header: fmt.Sprint(resp.Header), mark: resp.Header.Get("X-Mark")}
	o.body, o.torn = q.read(resp.Body)
	return o
}

// read takes the whole body, or as much of it as q wants.
func (q *request) read(r io.Reader) (string, error) {
	if q.part > 0 {
		r = io.LimitReader(r, int64(q.part))
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

// report is the answer of /report and /later.
type report struct {
	Mark   string
	Hits   int
	Seen   []string
	Stains []string
	Env    map[string]string
}

// check holds an answer of v against what it must be.
func (q *request) check(o outcome, v *version) error {
	if o.status != http.StatusOK || o.mark != v.mark() {
		return fmt.Errorf("status %d of %q, want 200 of %q", o.status, o.mark, v.mark())
	}
	if o.torn != nil {
		if q.cancel > 0 {
			return nil
		}
		return fmt.Errorf("the body is torn after %d bytes: %w", len(o.body), o.torn)
	}
	if want := q.want(); q.path != "report" && q.path != "later" {
		if q.part > 0 && len(want) > q.part {
			want = want[:q.part]
		}
		if o.body != want {
			return fmt.Errorf("the body has %d bytes, want %d: %.100q", len(o.body), len(want), o.body)
		}
		return nil
	}
	if q.part > 0 {
		return nil
	}
	return q.checkReport(o.body, v)
}

func (q *request) checkReport(body string, v *version) error {
	var r report
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return fmt.Errorf("the report is no JSON: %w", err)
	}
	c := q.canary.String()
	switch {
	case r.Mark != v.mark() || r.Env["SECRET"] != v.secret() || r.Env["PLAIN"] != v.mark():
		return fmt.Errorf("the report is of %q with env %v, want %q and %q", r.Mark, r.Env, v.mark(), v.secret())
	case r.Hits < 1 || v.fresh && r.Hits != 1:
		return fmt.Errorf("request %d of its isolate, whose state is fresh: %v", r.Hits, v.fresh)
	case len(r.Seen) == 0 || r.Seen[len(r.Seen)-1] != c || r.Env["stain"] != c:
		return fmt.Errorf("the report does not show its own request: %s", body)
	}
	for _, s := range r.Stains {
		if s != c {
			return fmt.Errorf("stains are %q, want %v", r.Stains, c)
		}
	}
	return nil
}

// failed reports whether the outcome is what err looks like to this client.
func (q *request) failed(o outcome, err error) bool {
	if q.caught && o.status == caughtStatus {
		if err == errThrown {
			return true
		}
		return strings.Contains(o.body, err.Error()) || q.part > 0 && strings.HasPrefix(err.Error(), o.body)
	}
	if q.http {
		status, body := statusOf(err)
		return o.err == nil && o.status == status && (o.body == body || q.part > 0 && strings.HasPrefix(body, o.body))
	}
	if err == errThrown {
		_, ok := errors.AsType[*isolate.Exception](o.err)
		return ok
	}
	return errors.Is(o.err, err)
}

// gone reports whether the client left before there was an answer. A fetch that waits then
// rejects, and the guest may end with what it threw.
func (q *request) gone(o outcome) bool {
	if q.cancel == 0 {
		return false
	}
	if x, ok := errors.AsType[*isolate.Exception](o.err); ok && strings.Contains(x.Message, "context deadline exceeded") {
		return true
	}
	return errors.Is(o.err, isolate.ErrCanceled) || errors.Is(o.err, context.DeadlineExceeded) || errors.Is(o.err, context.Canceled) ||
		q.caught && o.status == caughtStatus
}
