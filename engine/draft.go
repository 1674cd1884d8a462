package engine

import (
	"context"
	"fmt"
	"time"

	"switchyard/engine/store"
)

// draft is an upload on its way to being a version:
//
//	checked ─► evaluated ─► written and synced ─► visible ─► acknowledged
//	   └───────────┴──────────────┴──► refused: nothing was changed
//
// While it lives, nobody else changes the script.
type draft struct {
	engine    *Engine
	ref       Ref
	namespace *namespace
	script    *script      // nil when this is its first upload
	scope     Scope        // of whoever makes the change
	state     *scriptState // what the draft was begun from; nil without a script
	base      Version      // the newest version, its secrets open; the zero Version without one
	upload    Upload

	record  store.Script // the script's next record
	version Version      // secrets open
}

// draft begins a change of ref. create allows that there is no such script yet.
func (e *Engine) draft(ctx context.Context, ref Ref, create bool) (d *draft, unlock func(), err error) {
	d = &draft{engine: e, ref: ref, scope: scopeOf(ctx)}
	if d.namespace, err = e.catalog.namespace(ref.Namespace); err != nil {
		return nil, nil, err
	}
	if create {
		if err := checkName("script_name", ref.Script); err != nil {
			return nil, nil, err
		}
	}
	if unlock, err = e.lockScript(ctx, d.namespace, ref.Script); err != nil {
		return nil, nil, err
	}
	if err = d.begin(create); err != nil {
		unlock()
		return nil, nil, err
	}
	return d, unlock, nil
}

func (e *Engine) lockScript(ctx context.Context, n *namespace, name string) (unlock func(), err error) {
	return e.locks.lock(ctx, "script/"+n.id+"/"+name)
}

// begin reads what is there.
func (d *draft) begin(create bool) error {
	now := time.Now()
	d.script = d.namespace.scripts.get(d.ref.Script)
	if d.script == nil && !create {
		return fmt.Errorf("%w: %q", ErrScriptNotFound, d.ref.String())
	}
	if d.script == nil {
		d.record = store.Script{ID: newID(), NamespaceID: d.namespace.id, Name: d.ref.Script, Created: now, Modified: now, NextVersion: 1}
		return nil
	}
	d.state = d.script.state.Load()
	d.record = d.state.record
	d.record.Modified = now
	if d.state.newest == nil {
		return nil
	}
	newest, err := d.engine.stored(d.state.newest)
	if err != nil {
		return err
	}
	if d.base, err = readVersion(newest); err != nil {
		return err
	}
	d.base.Bindings, err = d.engine.unseal(d.script.id, d.base.Bindings)
	return err
}

// bindingsOf returns the bindings of an older version, secrets open.
func (d *draft) bindingsOf(versionID string) ([]Binding, error) {
	if d.script == nil {
		return nil, fmt.Errorf("%w: %q", ErrVersionNotFound, versionID)
	}
	h, err := d.engine.history(d.script)
	if err != nil {
		return nil, err
	}
	r, err := h.record(versionID)
	if err != nil {
		return nil, err
	}
	v, err := readVersion(r)
	if err != nil {
		return nil, err
	}
	return d.engine.unseal(d.script.id, v.Bindings)
}

// make takes the upload through all of its stages. edited says that u is the whole new
// version, not what a client knows of it; deploy gives it all traffic.
func (d *draft) make(ctx context.Context, u Upload, edited, deploy bool) error {
	d.upload = u
	if err := checkUpload(&d.upload); err != nil {
		return err
	}
	if err := d.resolveAssets(ctx); err != nil {
		return err
	}
	if err := d.resolveBindings(edited); err != nil {
		return err
	}
	if err := d.checkBindings(); err != nil {
		return err
	}
	if err := d.checkObservability(); err != nil {
		return err
	}
	d.number()
	l, err := d.evaluate(ctx)
	if err != nil {
		return err
	}
	d.engine.pools.prepare(d.version.ID, l)
	defer d.engine.pools.forget(d.version.ID) // nothing, once it was published
	if err := d.write(ctx, l, deploy); err != nil {
		return err
	}
	if deploy {
		d.engine.pools.freezer.keep(d.version.ID, l)
	}
	return nil
}

// number makes the version's identity.
func (d *draft) number() {
	u := &d.upload
	d.version = Version{
		ID: newID(), Number: d.record.NextVersion, Created: d.record.Modified, ETag: newETag(u.Main, u.Modules), Main: u.Main,
		Bindings: u.Bindings, CompatibilityDate: u.CompatibilityDate, CompatibilityFlags: u.CompatibilityFlags,
		Limits: u.Limits, Policy: u.Policy, Egress: u.Egress, Annotations: u.Annotations, Metadata: u.Metadata, Assets: d.version.Assets,
	}
	d.record.NextVersion++
	if u.Tags != nil {
		d.record.Tags = u.Tags
	}
}

// evaluate runs the upload's global scope, which is the last thing that can be wrong with it.
func (d *draft) evaluate(ctx context.Context) (*loaded, error) {
	t := d.engine.catalog.termsOf(d.namespace, d.ref.Script, d.record.Tags)
	r, err := d.engine.newRecipe(d.ref, t, &d.version, d.upload.Modules, nil)
	if err != nil {
		return nil, err
	}
	return d.engine.pools.make(ctx, d.engine.pools.deploys, r)
}

// write makes the version durable and visible, in one commit.
func (d *draft) write(ctx context.Context, l *loaded, deploy bool) error {
	e := d.engine
	d.version.Startup = l.pool.Info().Startup
	for _, m := range d.upload.Modules {
		hash, err := e.store.PutBlob(ctx, m.Source)
		if err != nil {
			return storeError(err)
		}
		d.version.Modules = append(d.version.Modules, ModuleInfo{Name: m.Name, Kind: m.Kind, Size: int64(len(m.Source)), Hash: hash.String()})
	}
	stored := d.version
	var err error
	if stored.Bindings, err = e.seal(d.record.ID, d.version.Bindings); err != nil {
		return err
	}
	record, err := newVersionRecord(&d.record, &stored, l.pool.Info().HandlesFetch)
	if err != nil {
		return err
	}
	now := d.record.Modified
	changes := []store.Change{store.PutScript(now, d.record), store.AddVersion(now, record)}
	if deploy {
		all := []store.Share{{Version: record.ID, Percent: 100}}
		changes = append(changes, store.AddDeployment(now, d.newDeployment(all, record.Annotations)))
	}
	if err := d.unchanged(); err != nil {
		return err
	}
	return e.commit(ctx, d.namespace, changes...)
}

// unchanged makes sure that the draft still follows the newest version. Only a change whose
// outcome was in doubt (store.Options.Late) can have come in between.
func (d *draft) unchanged() error {
	now := d.namespace.scripts.get(d.ref.Script)
	if now != d.script || now != nil && now.state.Load() != d.state {
		return fmt.Errorf("%w: %q", ErrConflict, d.ref.String())
	}
	return nil
}

// newDeployment makes the record of a deployment. It is later than every one before, whatever
// the clock says: the latest counts.
func (d *draft) newDeployment(shares []store.Share, annotations map[string]string) store.Deployment {
	created := d.record.Modified
	if d.script != nil {
		if last := d.state.deployment; last != nil && !created.After(last.Created) {
			created = last.Created.Add(time.Nanosecond)
		}
	}
	return store.Deployment{
		ID: newID(), ScriptID: d.record.ID, NamespaceID: d.record.NamespaceID, Created: created,
		Shares: shares, Annotations: annotations,
	}
}
