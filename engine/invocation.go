package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/engine/trace"
	"switchyard/isolate"
)

// maxDepth is how many Workers may stand in one chain of calls (the platform's own number).
const maxDepth = 16

// invocation is the engine's record of one call of one Worker. It travels as the call's Owner,
// so limits, parameters and depth never travel as headers.
//
// Two hold it: run, until it has read the outcome, and the isolate, until it says Done, which
// may come first. The last of them gives it back.
type invocation struct {
	call     isolate.Call
	engine   *Engine
	chain    *chain
	script   *script
	version  *version
	loaded   *loaded
	outbound *outboundCall // of its fetches; nil: they go to egress
	asked    *dispatchOptions
	tenant   string // whose connections its fetches use
	account  *account
	payer    *account // for whom it is; nil: for whom the chain is
	stage    stage
	gated    bool                         // it has a place at the account's gate
	egress   atomic.Pointer[egressBudget] // see budget
	governed []*EgressPolicy              // what its fetches stand under because of who calls it
	depth    int                          // 1 is the Worker that the ingress calls
	first    bool                         // its version had to be loaded for it
	charged  atomic.Int64
	trace    atomic.Pointer[trace.Draft] // nil while nobody wants to know of the call
	kept     atomic.Bool                 // the trace goes to the journal
	consumed []trace.ConsumedEvent       // of a tail Worker's call
	status   atomic.Int32                // of the response; 0: none yet
	holders  atomic.Int32
}

var invocations = sync.Pool{New: func() any { return new(invocation) }}

// acquireInvocation begins the record of a call of s. It takes one of the chain's holds over.
func (e *Engine) acquireInvocation(c *chain, s *script, depth int) *invocation {
	inv := invocations.Get().(*invocation)
	inv.engine, inv.chain, inv.script, inv.depth = e, c, s, depth
	inv.asked, inv.tenant = &noOptions, s.id
	inv.account = e.usage.of(s)
	return inv
}

// callee begins the record of a call that inv makes.
func (inv *invocation) callee(s *script) *invocation {
	inv.chain.hold()
	child := inv.engine.acquireInvocation(inv.chain, s, inv.depth+1)
	child.payer, child.stage = inv.payer, inv.stage
	return child
}

// drop gives the record back when its last holder does.
func (inv *invocation) drop() {
	if inv.holders.Add(-1) == 0 {
		inv.free()
	}
}

func (inv *invocation) free() {
	if d := inv.trace.Load(); d != nil {
		inv.tell(d)
		inv.trace.Store(nil)
		inv.kept.Store(false)
	}
	inv.status.Store(0)
	inv.chain.drop()
	inv.engine, inv.chain, inv.script, inv.version, inv.loaded = nil, nil, nil, nil, nil
	inv.outbound, inv.asked, inv.tenant = nil, nil, ""
	inv.account, inv.payer, inv.stage, inv.gated = nil, nil, stageDispatch, false
	inv.egress.Store(nil)
	inv.first, inv.governed = false, nil
	inv.consumed = nil
	inv.charged.Store(0)
	c := &inv.call
	c.Context, c.Host, c.Request, c.Params, c.Owner, c.Share = nil, nil, nil, nil, nil, nil
	c.Props, c.Kind = nil, isolate.CallFetch
	c.Entrypoint, c.Usage, c.Isolate = "", isolate.Usage{}, ""
	invocations.Put(inv)
}

