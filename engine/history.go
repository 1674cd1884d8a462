package engine

import (
	"errors"
	"fmt"
	"slices"

	"switchyard/engine/store"
)

// history is everything the store has of one script.
type history struct {
	script      store.Script
	deployments []store.Deployment // oldest first
	versions    []store.Version    // oldest first
}

// history reads a script's records. Requests never do.
func (e *Engine) history(s *script) (h history, err error) {
	err = e.store.LoadScript(s.namespace.id, s.id, func(r store.Record) error {
		switch {
		case r.Script != nil:
			h.script = *r.Script
		case r.Deployment != nil:
			h.deployments = append(h.deployments, *r.Deployment)
		case r.Version != nil:
			h.versions = append(h.versions, *r.Version)
		}
		return nil
	})
	if err == nil && h.script.ID == "" { // deleted meanwhile
		err = fmt.Errorf("%w: %q", ErrScriptNotFound, s.ref().String())
	}
	return h, storeError(err)
}

// record returns the version called id.
func (h *history) record(id string) (*store.Version, error) {
	i := slices.IndexFunc(h.versions, func(v store.Version) bool { return v.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("%w: %q", ErrVersionNotFound, id)
	}
	return &h.versions[i], nil
}

// stored reads the record of v: one key, as long as its number is known.
func (e *Engine) stored(v *version) (*store.Version, error) {
	if v.number > 0 {
		r, err := e.store.LoadVersion(v.script.namespace.id, v.script.id, v.number)
		if r != nil || err != nil {
			return r, storeError(err)
		}
		return nil, fmt.Errorf("%w: %q", ErrVersionNotFound, v.id) // deleted meanwhile
	}
	h, err := e.history(v.script)
	if err != nil {
		return nil, err
	}
	return h.record(v.id)
}

func shownVersion(r *store.Version) (Version, error) {
	v, err := readVersion(r)
	v.Bindings = withoutSecrets(v.Bindings)
	return v, err
}

// Scripts returns the scripts of a namespace, or with "" the plain Workers, by name.
func (e *Engine) Scripts(namespace string) ([]Script, error) {
	n, err := e.catalog.namespace(namespace)
	if err != nil {
		return nil, err
	}
	list := []Script{}
	for _, s := range n.scripts.all() {
		described, err := e.describe(s)
		if errors.Is(err, ErrScriptNotFound) || errors.Is(err, ErrVersionNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, described)
	}
	return list, nil
}

// describe tells about a script as it is now.
func (e *Engine) describe(s *script) (Script, error) {
	state := s.state.Load()
	out := Script{
		Ref: s.ref(), ID: s.id, Created: state.record.Created, Modified: state.record.Modified,
	}
	settings := readScriptSettings(&state.record)
	out.Tags, out.Crons, out.Subdomain = settings.Tags, settings.Crons, settings.Subdomain
	if state.newest == nil && s.namespace.byID.get(s.id) == s {
		return out, nil // made without a version
	}
	if state.newest == nil { // deleted meanwhile
		return out, fmt.Errorf("%w: %q", ErrScriptNotFound, s.ref().String())
	}
	if state.deployment != nil {
		out.Deployment = readDeployment(state.deployment)
	}
	newest, err := e.stored(state.newest)
	if err != nil {
		return out, err
	}
	if out.Version, err = shownVersion(newest); err != nil {
		return out, err
	}
	out.HandlesHTTP = slices.Contains(newest.Handlers, handlerFetch)
	out.HasModules = out.Version.hasModules()
	return out, nil
}

// Script returns one script.
func (e *Engine) Script(ref Ref) (Script, error) {
	s, err := e.catalog.script(ref)
	if err != nil {
		return Script{}, err
	}
	return e.describe(s)
}

// Versions returns a script's versions, the newest first.
func (e *Engine) Versions(ref Ref) ([]Version, error) {
	h, err := e.historyOf(ref)
	if err != nil {
		return nil, err
	}
	list := make([]Version, 0, len(h.versions))
	for i := range h.versions {
		v, err := shownVersion(&h.versions[i])
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	slices.Reverse(list)
	return list, nil
}

// Version returns one version of a script.
func (e *Engine) Version(ref Ref, id string) (Version, error) {
	h, err := e.historyOf(ref)
	if err != nil {
		return Version{}, err
	}
	r, err := h.record(id)
	if err != nil {
		return Version{}, err
	}
	return shownVersion(r)
}

// Deployments returns a script's deployments, the newest first: it is the one that counts.
func (e *Engine) Deployments(ref Ref) ([]Deployment, error) {
	h, err := e.historyOf(ref)
	if err != nil {
		return nil, err
	}
	list := make([]Deployment, 0, len(h.deployments))
	for i := range h.deployments {
		list = append(list, readDeployment(&h.deployments[i]))
	}
	slices.Reverse(list)
	return list, nil
}

func (e *Engine) historyOf(ref Ref) (history, error) {
	s, err := e.catalog.script(ref)
	if err != nil {
		return history{}, err
	}
	return e.history(s)
}
