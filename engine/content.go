package engine

import (
	"fmt"
	"slices"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// Content returns the source of what is deployed: of the newest version that receives traffic,
// or when none does, of the newest upload.
func (e *Engine) Content(ref Ref) (main string, modules []isolate.Module, err error) {
	h, err := e.historyOf(ref)
	if err != nil {
		return "", nil, err
	}
	v, err := h.version(h.newestDeployed())
	if err != nil {
		return "", nil, err
	}
	modules, err = e.modules(&v)
	return v.Main, modules, err
}

// newestDeployed returns the id of the newest version in the newest deployment; "" without one.
func (h *history) newestDeployed() string {
	if len(h.deployments) == 0 {
		return ""
	}
	shares := h.deployments[len(h.deployments)-1].Shares
	for i := len(h.versions) - 1; i >= 0; i-- {
		id := h.versions[i].ID
		if slices.ContainsFunc(shares, func(s store.Share) bool { return s.Version == id && s.Percent > 0 }) {
			return id
		}
	}
	return ""
}

// modules reads a version's source, and has checked that it is what was uploaded.
func (e *Engine) modules(v *Version) ([]isolate.Module, error) {
	modules := make([]isolate.Module, 0, len(v.Modules))
	for _, m := range v.Modules {
		hash, err := store.ParseHash(m.Hash)
		if err != nil {
			return nil, err
		}
		source, err := e.store.Blob(hash)
		if err != nil {
			return nil, fmt.Errorf("module %q of version %s: %w", m.Name, v.ID, storeError(err))
		}
		modules = append(modules, isolate.Module{Name: m.Name, Kind: m.Kind, Source: source})
	}
	return modules, nil
}

// recipe reads what v is made from. Its secrets are opened here, and only here, to run it.
func (e *Engine) recipe(v *version) (*recipe, error) {
	h, err := e.history(v.script)
	if err != nil {
		return nil, err
	}
	stored, err := h.version(v.id)
	if err != nil {
		return nil, err
	}
	if stored.Bindings, err = e.unseal(v.script.id, stored.Bindings); err != nil {
		return nil, err
	}
	modules, err := e.modules(&stored)
	if err != nil {
		return nil, err
	}
	return e.newRecipe(v.script.ref(), &stored, modules)
}

// Requests that may wait in one JavaScript isolate at once: dispatch and outbound Workers mostly
// wait for others.
const (
	suspendedPlain = 32
	suspendedUser  = 8
)

// newRecipe says how to run v, whose secrets are open.
func (e *Engine) newRecipe(ref Ref, v *Version, modules []isolate.Module) (*recipe, error) {
	env, err := newEnv(v.Bindings)
	if err != nil {
		return nil, err
	}
	defaults, suspended := &e.limits, suspendedUser
	if ref.Namespace == "" {
		defaults, suspended = &e.plainLimits, suspendedPlain
	}
	return &recipe{
		spec: isolate.Spec{
			Name: ref.String(), Main: v.Main, Modules: modules, Env: env, Policy: v.Policy,
			Memory: defaulted(v.Limits, defaults).Memory, Suspended: suspended,
		},
		targets: newTargets(v.Bindings),
		limits:  v.Limits,
	}, nil
}
