package fuzz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"switchyard/engine"
	"switchyard/isolate"
)

var background = context.Background()

// expect compares an operation's error with the one that the model wants; nil is none.
func expect(err, want error) error {
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		return fmt.Errorf("the error is %v, want %v", err, want)
	}
	return nil
}

// refused is what a refused upload's error must be.
func refused(err error) bool {
	if _, ok := errors.AsType[*engine.InputError](err); ok {
		return true
	}
	_, ok := errors.AsType[*isolate.StartupError](err)
	return ok
}

func (w *world) createNamespace(name string) error {
	w.note("create namespace %s", name)
	n, err := w.CreateNamespace(background, name)
	if w.namespaces[name] {
		return expect(err, engine.ErrNamespaceExists)
	}
	if err != nil || n.Name != name || n.Scripts != 0 {
		return fmt.Errorf("create namespace %q: %+v, %w", name, n, err)
	}
	w.namespaces[name] = true
	return nil
}

func (w *world) deleteNamespace(name string) error {
	w.note("delete namespace %s", name)
	err := w.DeleteNamespace(background, name)
	if !w.namespaces[name] {
		return expect(err, engine.ErrNamespaceNotFound)
	}
	w.dropNamespace(name)
	return expect(err, nil)
}

// missing is why an operation on a script of ref cannot be, nil when it can. create says that
// the script need not be there.
func (w *world) missing(ref engine.Ref, create bool) error {
	if ref.Namespace != "" && !w.namespaces[ref.Namespace] {
		return engine.ErrNamespaceNotFound
	}
	if w.scripts[ref] == nil && !create {
		return engine.ErrScriptNotFound
	}
	return nil
}

func (w *world) deploy(ref engine.Ref) error {
	s := w.scripts[ref]
	if s == nil {
		s = &script{ref: ref, tenant: w.newTenant(ref)}
	}
	v := w.newVersion(s.tenant)
	w.note("deploy %v: upload %d of tenant %d, fresh %v, wasm %v", ref, v.serial, v.tenant, v.fresh, v.wasm)
	got, err := w.Deploy(background, ref, v.upload())
	if want := w.missing(ref, true); want != nil {
		return expect(err, want)
	}
	if err != nil {
		return err
	}
	w.scripts[ref] = s
	return s.uploaded(v, got)
}

// uploaded makes v, of which the platform says got, the newest version with all traffic.
func (s *script) uploaded(v *version, got engine.Script) error {
	if s.id == "" {
		s.id = got.ID
	}
	v.id, v.number = got.Version.ID, len(s.versions)+1
	s.versions = append(s.versions, v)
	s.deploy(v)
	if got.ID != s.id || got.Version.Number != v.number {
		return fmt.Errorf("deploy %v: %s number %d, want %s number %d", s.ref, got.ID, got.Version.Number, s.id, v.number)
	}
	return nil
}

func (w *world) addVersion(ref engine.Ref) error {
	s := w.scripts[ref]
	tenant := 0
	if s != nil {
		tenant = s.tenant
	}
	v := w.newVersion(tenant)
	w.note("add version to %v: upload %d", ref, v.serial)
	got, err := w.AddVersion(background, ref, v.upload())
	if want := w.missing(ref, false); want != nil {
		return expect(err, want)
	}
	if err != nil {
		return err
	}
	v.id, v.number = got.ID, len(s.versions)+1
	s.versions = append(s.versions, v)
	return nil
}

// errEdit is an edit that changes its mind.
var errEdit = errors.New("no")

func (w *world) edit(ref engine.Ref, refuse bool) error {
	s := w.scripts[ref]
	tenant := 0
	if s != nil {
		tenant = s.tenant
	}
	v := w.newVersion(tenant)
	w.note("edit %v: upload %d, refuse %v", ref, v.serial, refuse)
	var seen engine.Upload
	got, err := w.Edit(background, ref, func(u *engine.Upload) error {
		seen = *u
		seen.Bindings = slices.Clone(u.Bindings)
		n := v.upload()
		u.Main, u.Modules, u.Bindings, u.Policy = n.Main, n.Modules, n.Bindings, n.Policy
		if refuse {
			return errEdit
		}
		return nil
	})
	if want := w.missing(ref, false); want != nil {
		return expect(err, want)
	}
	if old := s.newest(); !bytes.Equal(seen.Modules[0].Source, old.module().Source) || seen.Bindings[0].Text != old.secret() || seen.Policy != old.policy() {
		return fmt.Errorf("edit %v was shown another upload than number %d: %+v", ref, old.number, seen.Bindings)
	}
	if refuse {
		return expect(err, errEdit)
	}
	if err != nil {
		return err
	}
	return s.uploaded(v, got)
}

