package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// fakeRuntime runs Workers written in a language of one command a line; what the commands say
// is the response body, one line each.
//
//	say TEXT                          TEXT
//	url                               the request's URL
//	header NAME                       the value of a request header
//	env NAME                          the value of a text or JSON binding, or of a parameter
//	limits                            the call's CPU and subrequest limits
//	fetch URL [NAME VALUE]            the response to a plain fetch, with a header
//	service BINDING URL               the response of a service
//	dispatch BINDING SCRIPT [OPTIONS] the response of a user Worker
//	try COMMAND                       what COMMAND says, or "error: " and its error
//	redirect STATUS URL               nothing: the response is a redirect, unless the URL's path is /end
//	method                            the request's method, body and authorization header
//	post URL [MODE]                   the response to a POST of "body", with an authorization header
//	spend DURATION                    nothing: uses CPU time
//	log TEXT                          nothing: writes a console line
//	throw TEXT                        nothing: ends the call with an exception
//	fail KIND                         nothing: ends the call with isolate's cpu, trap or busy error
//	syntax error                      is refused at start-up
type fakeRuntime struct {
	t       testing.TB
	mu      sync.Mutex
	made    []isolate.Spec
	slow    time.Duration // of making a pool
	fail    atomic.Pointer[error]
	open    atomic.Int64 // pools not closed
	crowded atomic.Bool
	stale   atomic.Bool // every frozen snapshot is another program's
}

func (rt *fakeRuntime) Runs(string) bool { return false }

func (rt *fakeRuntime) Crowded() bool { return rt.crowded.Load() }

func (rt *fakeRuntime) Stats() isolate.RuntimeStats { return isolate.RuntimeStats{} }

