package engine

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"switchyard/isolate"
)

// This file counts the bytes of bodies that leave the platform and come in: at the ingress for
// the chain, at the way to origins for whom the fetch is. Heads are not counted.

// egressBudget is what the fetches of one call may move, its outbound Worker's among them.
type egressBudget struct{ left atomic.Int64 }

// budget is what the call's fetches may move, and those of whom it calls; nil: there is no limit. It is made for
// the first of them.
func (inv *invocation) budget() *egressBudget {
	limit := inv.call.Limits.EgressBytes
	if b := inv.egress.Load(); b != nil || limit == 0 {
		return b
	}
	b := &egressBudget{}
	b.left.Store(limit)
	inv.egress.CompareAndSwap(nil, b)
	return inv.egress.Load()
}

// spend takes n bytes; false: they are more than there were.
func (b *egressBudget) spend(n int) bool { return b == nil || b.left.Add(-int64(n)) >= 0 }

func (b *egressBudget) empty() bool { return b != nil && b.left.Load() < 0 }

// tap counts what passes through a body, and ends it when the budget is spent.
type tap struct {
	io.ReadCloser
	account *account
	shard   int
	counter counter
	budget  *egressBudget
}

// Read implements io.Reader.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if n > 0 && !t.count(n) {
		return 0, ErrEgressBytes
	}
	return n, err
}

// count reports false when the budget does not reach.
func (t *tap) count(n int) bool {
	t.account.add(t.shard, t.counter, uint64(n))
	return t.budget.spend(n)
}

// body counts b: at once where its bytes are at hand, else as they pass.
func (t tap) body(b *isolate.Body) bool {
	if b.Stream == nil {
		return len(b.Bytes) == 0 || t.count(len(b.Bytes))
	}
	stream := t
	stream.ReadCloser = b.Stream
	b.Stream = &stream
	return true
}

// leave sends a request to an origin, counted for whom the fetch is.
func (inv *invocation) leave(ctx context.Context, req *isolate.Request) (*isolate.Response, error) {
	sent := tap{account: inv.payerNow(), shard: inv.chain.shard, counter: countEgressSent, budget: inv.budget()}
	if sent.budget.empty() || !sent.body(&req.Body) {
		req.Release()
		return nil, inv.overEgress()
	}
	resp, err := inv.engine.egress.Fetch(ctx, inv.tenant, inv.policies(), req)
	if err == ErrEgressDenied || err == ErrEgressRate {
		inv.payerNow().failed(inv.chain.shard, err)
	}
	if err != nil {
		if sent.budget.empty() { // the transport has its own words for a body that ended so
			err = inv.overEgress()
		}
		return nil, err
	}
	received := sent
	received.counter = countEgressReceived
	if !received.body(&resp.Body) {
		resp.Release()
		return nil, inv.overEgress()
	}
	return resp, nil
}

func (inv *invocation) overEgress() error {
	inv.payerNow().failed(inv.chain.shard, ErrEgressBytes)
	return ErrEgressBytes
}

// receive counts the body of a chain's request, whose owner is known later: it returns the bytes
// that are at hand, a stream counts itself.
func (c *chain) receive(req *isolate.Request) (atHand int) {
	if req.Body.Stream != nil {
		c.hold()
		req.Body.Stream = &reception{ReadCloser: req.Body.Stream, chain: c}
	}
	return len(req.Body.Bytes)
}

// reception is the stream of a request's body. It is counted when it is closed.
type reception struct {
	io.ReadCloser
	chain  *chain
	bytes  atomic.Int64
	closed atomic.Bool
}

// Read implements io.Reader.
func (r *reception) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.bytes.Add(int64(n))
	return n, err
}

// Close counts what was read.
func (r *reception) Close() error {
	err := r.ReadCloser.Close()
	if !r.closed.Swap(true) {
		if a := r.chain.account(); a != nil {
			a.add(r.chain.shard, countIngressReceived, uint64(r.bytes.Load()))
		}
		r.chain.drop()
	}
	return err
}

// settle counts the chain's request, once its response's head is there.
func (c *chain) settle(received int, took time.Duration, resp *isolate.Response) {
	a := c.account()
	if a == nil {
		return
	}
	if quotas := a.quotas.Load(); quotas != nil && c.owner.Load() == nil { // a user Worker's were counted when it was let in
		for _, q := range *quotas {
			q.now.Load().requests.Add(1)
		}
	}
	a.add(c.shard, countRequests, 1)
	a.add(c.shard, countWall, uint64(took))
	if received > 0 {
		a.add(c.shard, countIngressReceived, uint64(received))
	}
	if resp != nil {
		tap{account: a, shard: c.shard, counter: countIngressSent}.body(&resp.Body)
	}
}
