package engine

import (
	"fmt"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// terms is what holds for a script besides its own limits: what its plan and its namespace say.
// It is resolved when one of them changes, never while a request waits, and shared by all scripts
// of one plan and namespace.
type terms struct {
	plan   *Plan          // nil: none
	limits isolate.Limits // the smaller of plan's and namespace's
	weight int
	quotas []quotaRule
	egress []*EgressPolicy // each must allow a fetch
}

// namespaceTerms is what a namespace says about all of its scripts.
type namespaceTerms struct {
	limits isolate.Limits
	quota  Quota
	egress *EgressPolicy // nil: none
}

// readTerms reads what a namespace's record says; nil: nothing.
func readTerms(r *store.Namespace) (*namespaceTerms, error) {
	if len(r.Limits) == 0 && len(r.Quota) == 0 && len(r.Egress) == 0 {
		return nil, nil
	}
	egress, err := decodeEgress(r.Egress)
	if err != nil {
		return nil, fmt.Errorf("%w: namespace %s: %w", store.ErrCorrupt, r.ID, err)
	}
	limits, quota, err := decodeTerms("namespace "+r.ID, r.Limits, r.Quota)
	if err != nil {
		return nil, err
	}
	return &namespaceTerms{limits, quota, egress}, nil
}

// quotaRule is a quota and whose it is.
type quotaRule struct {
	Quota
	owner string // "plan/NAME" or "namespace/ID" of a shared one; "" where each script has its own
}

// noTerms is for scripts that no plan and no namespace says anything about.
var noTerms = &terms{weight: 1}

func (t *terms) planName() string {
	if t.plan == nil {
		return ""
	}
	return t.plan.Name
}

// newTerms resolves what holds for the scripts of n on p.
func newTerms(n *namespace, p *Plan) *terms {
	r := n.terms.Load()
	if p == nil && r == nil {
		return noTerms
	}
	t := &terms{plan: p, weight: 1}
	if r != nil {
		t.limits = r.limits
		if r.quota != (Quota{}) {
			t.quotas = append(t.quotas, quotaRule{r.quota, "namespace/" + n.id})
		}
		t.govern(r.egress)
	}
	if p == nil {
		return t
	}
	t.limits = t.limits.Min(p.Limits)
	t.weight = max(1, p.Weight)
	t.govern(p.Egress)
	if p.Quota != (Quota{}) {
		rule := quotaRule{Quota: p.Quota}
		if p.Quota.Shared {
			rule.owner = "plan/" + p.Name
		}
		t.quotas = append(t.quotas, rule)
	}
	return t
}

// govern puts fetches under one more policy, if there is one.
func (t *terms) govern(p *EgressPolicy) {
	if !p.IsZero() {
		t.egress = append(t.egress, p)
	}
}

// termsOf resolves the terms of a script that may not be in the catalog yet.
func (c *catalog) termsOf(n *namespace, script string, tags []string) *terms {
	return newTerms(n, c.plans.Load().of(Ref{n.name(), script}, tags))
}

// rules is what a call of a loaded version may spend.
type rules struct {
	limits isolate.Limits // the smallest of script, plan and namespace; a dispatch may ask for less
	alone  isolate.Limits // those of a call whose dispatch asks for none: the same, else the default
	egress []*EgressPolicy
}

func newRules(own isolate.Limits, t *terms, defaults *isolate.Limits) *rules {
	limits := own.Min(t.limits)
	return &rules{limits: limits, alone: defaulted(limits, defaults)}
}

// resettler gives scripts new terms, those of one plan and namespace the same.
type resettler struct {
	engine *Engine
	tags   func(*script) []string
	made   map[resettled]*terms
}

type resettled struct {
	namespace *namespace
	plan      *Plan
}

// script resolves the terms of s, and of what is loaded of it.
func (r *resettler) script(s *script) {
	key := resettled{s.namespace, r.engine.catalog.plans.Load().of(s.ref(), r.tags(s))}
	t := r.made[key]
	if t == nil {
		t = newTerms(key.namespace, key.plan)
		r.made[key] = t
	}
	if s.terms.Load() == t {
		return
	}
	s.terms.Store(t)
	r.engine.usage.settle(s)
	r.engine.pools.settle(s)
}

func (e *Engine) resettler(tags func(*script) []string) *resettler {
	return &resettler{e, tags, map[resettled]*terms{}}
}

// namespace resolves the terms of all scripts of n.
func (r *resettler) namespace(n *namespace) {
	for _, s := range n.scripts.all() {
		r.script(s)
	}
}

// all resolves everybody's.
func (r *resettler) all() {
	for _, n := range append(r.engine.catalog.all(), r.engine.catalog.plain) {
		r.namespace(n)
	}
}

// periods are those that some quota has.
func (c *catalog) periods() map[Period]bool {
	found := map[Period]bool{}
	for _, p := range c.plans.Load().byName {
		found[p.Quota.Period] = true
	}
	for _, n := range c.all() {
		if t := n.terms.Load(); t != nil {
			found[t.quota.Period] = true
		}
	}
	return found
}