func (rt *fakeRuntime) NewPool(ctx context.Context, s *isolate.Spec) (pool, error) {
	time.Sleep(rt.slow)
	if err := rt.fail.Load(); err != nil {
		return nil, *err
	}
	if s.Frozen != nil && rt.stale.Load() {
		return nil, isolate.ErrStale
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.made = append(rt.made, *s)
	source := string(s.Frozen)
	if s.Frozen == nil {
		i := slices.IndexFunc(s.Modules, func(m isolate.Module) bool { return m.Name == s.Main })
		source = string(s.Modules[i].Source)
	}
	if strings.HasPrefix(source, "syntax error") {
		return nil, &isolate.StartupError{Module: s.Main, Message: "SyntaxError: line 1"}
	}
	rt.open.Add(1)
	return &fakePool{rt: rt, spec: *s, lines: strings.Split(source, "\n")}, nil
}

// last is what the last pool was made from.
func (rt *fakeRuntime) last() isolate.Spec {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return rt.made[len(rt.made)-1]
}

func (rt *fakeRuntime) builds() int {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return len(rt.made)
}

type fakePool struct {
	rt     *fakeRuntime
	spec   isolate.Spec
	lines  []string
	closed atomic.Bool
}

func (p *fakePool) Info() isolate.PoolInfo {
	return isolate.PoolInfo{Startup: time.Millisecond, HandlesFetch: true}
}

// Freeze is the source, which is all of a fake Worker's state.
func (p *fakePool) Freeze() []byte { return []byte(strings.Join(p.lines, "\n")) }

func (p *fakePool) Stats() isolate.PoolStats { return isolate.PoolStats{} }

func (p *fakePool) Close() {
	if p.closed.Swap(true) {
		p.rt.t.Error("pool closed twice")
	}
	p.rt.open.Add(-1)
}

// Invoke says Done when the response is released, as a Worker does that streams its body.
func (p *fakePool) Invoke(c *isolate.Call) (*isolate.Response, error) {
	if p.closed.Load() {
		c.Request.Release()
		c.Done(c, isolate.Usage{})
		return nil, isolate.ErrClosed
	}
	run := &fakeRun{pool: p, call: c, method: fmt.Sprintf("%s %s %s", c.Request.Head.Method(), c.Request.Body.Bytes, c.Request.Head.Headers().Get("authorization"))}
	var body strings.Builder
	for _, line := range p.lines {
		said, err := run.do(line)
		if err != nil {
			c.Request.Release()
			c.Usage, c.Isolate = run.usage, isolate.Warm
			c.Done(c, run.usage)
			return nil, err
		}
		if said != nothing {
			body.WriteString(said + "\n")
		}
	}
	c.Request.Release()
	c.Usage, c.Isolate = run.usage, isolate.Warm
	resp := &isolate.Response{Head: abi.AppendResponseHead(nil, 200), Body: isolate.Body{Bytes: []byte(body.String())}}
	if run.head != nil {
		resp.Head = run.head
	}
	resp.Free = func(*isolate.Response) { c.Done(c, run.usage) }
	return resp, nil
}

const nothing = "\x00"

type fakeRun struct {
	pool   *fakePool
	call   *isolate.Call
	usage  isolate.Usage
	head   abi.ResponseHead // of a redirect
	method string
}

func (r *fakeRun) do(line string) (string, error) {
	verb, rest, _ := strings.Cut(line, " ")
	args := strings.SplitN(rest, " ", 3)
	head := r.call.Request.Head
	switch verb {
	case "say":
		return rest, nil
	case "url":
		return string(head.URL()), nil
	case "header":
		return string(head.Headers().Get(rest)), nil
	case "env":
		return r.env(rest), nil
	case "limits":
		return fmt.Sprint(r.call.Limits.CPU, " ", r.call.Limits.Subrequests), nil
	case "fetch":
		return r.fetch(isolate.Subrequest{Binding: isolate.FetchGlobal, Redirect: redirectFollow}, args[0], args[1:]...)
	case "service":
		return r.fetch(isolate.Subrequest{Binding: r.index(args[0]), Redirect: redirectManual}, args[1])
	case "dispatch":
		sub := isolate.Subrequest{Binding: r.index(args[0]), Name: args[1], Redirect: redirectManual}
		if len(args) == 3 {
			sub.Options = []byte(args[2])
		}
		return r.fetch(sub, string(head.URL()))
	case "try":
		said, err := r.do(rest)
		if err != nil {
			return "error: " + err.Error(), nil
		}
		return said, nil
	case "method":
		return r.method, nil
	case "redirect":
		if !strings.HasSuffix(string(head.URL()), "/end") {
			status, _ := strconv.Atoi(args[0])
			r.head = abi.AppendHeader(abi.AppendResponseHead(nil, status), 0, "location", args[1])
		}
		return nothing, nil
	case "post":
		mode := "follow"
		if len(args) > 1 {
			mode = args[1]
		}
		return r.post(args[0], mode)
	case "spend":
		d, _ := time.ParseDuration(rest)
		r.usage.CPU += d
		return nothing, nil
	case "log":
		r.call.Host.Log(r.call, isolate.LogInfo, []byte(rest))
		return nothing, nil
	case "throw":
		return "", &isolate.Exception{Message: rest, Stack: "    at fetch (index.js:1:1)"}
	case "fail":
		return "", map[string]error{"cpu": isolate.ErrCPULimit, "trap": isolate.ErrTrap, "busy": isolate.ErrBusy}[rest]
	}
	panic("no such command: " + line)
}

func (r *fakeRun) fetch(sub isolate.Subrequest, url string, header ...string) (string, error) {
	if n := r.call.Limits.Subrequests; n > 0 && r.usage.Subrequests >= n {
		return "", isolate.ErrSubrequests
	}
	r.usage.Subrequests++
	sub.Request = newRequest("GET", url, header...)
	resp, err := r.call.Host.Fetch(r.call.Context, r.call, &sub)
	if err != nil {
		return "", err
	}
	defer resp.Release()
	return strings.TrimSuffix(string(resp.Body.Bytes), "\n"), nil
}

func (r *fakeRun) post(url, mode string) (string, error) {
	req := newRequest("POST", url, "authorization", "secret", "content-type", "text/plain")
	req.Body.Bytes = []byte("body")
	sub := isolate.Subrequest{Binding: isolate.FetchGlobal, Request: req, Redirect: mode}
	resp, err := r.call.Host.Fetch(r.call.Context, r.call, &sub)
	if err != nil {
		return "", err
	}
	defer resp.Release()
	return fmt.Sprintf("%d %s %s", resp.Head.Status(), resp.URL, strings.ReplaceAll(string(resp.Body.Bytes), "\n", " ")), nil
}

func (r *fakeRun) bindings() (list []envBinding) {
	if err := json.Unmarshal(r.pool.spec.Env, &list); err != nil {
		r.pool.rt.t.Errorf("env %s: %v", r.pool.spec.Env, err)
	}
	return list
}

func (r *fakeRun) index(name string) int {
	for _, b := range r.bindings() {
		if b.Name == name && b.Index != nil {
			return *b.Index
		}
	}
	return 1000
}

func (r *fakeRun) env(name string) string {
	var params map[string]json.RawMessage
	if r.call.Params != nil {
		if err := json.Unmarshal(r.call.Params, &params); err != nil {
			r.pool.rt.t.Errorf("params %s: %v", r.call.Params, err)
		}
	}
	if v, ok := params[name]; ok {
		return string(v)
	}
	for _, b := range r.bindings() {
		if b.Name == name && b.Text != nil {
			return *b.Text
		}
		if b.Name == name && b.JSON != nil {
			return string(b.JSON)
		}
	}
	return "undefined"
}

// newRequest makes a request with headers given as name, value pairs.
func newRequest(method, url string, header ...string) *isolate.Request {
	head := abi.AppendRequestHead(nil, method, url)
	for i := 0; i+1 < len(header); i += 2 {
		head = abi.AppendHeader(head, 0, header[i], header[i+1])
	}
	return &isolate.Request{Head: head}
}

// fakeEgress answers with what it was asked, and for whom.
type fakeEgress struct{ tenants sync.Map }

func (g *fakeEgress) Fetch(_ context.Context, tenant string, _ []*EgressPolicy, req *isolate.Request) (*isolate.Response, error) {
	defer req.Release()
	g.tenants.Store(tenant, true)
	var body bytes.Buffer
	fmt.Fprintf(&body, "egress %s", req.Head.URL())
	for rest := req.Head.Headers(); len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		fmt.Fprintf(&body, " %s=%s", name, value)
	}
	return &isolate.Response{Head: abi.AppendResponseHead(nil, 200), Body: isolate.Body{Bytes: body.Bytes()}}, nil
}

