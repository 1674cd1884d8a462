package engine

import (
	"errors"
	"log/slog"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// freezer keeps the snapshots of versions that receive traffic as derived data, so that a cold
// start needs no evaluation: the version's snapshot as isolate froze it, sealed with the master
// key, because a Worker may have read its secrets at module scope. A snapshot that is lost,
// damaged or another build's is made again when the version is next evaluated.
type freezer struct {
	store   *store.Store
	derived *store.Derived // nil: nothing is kept
	logger  *slog.Logger
}

// snapshotFolder begins the names of snapshots in the derived data; the version's id follows.
const snapshotFolder = "snapshot/"

// get returns what was kept of a version; nil when there is nothing.
func (f *freezer) get(versionID string) []byte {
	if f.derived == nil {
		return nil
	}
	name := snapshotFolder + versionID
	sealed, ok := f.derived.Get(name)
	if !ok {
		return nil
	}
	frozen, err := f.store.Unseal(name, sealed)
	if err != nil {
		return nil
	}
	return frozen
}

// keep freezes a version that was just evaluated, unless it is being put away already.
func (f *freezer) keep(versionID string, l *loaded) {
	if f.derived == nil || !l.enter(l.used.Load()) {
		return
	}
	frozen := l.pool.Freeze()
	l.leave()
	if frozen == nil {
		return
	}
	name := snapshotFolder + versionID
	sealed, err := f.store.Seal(name, frozen)
	if err != nil {
		f.logger.Warn("engine: a snapshot is not kept", "version", versionID, "reason", err)
		return
	}
	f.derived.Put(name, sealed)
}

// drop forgets a version that receives no traffic any more.
func (f *freezer) drop(versionID string) {
	if f.derived != nil {
		f.derived.Remove(snapshotFolder + versionID)
	}
}

// thaw makes v from its snapshot, if one is kept. The error is isolate.ErrStale when it has to
// be evaluated.
func (p *pools) thaw(v *version) (*loaded, error) {
	frozen := p.freezer.get(v.id)
	if frozen == nil {
		return nil, isolate.ErrStale
	}
	r, err := p.recipe(v, frozen)
	if err != nil {
		return nil, err
	}
	return p.make(p.closing, p.builds, r)
}

// build makes v ready to run. evaluated says that its snapshot is new.
func (p *pools) build(v *version) (l *loaded, evaluated bool, err error) {
	if l, err = p.thaw(v); !errors.Is(err, isolate.ErrStale) {
		p.thawed.Add(1)
		return l, false, err
	}
	p.evaluated.Add(1)
	r, err := p.recipe(v, nil)
	if err != nil {
		return nil, false, err
	}
	l, err = p.make(p.closing, p.builds, r)
	return l, true, err
}