// run performs the call. It owns req, and gives up the record.
func (inv *invocation) run(ctx context.Context, req *isolate.Request) (*isolate.Response, error) {
	v := inv.script.pick()
	if v != nil && inv.call.Kind == isolate.CallFetch && inv.call.Entrypoint == "" && v.assets.Load() != withoutAssets {
		if resp, err := inv.intercept(ctx, v, req); resp != nil || err != nil {
			return inv.intercepted(req, resp, err)
		}
	}
	if err := inv.come(ctx, v); err != nil {
		if inv.tailed() {
			inv.traceFault(req, err)
		}
		req.Release()
		inv.account.failed(inv.chain.shard, err)
		inv.free()
		return nil, err
	}
	inv.holders.Store(2) // run, and the isolate until Done
	defer inv.drop()
	c := &inv.call
	c.Context, c.Request, c.Host, c.Owner, c.Done = ctx, req, inv.engine.host, inv, done
	c.Fault = fault
	inv.observe(req)
	c.Limits, c.Share = inv.effectiveLimits(), &inv.account.share
	resp, err := inv.loaded.pool.Invoke(c)
	inv.loaded.leave()
	inv.charge(c.Usage.CPU)
	if inv.first {
		c.Isolate = isolate.Init
	}
	inv.chain.answered(c.Isolate, !inv.script.namespace.isPlain())
	if err == nil {
		inv.status.Store(int32(resp.Head.Status()))
	}
	if err != nil {
		inv.account.failed(inv.chain.shard, err)
		inv.logFault(err)
	}
	return resp, err
}

// policies is what its fetches stand under.
func (inv *invocation) policies() []*EgressPolicy {
	own := inv.loaded.rules.Load().egress
	if len(inv.governed) == 0 {
		return own
	}
	return append(slices.Clip(inv.governed), own...)
}

// enter enters the pool of v, or when that was replaced meanwhile of the version that counts now.
// The pool is made first when there is none.
func (inv *invocation) enter(ctx context.Context, v *version) error {
	for range maxEnterTries {
		if v == nil {
			return ErrWorkerNotFound
		}
		l := v.loaded.Load()
		if l == nil {
			var err error
			inv.first = true
			if l, err = inv.engine.pools.load(ctx, v); err != nil {
				return err
			}
		}
		if l != nil && l.enter(inv.chain.number) {
			inv.version, inv.loaded = v, l
			return nil
		}
		v = inv.script.pick()
	}
	return isolate.ErrBusy
}

// maxEnterTries bounds how often a call may find that the version it chose was just replaced
// or put away. Each try sees a newer state.
const maxEnterTries = 100

// done is every call's Done.
func done(c *isolate.Call, usage isolate.Usage) {
	inv := c.Owner.(*invocation)
	inv.charge(usage.CPU)
	inv.settle(&usage)
	inv.drop()
}

// charge raises what the call has cost the chain to cpu.
func (inv *invocation) charge(cpu time.Duration) {
	for {
		old := inv.charged.Load()
		if int64(cpu) <= old {
			return
		}
		if inv.charged.CompareAndSwap(old, int64(cpu)) {
			inv.chain.cpu.Add(int64(cpu) - old)
			inv.account.add(inv.chain.shard, countOwnCPU, uint64(int64(cpu)-old))
			inv.payerNow().spend(inv.chain.shard, inv.stageNow(), cpu-time.Duration(old))
			return
		}
	}
}

// effectiveLimits is the smallest of what the dispatch, the script, its plan and its namespace say, and
// where none says anything, the default.
func (inv *invocation) effectiveLimits() isolate.Limits {
	r := inv.loaded.rules.Load()
	if inv.asked.limits == (isolate.Limits{}) {
		return r.alone
	}
	return defaulted(inv.asked.limits.Min(r.limits), &r.alone)
}

func defaulted(l isolate.Limits, d *isolate.Limits) isolate.Limits {
	return isolate.Limits{
		CPU:           cmp.Or(l.CPU, d.CPU),
		Wall:          cmp.Or(l.Wall, d.Wall),
		Subrequests:   cmp.Or(l.Subrequests, d.Subrequests),
		Memory:        cmp.Or(l.Memory, d.Memory),
		RequestBytes:  cmp.Or(l.RequestBytes, d.RequestBytes),
		ResponseBytes: cmp.Or(l.ResponseBytes, d.ResponseBytes),
		LogBytes:      cmp.Or(l.LogBytes, d.LogBytes),
		EgressBytes:   cmp.Or(l.EgressBytes, d.EgressBytes),
		Concurrent:    cmp.Or(l.Concurrent, d.Concurrent),
		Rate:          cmp.Or(l.Rate, d.Rate),
	}
}

func (inv *invocation) untrusted() bool {
	n := inv.script.namespace
	return !n.isPlain() && !n.record.Load().Trusted
}
