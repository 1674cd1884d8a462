package engine

import (
	"fmt"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// Content returns the source of what is deployed: of the newest version that receives traffic,
// or when none does, of the newest upload.
func (e *Engine) Content(ref Ref) (main string, modules []isolate.Module, err error) {
	s, err := e.catalog.script(ref)
	if err != nil {
		return "", nil, err
	}
	newest, err := e.newestDeployed(s)
	if err != nil {
		return "", nil, err
	}
	v, err := readVersion(newest)
	if err != nil {
		return "", nil, err
	}
	modules, err = e.modules(&v)
	return v.Main, modules, err
}

// VersionContent returns the source of one version.
func (e *Engine) VersionContent(ref Ref, id string) (main string, modules []isolate.Module, err error) {
	v, err := e.Version(ref, id)
	if err != nil {
		return "", nil, err
	}
	modules, err = e.modules(&v)
	return v.Main, modules, err
}

func (e *Engine) newestDeployed(s *script) (newest *store.Version, err error) {
	state := s.state.Load()
	versions := state.versions()
	if state.deployment != nil && state.newest != nil && !state.receives(state.newest) {
		versions = versions[1:]
	}
	for _, v := range versions {
		r, err := e.stored(v)
		if err != nil {
			return nil, err
		}
		if newest == nil || r.Number > newest.Number {
			newest = r
		}
	}
	if newest == nil { // deleted meanwhile
		return nil, fmt.Errorf("%w: %q", ErrScriptNotFound, s.ref().String())
	}
	return newest, nil
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

// recipe reads what v is made from: its modules, or where it is not nil the frozen snapshot. Its
// secrets are opened here, and only here, to run it.
func (e *Engine) recipe(v *version, frozen []byte) (*recipe, error) {
	record, err := e.stored(v)
	if err != nil {
		return nil, err
	}
	stored, err := readVersion(record)
	if err != nil {
		return nil, err
	}
	if stored.Bindings, err = e.unseal(v.script.id, stored.Bindings); err != nil {
		return nil, err
	}
	if frozen != nil {
		return e.newRecipe(v.script.ref(), v.script.terms.Load(), &stored, nil, frozen)
	}
	modules, err := e.modules(&stored)
	if err != nil {
		return nil, err
	}
	return e.newRecipe(v.script.ref(), v.script.terms.Load(), &stored, modules, nil)
}

// suspendedPlain is how many requests may wait in one JavaScript isolate of a plain Worker:
// dispatch and outbound Workers mostly wait for others. User Workers have the runtime's default.
const suspendedPlain = 32

// newRecipe says how to run v, whose secrets are open, from its modules or its frozen snapshot.
func (e *Engine) newRecipe(ref Ref, t *terms, v *Version, modules []isolate.Module, frozen []byte) (*recipe, error) {
	env, err := newEnv(v)
	if err != nil {
		return nil, err
	}
	defaults, suspended := &e.limits, 0
	if ref.Namespace == "" {
		defaults, suspended = &e.plainLimits, suspendedPlain
	}
	return &recipe{
		spec: isolate.Spec{
			Name: ref.String(), Main: v.Main, Modules: modules, Frozen: frozen, Env: env, Policy: v.Policy,
			Memory: newRules(v.Limits, t, defaults).alone.Memory, Suspended: suspended, Node: nodeCompat(v),
		},
		targets:  e.newTargets(v.Bindings),
		limits:   v.Limits,
		egress:   v.Egress,
		defaults: defaults,
		observed: newObserved(v),
	}, nil
}
