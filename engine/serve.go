package engine

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"switchyard/isolate"
)

// Serve answers one request of the ingress. It owns ev.Request. The error is ErrNoEntry,
// ErrWorkerNotFound, a guest's fault (isolate.Err…, *isolate.Exception, *isolate.StartupError)
// or ErrUnavailable.
func (e *Engine) Serve(ev *Event) (*isolate.Response, error) {
	if e.fallsBack(ev) {
		return e.serveOrFallBack(ev)
	}
	return e.serve(ev, e.route)
}

func (e *Engine) serve(ev *Event, route func(*Event) (*script, error)) (*isolate.Response, error) {
	number := e.requests.Add(1)
	s, err := route(ev)
	if err != nil {
		ev.Request.Release()
		return nil, err
	}
	ctx := ev.Context
	if ctx == nil {
		ctx = context.Background()
	}
	c := acquireChain(number)
	start := monotonic()
	received := c.receive(ev.Request)
	inv := e.acquireInvocation(c, s, 1)
	if !s.namespace.isPlain() {
		inv.stage, inv.payer = stageUser, inv.account
	}
	resp, err := inv.run(ctx, ev.Request)
	c.settle(received, monotonic()-start, resp)
	c.report(ev)
	c.drop()
	return resp, err
}

// route finds who answers: the plain Worker of a route, else the entry Worker, else the
// built-in dispatcher: the user Worker named like the host's first label.
func (e *Engine) route(ev *Event) (*script, error) {
	name := e.entry
	if routes := e.catalog.routes.Load(); len(routes.byID) > 0 {
		name = cmp.Or(routes.find(ev.Host, urlPath(ev.Request.Head.URL())), name)
	}
	if name == "" {
		return e.builtIn(ev.Host)
	}
	if s := e.catalog.plain.scripts.get(name); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: there is no Worker %q", ErrNoEntry, name)
}

func (e *Engine) builtIn(host string) (*script, error) {
	n, err := e.catalog.namespace(e.dispatch)
	if err != nil {
		return nil, ErrWorkerNotFound
	}
	label, _, _ := strings.Cut(host, ".")
	if s := n.scripts.get(label); s != nil {
		return s, nil
	}
	e.usage.nobody(n).failed(0, ErrWorkerNotFound)
	return nil, ErrWorkerNotFound
}

// urlPath returns the path of a serialised absolute URL of http or https.
func urlPath(url []byte) []byte {
	const shortest = len("http://")
	if len(url) <= shortest {
		return nil
	}
	start := bytes.IndexByte(url[shortest+1:], '/')
	if start < 0 {
		return nil
	}
	path := url[shortest+1+start:]
	if end := bytes.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	return path
}