func (w *world) deployBad(ref engine.Ref) error {
	names := make([]string, 0, len(badUploads))
	for name := range badUploads {
		names = append(names, name)
	}
	slices.Sort(names)
	name := names[w.r.IntN(len(names))]
	w.note("deploy %v what is wrong: %s", ref, name)
	v := w.newVersion(0)
	v.wasm = false
	u := v.upload()
	badUploads[name](&u)
	_, err := w.Deploy(background, ref, u)
	if want := w.missing(ref, true); want != nil {
		return expect(err, want)
	}
	if !refused(err) {
		return fmt.Errorf("upload %q: the error is %v, want a refusal", name, err)
	}
	return nil
}

func (w *world) deleteScript(ref engine.Ref) error {
	w.note("delete %v", ref)
	err := w.DeleteScript(background, ref)
	if want := w.missing(ref, false); want != nil {
		return expect(err, want)
	}
	w.dropScript(ref)
	return expect(err, nil)
}

// share sets a deployment of up to three versions, or one that is wrong.
func (w *world) share(ref engine.Ref) error {
	s := w.scripts[ref]
	shares, want := w.drawShares(s)
	w.note("share %v: %v", ref, shares)
	got, err := w.AddDeployment(background, ref, shares, nil)
	if missing := w.missing(ref, false); missing != nil {
		return expect(err, missing)
	}
	if want == errShares {
		if !refused(err) {
			return fmt.Errorf("shares %v: the error is %v, want a refusal", shares, err)
		}
		return nil
	}
	if err := expect(err, want); err != nil || want != nil {
		return err
	}
	s.deployments = append(s.deployments, shares)
	if !slices.Equal(got.Shares, shares) {
		return fmt.Errorf("shares %v came back as %v", shares, got.Shares)
	}
	return nil
}

var errShares = errors.New("shares do not add up")

// drawShares draws a deployment of s, which may be nil, and the error that it must meet.
func (w *world) drawShares(s *script) (shares []engine.Share, want error) {
	if s == nil {
		return []engine.Share{{Version: "none", Percent: 100}}, engine.ErrScriptNotFound
	}
	left := 100
	for _, i := range w.r.Perm(len(s.versions))[:min(len(s.versions), 1+w.r.IntN(3))] {
		percent := w.r.IntN(left + 1)
		left -= percent
		shares = append(shares, engine.Share{Version: s.versions[i].id, Percent: float64(percent)})
	}
	shares[len(shares)-1].Percent += float64(left)
	switch w.r.IntN(8) {
	case 0:
		shares[0].Percent -= 7
		return shares, errShares
	case 1:
		shares[0].Version = "00000000-0000-4000-8000-000000000000"
		return shares, engine.ErrVersionNotFound
	}
	return shares, nil
}

func (w *world) putRoute(pattern, name string) error {
	w.note("route %s to %s", pattern, name)
	got, err := w.PutRoute(background, pattern, name)
	old, taken := w.routes[pattern]
	switch {
	case w.scripts[engine.Ref{Script: name}] == nil:
		return expect(err, engine.ErrScriptNotFound)
	case taken && old.Script != name:
		return expect(err, engine.ErrRouteExists)
	case err != nil:
		return err
	case taken && got != old:
		return fmt.Errorf("the route %+v was put again and became %+v", old, got)
	}
	w.routes[pattern] = got
	return nil
}

func (w *world) deleteRoute(pattern string) error {
	w.note("delete route %s", pattern)
	old, taken := w.routes[pattern]
	if !taken {
		return expect(w.DeleteRoute(background, "00000000-0000-4000-8000-000000000000"), engine.ErrRouteNotFound)
	}
	delete(w.routes, pattern)
	return expect(w.DeleteRoute(background, old.ID), nil)
}

func (w *world) restartAll() error {
	w.note("restart")
	return w.restart()
}
