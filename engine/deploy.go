package engine

import (
	"context"
	"fmt"
	"math"
	"time"

	"switchyard/engine/store"
)

// Deploy makes a new version of a script, which need not exist yet, and gives it all traffic.
// When it returns, the version is durable and the next request sees it; requests in flight end
// on the version they began on. An *InputError or *isolate.StartupError refused the upload and
// changed nothing.
func (e *Engine) Deploy(ctx context.Context, ref Ref, u Upload) (Script, error) {
	d, unlock, err := e.draft(ctx, ref, true)
	if err != nil {
		return Script{}, err
	}
	defer unlock()
	if err := d.make(ctx, u, false, true); err != nil {
		return Script{}, err
	}
	return e.Script(ref)
}

// AddVersion makes a new version of a script that is there. It receives no traffic until a
// deployment names it.
func (e *Engine) AddVersion(ctx context.Context, ref Ref, u Upload) (Version, error) {
	d, unlock, err := e.draft(ctx, ref, false)
	if err != nil {
		return Version{}, err
	}
	defer unlock()
	if err := d.make(ctx, u, false, false); err != nil {
		return Version{}, err
	}
	return e.Version(ref, d.version.ID)
}

// Edit makes a new version out of the newest one, changed by edit, and gives it all traffic.
// edit sees the whole version, secrets with their text and the script's tags; a binding that it
// removes is gone. Its error is returned and changes nothing.
func (e *Engine) Edit(ctx context.Context, ref Ref, edit func(*Upload) error) (Script, error) {
	d, unlock, err := e.draft(ctx, ref, false)
	if err != nil {
		return Script{}, err
	}
	defer unlock()
	u, err := d.uploadAgain()
	if err != nil {
		return Script{}, err
	}
	if err := edit(&u); err != nil {
		return Script{}, err
	}
	if err := d.make(ctx, u, true, true); err != nil {
		return Script{}, err
	}
	return e.Script(ref)
}

// uploadAgain returns the upload that the newest version would be made from.
func (d *draft) uploadAgain() (Upload, error) {
	if d.base.ID == "" {
		return Upload{}, fmt.Errorf("%w: %q has no version yet", ErrVersionNotFound, d.ref.String())
	}
	modules, err := d.engine.modules(&d.base)
	if err != nil {
		return Upload{}, err
	}
	v := d.base
	return Upload{
		Main: v.Main, Modules: modules, Bindings: append([]Binding(nil), v.Bindings...),
		CompatibilityDate: v.CompatibilityDate, CompatibilityFlags: v.CompatibilityFlags, Tags: d.record.Tags,
		Limits: v.Limits, Policy: v.Policy, Egress: v.Egress, Annotations: v.Annotations, Metadata: v.Metadata,
		KeepAssets: true,
	}, nil
}

// DeleteScript removes a script, all its versions, and the routes and domains that lead to it. Bindings
// that lead to it stay and reject from then on.
func (e *Engine) DeleteScript(ctx context.Context, ref Ref) error {
	n, err := e.catalog.namespace(ref.Namespace)
	if err != nil {
		return err
	}
	unlock, err := e.lockScript(ctx, n, ref.Script)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := e.catalog.script(ref)
	if err != nil {
		return err
	}
	release, err := e.locks.lock(ctx, "routes")
	if err != nil {
		return err
	}
	defer release()
	if err := e.store.DropStaged(ctx, n.id, ref.Script); err != nil {
		return storeError(err)
	}
	now := time.Now()
	changes := []store.Change{store.DropScript(now, n.id, s.id)}
	for _, r := range e.allRoutes() {
		if n.isPlain() && r.Script == ref.Script {
			changes = append(changes, store.DropRoute(now, r.ID))
		}
	}
	return e.commit(ctx, n, changes...)
}

const maxShares = 16

// AddDeployment decides which versions of a script receive traffic. The shares add up to 100;
// one of 0 receives nothing.
func (e *Engine) AddDeployment(ctx context.Context, ref Ref, shares []Share, annotations map[string]string) (Deployment, error) {
	d, unlock, err := e.draft(ctx, ref, false)
	if err != nil {
		return Deployment{}, err
	}
	defer unlock()
	h, err := e.history(d.script)
	if err != nil {
		return Deployment{}, err
	}
	if err := checkAnnotations(annotations); err != nil {
		return Deployment{}, err
	}
	records, err := checkShares(shares, &h)
	if err != nil {
		return Deployment{}, err
	}
	if err := d.unchanged(); err != nil {
		return Deployment{}, err
	}
	r := d.newDeployment(records, annotations)
	now := d.record.Modified
	if err := e.commit(ctx, d.namespace, store.PutScript(now, d.record), store.AddDeployment(now, r)); err != nil {
		return Deployment{}, err
	}
	return readDeployment(&r), nil
}

func checkShares(shares []Share, h *history) ([]store.Share, error) {
	if len(shares) == 0 || len(shares) > maxShares {
		return nil, invalid("versions", "a deployment has 1 to %d versions, this one has %d", maxShares, len(shares))
	}
	sum, seen := 0.0, map[string]bool{}
	var records []store.Share
	for i, sh := range shares {
		field := fmt.Sprintf("versions[%d]", i)
		if !(sh.Percent >= 0 && sh.Percent <= 100) {
			return nil, invalid(field+".percentage", "%v is not from 0 to 100", sh.Percent)
		}
		if sh.Version == "" || seen[sh.Version] {
			return nil, invalid(field+".version_id", "%q is missing or there twice", sh.Version)
		}
		seen[sh.Version] = true
		if _, err := h.record(sh.Version); err != nil {
			return nil, err
		}
		sum += sh.Percent
		records = append(records, store.Share(sh))
	}
	if math.Abs(sum-100) > 0.01 {
		return nil, invalid("versions", "the percentages add up to %v, not to 100", sum)
	}
	return records, nil
}
