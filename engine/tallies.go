package engine

import (
	"context"
	"time"

	"switchyard/engine/store"
)

// bygone is what was spent in a period before somebody began to count towards its quotas.
type bygone struct {
	start   time.Time
	entries []spentBefore
}

type spentBefore struct {
	namespace, script, plan string // ids of the namespace, the script's name, its plan then
	requests, cpu           uint64
}

// recall reads what was spent in a period until now, for quotas that are about to hold. Requests
// served between this and their beginning are not counted.
func (a *accounting) recall(ctx context.Context, p Period) error {
	if p == PeriodNone {
		return nil
	}
	if err := a.flush(ctx); err != nil {
		return err
	}
	now := a.now()
	h := &bygone{}
	h.start, _ = p.bounds(now)
	byName := map[[3]string]*spentBefore{}
	err := a.read(h.start, now.Add(store.Minute), true, func(u store.Usage) error {
		key := [3]string{u.NamespaceID, u.Script, u.Plan}
		e := byName[key]
		if e == nil {
			e = &spentBefore{namespace: u.NamespaceID, script: u.Script, plan: u.Plan}
			byName[key] = e
		}
		e.requests += u.Requests
		e.cpu += u.CPUDispatch + u.CPUUser + u.CPUOutbound
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, e := range byName {
		h.entries = append(h.entries, *e)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.history[p] = h
	return nil
}

// settle gives the account of s, if it has one, the quotas and the weight of its terms.
func (a *accounting) settle(s *script) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if acc := s.account.Load(); acc != nil {
		a.applyLocked(acc, s)
	}
}

func (a *accounting) applyLocked(acc *account, s *script) {
	acc.quotas.Store(a.quotasLocked(s))
	acc.share.SetWeight(s.terms.Load().weight)
}

// quotasLocked finds what counts towards the quotas of a script; nil: it has none.
func (a *accounting) quotasLocked(s *script) *[]quota {
	t := s.terms.Load()
	if len(t.quotas) == 0 {
		return nil
	}
	quotas := make([]quota, len(t.quotas))
	for i, rule := range t.quotas {
		quotas[i] = quota{rule, a.tallyLocked(s, t, &rule)}
	}
	return &quotas
}

// tallyLocked finds a tally, or begins it. It belongs to a script's name, not to its id: a script
// that is deleted and uploaded again has spent what it has.
func (a *accounting) tallyLocked(s *script, t *terms, rule *quotaRule) *tally {
	owner := rule.owner
	if owner == "" {
		owner = "script/" + s.namespace.id + "/" + s.name
	}
	key := rule.Period.String() + "/" + owner
	if found := a.mu.tallies[key]; found != nil {
		return found
	}
	made := newTally(rule.Period, a.now(), 0, 0)
	if h := a.mu.history[rule.Period]; h != nil && h.start.Equal(made.now.Load().start) {
		for _, e := range h.entries {
			if e.counts(s, t, rule) {
				made.now.Load().requests.Add(int64(e.requests))
				made.now.Load().cpu.Add(int64(e.cpu))
			}
		}
	}
	a.mu.tallies[key] = made
	return made
}

// counts says that what was spent before counts towards the rule.
func (e *spentBefore) counts(s *script, t *terms, rule *quotaRule) bool {
	switch {
	case rule.owner == "":
		return e.namespace == s.namespace.id && e.script == s.name
	case rule.Shared && t.plan != nil && rule.owner == "plan/"+t.plan.Name:
		return e.plan == t.plan.Name
	}
	return "namespace/"+e.namespace == rule.owner
}

// rollTallies begins new periods, and drops what nobody asked for since the last began.
func (a *accounting) rollTallies() {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, t := range a.mu.tallies {
		if s := t.now.Load(); !now.Before(s.end) && s.requests.Load() == 0 && s.cpu.Load() == 0 && !a.usesLocked(t) {
			delete(a.mu.tallies, key)
			continue
		}
		t.roll(now)
	}
}

func (a *accounting) usesLocked(t *tally) bool {
	for _, acc := range a.mu.accounts {
		if quotas := acc.quotas.Load(); quotas != nil {
			for _, q := range *quotas {
				if q.tally == t {
					return true
				}
			}
		}
	}
	return false
}
