package engine

import (
	"context"

	"switchyard/isolate"
)

// come enters a version of the script and passes what its limits say about coming in. What it
// fails with has cost nothing but the look.
func (inv *invocation) come(ctx context.Context, v *version) error {
	if err := inv.enter(ctx, v); err != nil {
		return err
	}
	if err := inv.admit(ctx); err != nil {
		inv.loaded.leave()
		return err
	}
	return nil
}

// intercepted ends a call that a static asset answered before the Worker. It is a request like
// others, but nobody's call.
func (inv *invocation) intercepted(req *isolate.Request, resp *isolate.Response, err error) (*isolate.Response, error) {
	req.Release()
	if err == nil {
		err = inv.claim()
	}
	if err != nil {
		inv.account.failed(inv.chain.shard, err)
		if resp != nil {
			resp.Release()
			resp = nil
		}
	}
	inv.free()
	return resp, err
}

// admit lets the call in, or says which limit is in the way.
func (inv *invocation) admit(ctx context.Context) error {
	l, a := &inv.loaded.rules.Load().alone, inv.account
	if l.Rate > 0 && !a.rate.take(monotonic(), l.Rate) {
		return ErrRate
	}
	if l.Concurrent > 0 {
		if err := a.gate.enter(ctx, l.Concurrent); err != nil {
			return err
		}
		inv.gated = true
	}
	if err := inv.claim(); err != nil {
		inv.leaveGate()
		return err
	}
	return nil
}

func (inv *invocation) leaveGate() {
	if inv.gated {
		inv.gated = false
		inv.account.gate.leave(inv.loaded.rules.Load().alone.Concurrent)
	}
}

// claim finds out whom the request is counted for: the first user Worker of the chain, else the
// Worker that the ingress called.
func (inv *invocation) claim() error {
	c := inv.chain
	user := inv.stage == stageUser && inv.payer == inv.account
	first := user && c.owner.CompareAndSwap(nil, inv.account)
	if quotas := inv.account.quotas.Load(); quotas != nil && (user || inv.depth == 1) {
		if err := takeAll(*quotas, first); err != nil {
			if first {
				c.owner.Store(nil)
			}
			return err
		}
	}
	if inv.depth == 1 {
		c.entry = inv.account
	}
	return nil
}

// payerNow is for whom the call is, as far as that is known.
func (inv *invocation) payerNow() *account {
	if inv.payer != nil {
		return inv.payer
	}
	if owner := inv.chain.owner.Load(); owner != nil {
		return owner
	}
	return inv.account
}

// stageNow is the stage that its CPU time is counted in: what nobody else is charged for is a
// Worker's own.
func (inv *invocation) stageNow() stage {
	if inv.stage == stageDispatch && inv.payerNow() == inv.account {
		return stageUser
	}
	return inv.stage
}

// settle counts what the whole call was.
func (inv *invocation) settle(u *isolate.Usage) {
	a, shard := inv.account, inv.chain.shard
	inv.leaveGate()
	a.add(shard, countCalls, 1)
	if u.Subrequests > 0 && inv.stage != stageOutbound {
		own := a
		if inv.payer != nil {
			own = inv.payer
		}
		own.add(shard, countSubrequests, uint64(u.Subrequests))
	}
	if u.Refused > 0 {
		a.fault(shard, faultSubrequests)
	}
	if limit := inv.call.Limits.LogBytes; limit > 0 && u.LogBytes >= limit {
		a.fault(shard, faultLog)
	}
}
