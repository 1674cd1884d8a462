package engine

import (
	"context"
	"fmt"
	"time"

	"switchyard/engine/store"
)

const maxNamespaces = 1000 // each is a metric label

// Namespaces returns the dispatch namespaces by name.
func (e *Engine) Namespaces() []Namespace {
	list := []Namespace{}
	for _, n := range e.catalog.all() {
		list = append(list, n.describe())
	}
	return list
}

// Namespace returns one dispatch namespace.
func (e *Engine) Namespace(name string) (Namespace, error) {
	n, err := e.dispatchNamespace(name)
	if err != nil {
		return Namespace{}, err
	}
	return n.describe(), nil
}

// dispatchNamespace is catalog.namespace without the plain Workers.
func (e *Engine) dispatchNamespace(name string) (*namespace, error) {
	if name == "" {
		return nil, fmt.Errorf("%w: %q", ErrNamespaceNotFound, name)
	}
	return e.catalog.namespace(name)
}

func (n *namespace) describe() Namespace {
	r := n.record.Load()
	out := Namespace{
		ID: r.ID, Name: r.Name, Trusted: r.Trusted, Scripts: int(n.scripts.size.Load()),
		Created: r.Created, Modified: r.Modified,
	}
	if t := n.terms.Load(); t != nil {
		out.Limits, out.Quota, out.Egress = t.limits, t.quota, t.egress
	}
	return out
}

// CreateNamespace makes an empty dispatch namespace.
func (e *Engine) CreateNamespace(ctx context.Context, name string) (Namespace, error) {
	if err := checkName("name", name); err != nil {
		return Namespace{}, err
	}
	unlock, err := e.locks.lock(ctx, "namespaces")
	if err != nil {
		return Namespace{}, err
	}
	defer unlock()
	if _, err := e.dispatchNamespace(name); err == nil {
		return Namespace{}, fmt.Errorf("%w: %q", ErrNamespaceExists, name)
	}
	if len(*e.catalog.namespaces.Load()) >= maxNamespaces {
		return Namespace{}, invalid("name", "there are %d dispatch namespaces already: use one for all customers of a product", maxNamespaces)
	}
	now := time.Now()
	r := store.Namespace{ID: newID(), Name: name, Created: now, Modified: now}
	if err := e.commit(ctx, e.catalog.plain, store.PutNamespace(now, r)); err != nil {
		return Namespace{}, err
	}
	return e.Namespace(name)
}

// UpdateNamespace renames a namespace, or changes its trust, limits or quota. Bindings lead to a namespace by
// name: after a rename, dispatch Workers must be deployed with the new one.
func (e *Engine) UpdateNamespace(ctx context.Context, name string, p NamespacePatch) (Namespace, error) {
	unlock, err := e.locks.lock(ctx, "namespaces")
	if err != nil {
		return Namespace{}, err
	}
	defer unlock()
	n, err := e.dispatchNamespace(name)
	if err != nil {
		return Namespace{}, err
	}
	r := *n.record.Load()
	if p.Name != nil && *p.Name != r.Name {
		if err := checkName("name", *p.Name); err != nil {
			return Namespace{}, err
		}
		if _, err := e.dispatchNamespace(*p.Name); err == nil {
			return Namespace{}, fmt.Errorf("%w: %q", ErrNamespaceExists, *p.Name)
		}
		r.Name = *p.Name
	}
	if p.Trusted != nil {
		r.Trusted = *p.Trusted
	}
	if err := e.patchTerms(ctx, n, &r, &p); err != nil {
		return Namespace{}, err
	}
	if p.Egress != nil {
		if r.Egress, err = encodeEgress(p.Egress); err != nil {
			return Namespace{}, err
		}
	}
	r.Modified = time.Now()
	if err := e.commit(ctx, n, store.PutNamespace(r.Modified, r)); err != nil {
		return Namespace{}, err
	}
	return n.describe(), nil
}

// patchTerms changes what the namespace says about all of its scripts.
func (e *Engine) patchTerms(ctx context.Context, n *namespace, r *store.Namespace, p *NamespacePatch) (err error) {
	if p.Limits == nil && p.Quota == nil {
		return nil
	}
	now := n.describe()
	if p.Limits != nil {
		now.Limits = *p.Limits
	}
	if p.Quota != nil {
		now.Quota = *p.Quota
	}
	if err := checkLimits(&now.Limits); err != nil {
		return err
	}
	if err := checkQuota(&now.Quota); err != nil {
		return err
	}
	if err := e.usage.recall(ctx, now.Quota.Period); err != nil {
		return err
	}
	r.Limits, r.Quota, err = encodeTerms(now.Limits, now.Quota)
	return err
}

// DeleteNamespace removes a namespace and every script in it.
func (e *Engine) DeleteNamespace(ctx context.Context, name string) error {
	unlock, err := e.locks.lock(ctx, "namespaces")
	if err != nil {
		return err
	}
	defer unlock()
	n, err := e.dispatchNamespace(name)
	if err != nil {
		return err
	}
	n.commit.Lock() // uploads under way are written before this, or find it gone
	defer n.commit.Unlock()
	if err := e.apply(ctx, store.DropNamespace(time.Now(), n.id)); err != nil {
		return err
	}
	n.commit.gone = true
	return nil
}