// platform is an Engine under test.
type platform struct {
	*Engine
	t       testing.TB
	options Options
	rt      *fakeRuntime
	egress  *fakeEgress
	logged  *logged
}

type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) add(line LogLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%s #%d %s", line.Ref, line.Request, line.Text))
}

func (l *logged) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func openPlatform(t testing.TB, change ...func(*Options)) *platform {
	t.Helper()
	p := &platform{t: t, rt: &fakeRuntime{t: t}, egress: &fakeEgress{}, logged: &logged{}}
	p.options = Options{
		Dir: t.TempDir(), runtime: p.rt, Egress: p.egress, Log: p.logged.add,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	var err error
	if p.options.Derived, err = store.OpenDerived(filepath.Join(p.options.Dir, "derived"), p.options.Logger); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(&p.options)
	}
	p.open()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if n := p.rt.open.Load(); n != 0 {
			t.Errorf("%d pools are open after Close", n)
		}
	})
	return p
}

func (p *platform) open() {
	p.t.Helper()
	e, err := Open(p.options)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Engine = e
}

// reopen is a restart of the process.
func (p *platform) reopen() {
	p.t.Helper()
	if err := p.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.open()
}

func (p *platform) namespace(names ...string) {
	p.t.Helper()
	for _, name := range names {
		if _, err := p.CreateNamespace(context.Background(), name); err != nil {
			p.t.Fatal(err)
		}
	}
}

// parseRef reads "namespace/script" or "script".
func parseRef(text string) Ref {
	if n, s, ok := strings.Cut(text, "/"); ok {
		return Ref{n, s}
	}
	return Ref{Script: text}
}

func upload(source string, bindings ...Binding) Upload {
	return Upload{
		Main: "index.js", Bindings: bindings,
		Modules: []isolate.Module{{Name: "index.js", Kind: isolate.ModuleES, Source: []byte(source)}},
	}
}

func (p *platform) deploy(ref, source string, bindings ...Binding) Script {
	p.t.Helper()
	s, err := p.Deploy(context.Background(), parseRef(ref), upload(source, bindings...))
	if err != nil {
		p.t.Fatalf("deploy %s: %v", ref, err)
	}
	return s
}

// get asks for http://host/path and returns the body without its last newline, or the error.
func (p *platform) get(url string, header ...string) string {
	p.t.Helper()
	body, err := p.serve(url, header...)
	if err != nil {
		return "error: " + err.Error()
	}
	return body
}

func (p *platform) serve(url string, header ...string) (string, error) {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	ev := &Event{Context: context.Background(), Request: newRequest("GET", url, header...), Host: host}
	resp, err := p.Serve(ev)
	if err != nil {
		return "", err
	}
	defer resp.Release()
	return strings.TrimSuffix(string(resp.Body.Bytes), "\n"), nil
}

func (p *platform) want(url, want string, header ...string) {
	p.t.Helper()
	if got := p.get(url, header...); got != want {
		p.t.Errorf("%s: got %q, want %q", url, got, want)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

func serviceTo(name, script string) Binding {
	return Binding{Name: name, Type: Service, Service: script}
}

func dispatchTo(name, namespace string, outbound *Outbound) Binding {
	return Binding{Name: name, Type: DispatchNamespace, Namespace: namespace, Outbound: outbound}
}

func text(name, value string) Binding { return Binding{Name: name, Type: PlainText, Text: value} }

func secret(name, value string) Binding { return Binding{Name: name, Type: SecretText, Text: value} }
