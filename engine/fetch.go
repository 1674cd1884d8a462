package engine

import (
	"cmp"
	"context"
	"errors"

	"switchyard/isolate"
)

// host answers the host calls of guests.
type host struct{ *Engine }

var errNoBinding = errors.New("This binding cannot be fetched from.")

// Fetch sends a guest's subrequest where it belongs:
//
//	fetch()              the outbound Worker, when the call runs under one; else egress
//	env.SERVICE.fetch()  that plain Worker
//	env.NS.get().fetch() a user Worker
//	env.ASSETS.fetch()   the version's own static assets
//	caches…              the script's own cache
//	env.KV.get() …       the host, by the binding's answerer
//
// An outbound Worker that is missing is an error, never a way around it.
func (h host) Fetch(ctx context.Context, c *isolate.Call, sub *isolate.Subrequest) (*isolate.Response, error) {
	inv := c.Owner.(*invocation)
	if sub.Binding == isolate.FetchCache {
		return h.cache.call(ctx, inv, sub)
	}
	if a := inv.answererOf(sub.Binding); a != nil {
		return a.answer(ctx, inv, sub)
	}
	sanitise(sub.Request, inv.untrusted())
	return inv.fetch(ctx, sub)
}

// fetch owns sub.Request.
func (inv *invocation) fetch(ctx context.Context, sub *isolate.Subrequest) (*isolate.Response, error) {
	switch sub.Redirect {
	case redirectFollow, redirectError:
		return inv.follow(ctx, sub)
	case redirectManual:
		return inv.send(ctx, sub)
	}
	panic("BUG: redirect mode " + sub.Redirect)
}

// send sends one request to egress or to a Worker. It owns sub.Request.
func (inv *invocation) send(ctx context.Context, sub *isolate.Subrequest) (*isolate.Response, error) {
	if sub.Binding == isolate.FetchGlobal && inv.outbound == nil && !inv.asked.noSubrequests {
		return inv.leave(ctx, sub.Request)
	}
	if inv.targetKind(sub.Binding) == targetAssets && sub.Kind == isolate.CallFetch {
		return inv.fetchAsset(ctx, sub)
	}
	return inv.callWorker(ctx, sub)
}

func (inv *invocation) targetKind(binding int) targetKind {
	if binding < 0 || binding >= len(inv.loaded.targets) {
		return targetNone
	}
	return inv.loaded.targets[binding].kind
}

// callWorker sends the subrequest to the Worker that it is for.
func (inv *invocation) callWorker(ctx context.Context, sub *isolate.Subrequest) (*isolate.Response, error) {
	child, err := inv.child(sub)
	if err != nil {
		sub.Request.Release()
		return nil, err
	}
	child.call.Kind = sub.Kind
	return child.run(ctx, sub.Request)
}

// child prepares the call that a subrequest becomes.
func (inv *invocation) child(sub *isolate.Subrequest) (*invocation, error) {
	if inv.asked.noSubrequests {
		return nil, isolate.ErrSubrequests
	}
	if inv.depth == maxDepth {
		return nil, ErrLoop
	}
	if sub.Binding == isolate.FetchGlobal && sub.Kind == isolate.CallFetch {
		return inv.toOutbound()
	}
	if sub.Binding < 0 || sub.Binding >= len(inv.loaded.targets) {
		return nil, errNoBinding
	}
	switch t := &inv.loaded.targets[sub.Binding]; t.kind {
	case targetNamespace:
		return inv.toUserWorker(t, sub)
	case targetService:
		return inv.toService(t)
	default:
		return nil, errNoBinding
	}
}

// errLost is all that a user Worker learns of a missing outbound Worker: it cannot tell that there is to be one.
var errLost = errors.New("Network connection lost.")

// toOutbound calls the outbound Worker. Its own fetches go to egress, on the connections of
// the user Worker it stands before.
func (inv *invocation) toOutbound() (*invocation, error) {
	worker := inv.outbound.worker
	child, err := inv.toPlain(worker.Service, worker.Entrypoint)
	if err != nil {
		inv.engine.logger.Error("outbound Worker is missing: a fetch fails", "worker", worker.Service, "caller", inv.script.ref().String(), "error", err)
		return nil, errLost
	}
	child.call.Params = inv.outbound.params
	child.stage = stageOutbound
	return child, nil
}

// toService calls a plain Worker. What a user Worker calls fetches through the same outbound
// Worker as it does itself.
func (inv *invocation) toService(t *target) (*invocation, error) {
	child, err := inv.toPlain(t.name, t.entrypoint)
	if err != nil {
		return nil, err
	}
	child.outbound = inv.outbound
	child.call.Props = t.props
	return child, nil
}

func (inv *invocation) toPlain(name, entrypoint string) (*invocation, error) {
	s := inv.engine.catalog.plain.scripts.get(name)
	if s == nil {
		return nil, ErrWorkerNotFound
	}
	child := inv.callee(s)
	child.call.Entrypoint = entrypoint
	child.tenant, child.governed = inv.tenant, inv.policies()
	child.egress.Store(inv.budget())
	return child, nil
}

// toUserWorker dispatches. The name is looked up now, not at get().
func (inv *invocation) toUserWorker(t *target, sub *isolate.Subrequest) (*invocation, error) {
	options, err := t.options.parse(sub.Options)
	if err != nil {
		return nil, err
	}
	n, err := inv.engine.catalog.namespace(t.name)
	if err != nil || n.isPlain() {
		return nil, ErrWorkerNotFound
	}
	s := n.scripts.get(sub.Name)
	if s == nil {
		return nil, ErrWorkerNotFound
	}
	child := inv.callee(s)
	child.asked = options
	child.stage, child.payer = stageUser, child.account
	child.outbound = cmp.Or(options.outbound, inv.outbound)
	child.call.Props, child.call.Entrypoint = options.props, options.entrypoint
	return child, nil
}

// Log takes a console line.
func (h host) Log(c *isolate.Call, level isolate.LogLevel, line []byte) {
	c.Owner.(*invocation).log(level, line)
}
