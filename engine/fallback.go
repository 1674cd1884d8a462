package engine

import (
	"errors"

	"switchyard/isolate"
)

// A dispatch Worker is one Worker that all requests go through. Options.Fallback is for the day on which
// it fails: the built-in dispatcher answers in its place, by the host's first label. What the
// dispatch Worker would have refused gets through then, so that nobody falls back who has not asked to.
// Only requests that may be sent twice and have no body do: the dispatch Worker may have done a part of
// its work.

// fallsBack says whether a request of the entry Worker's may be given to the built-in dispatcher.
func (e *Engine) fallsBack(ev *Event) bool {
	if !e.fallback || e.entry == "" || ev.Request.Body.Size() != 0 {
		return false
	}
	switch string(ev.Request.Head.Method()) {
	case "GET", "HEAD", "OPTIONS":
		return true
	}
	return false
}

// serveOrFallBack is serve of a request that may fall back.
func (e *Engine) serveOrFallBack(ev *Event) (*isolate.Response, error) {
	if s, err := e.route(ev); err == nil && s != e.catalog.plain.scripts.get(e.entry) {
		return e.serve(ev, e.route) // a route's own Worker is no dispatch Worker
	}
	o := acquireOriginal(ev.Request)
	defer o.drop()
	h := o.hop()
	ev.Request = o.firstRequest()
	resp, err := e.serve(ev, e.route)
	if !isFault(err) || ev.Context != nil && ev.Context.Err() != nil {
		return resp, err
	}
	e.fellBack.Add(1)
	e.logger.Warn("dispatch Worker failed: the built-in dispatcher answers", "worker", e.entry, "host", ev.Host, "error", err)
	ev.Request = o.request(&h)
	return e.serve(ev, func(ev *Event) (*script, error) { return e.builtIn(ev.Host) })
}

// isFault says that a Worker failed, or is not there: neither its client nor a busy server did it.
func isFault(err error) bool {
	for _, fault := range []error{ErrNoEntry, isolate.ErrCPULimit, isolate.ErrWallLimit, isolate.ErrMemoryLimit, isolate.ErrStack,
		isolate.ErrTrap, isolate.ErrReset, isolate.ErrNoResponse, isolate.ErrSubrequests, isolate.ErrResponseTooLarge} {
		if errors.Is(err, fault) {
			return true
		}
	}
	_, thrown := errors.AsType[*isolate.Exception](err)
	_, startup := errors.AsType[*isolate.StartupError](err)
	return thrown || startup
}
