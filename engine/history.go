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

// version returns the version called id; "" is the newest.
func (h *history) version(id string) (Version, error) {
	for i := len(h.versions) - 1; i >= 0; i-- {
		if r := &h.versions[i]; id == "" || r.ID == id {
			return readVersion(r)
		}
	}
	return Version{}, fmt.Errorf("%w: %q", ErrVersionNotFound, id)
}

// describe tells about the script as it is now.
func (h *history) describe(s *script) (Script, error) {
	out := Script{
		Ref: s.ref(), ID: s.id, Tags: h.script.Tags, Created: h.script.Created, Modified: h.script.Modified,
	}
	if n := len(h.versions); n > 0 {
		v, err := shownVersion(&h.versions[n-1])
		if err != nil {
			return out, err
		}
		out.Version = v
		out.HandlesHTTP = slices.Contains(h.versions[n-1].Handlers, handlerFetch)
		out.HasModules = v.hasModules()
	}
	if n := len(h.deployments); n > 0 {
		out.Deployment = readDeployment(&h.deployments[n-1])
	}
	return out, nil
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
		if errors.Is(err, ErrScriptNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, described)
	}
	return list, nil
}

func (e *Engine) describe(s *script) (Script, error) {
	h, err := e.history(s)
	if err != nil {
		return Script{}, err
	}
	return h.describe(s)
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
	if id == "" {
		return Version{}, fmt.Errorf("%w: %q", ErrVersionNotFound, id)
	}
	v, err := h.version(id)
	v.Bindings = withoutSecrets(v.Bindings)
	return v, err
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
