package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"switchyard/engine/store"
)

// planTable is who is on which plan. It is never changed once readers can see it.
type planTable struct {
	byName   map[string]*Plan
	byTag    map[string]*Plan
	byScript map[string]*Plan // by Ref.String()
}

func newPlanTable(plans map[string]*Plan) *planTable {
	t := &planTable{byName: plans, byTag: map[string]*Plan{}, byScript: map[string]*Plan{}}
	for _, p := range plans {
		for _, tag := range p.Tags {
			t.byTag[tag] = p
		}
		for _, script := range p.Scripts {
			t.byScript[script] = p
		}
	}
	return t
}

// of returns the plan of a script; nil: none.
func (t *planTable) of(ref Ref, tags []string) *Plan {
	if len(t.byName) == 0 {
		return nil
	}
	if p := t.byScript[ref.String()]; p != nil {
		return p
	}
	for _, tag := range tags {
		if p := t.byTag[tag]; p != nil {
			return p
		}
	}
	return nil
}

// clash refuses a plan that claims what another one has.
func (t *planTable) clash(p *Plan) error {
	for i, tag := range p.Tags {
		if other := t.byTag[tag]; other != nil && other.Name != p.Name {
			return invalid(fmt.Sprintf("tags[%d]", i), "%q belongs to plan %q", tag, other.Name)
		}
	}
	for i, script := range p.Scripts {
		if other := t.byScript[script]; other != nil && other.Name != p.Name {
			return invalid(fmt.Sprintf("scripts[%d]", i), "%q belongs to plan %q", script, other.Name)
		}
	}
	return nil
}

// parsePlanScript reads "namespace/script" or the name of a plain Worker.
func parsePlanScript(field, text string) (Ref, error) {
	ref := Ref{Script: text}
	if namespace, script, ok := strings.Cut(text, "/"); ok {
		ref = Ref{namespace, script}
		if err := checkName(field, namespace); err != nil {
			return ref, err
		}
	}
	return ref, checkName(field, ref.Script)
}

// Plans returns all plans by name.
func (e *Engine) Plans() []Plan {
	list := []Plan{}
	for _, p := range e.catalog.plans.Load().byName {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Plan) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Plan returns one plan.
func (e *Engine) Plan(name string) (Plan, error) {
	if p := e.catalog.plans.Load().byName[name]; p != nil {
		return *p, nil
	}
	return Plan{}, fmt.Errorf("%w: %q", ErrPlanNotFound, name)
}

// PutPlan makes or replaces a plan. When it returns nil, the next call of every script that is on it goes by it.
func (e *Engine) PutPlan(ctx context.Context, p Plan) (Plan, error) {
	unlock, err := e.locks.lock(ctx, "plans")
	if err != nil {
		return Plan{}, err
	}
	defer unlock()
	if err := checkPlan(&p); err != nil {
		return Plan{}, err
	}
	table := e.catalog.plans.Load()
	if err := table.clash(&p); err != nil {
		return Plan{}, err
	}
	p.Modified = time.Now()
	p.Created = p.Modified
	if old := table.byName[p.Name]; old != nil {
		p.Created = old.Created
	} else if len(table.byName) >= maxPlans {
		return Plan{}, invalid("name", "there are %d plans already", maxPlans)
	}
	record, err := newPlanRecord(&p)
	if err != nil {
		return Plan{}, err
	}
	if err := e.usage.recall(ctx, p.Quota.Period); err != nil {
		return Plan{}, err
	}
	if err := e.apply(ctx, store.PutPlan(p.Modified, record)); err != nil {
		return Plan{}, err
	}
	return e.Plan(p.Name)
}

// DeletePlan removes a plan; scripts that were on it go by their other limits.
func (e *Engine) DeletePlan(ctx context.Context, name string) error {
	unlock, err := e.locks.lock(ctx, "plans")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := e.Plan(name); err != nil {
		return err
	}
	return e.apply(ctx, store.DropPlan(time.Now(), name))
}

// edit returns a copy of the table's plans to change.
func (t *planTable) edit() map[string]*Plan { return maps.Clone(t.byName) }
