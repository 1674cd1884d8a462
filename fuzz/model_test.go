package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"switchyard/engine"
)

// model is what the platform should be: maps.
type model struct {
	namespaces map[string]bool
	scripts    map[engine.Ref]*script
	routes     map[string]engine.Route // by pattern
}

func newModel() *model {
	return &model{namespaces: map[string]bool{}, scripts: map[engine.Ref]*script{}, routes: map[string]engine.Route{}}
}

// script is one incarnation of a script: a tenant.
type script struct {
	ref         engine.Ref
	tenant      int
	id          string
	versions    []*version
	deployments [][]engine.Share
}

// live is who may answer a request at one moment; without versions nobody may.
type live struct {
	tenant   int
	versions []*version
}

// live returns who answers for s, which may be nil.
func (s *script) live() live {
	if s == nil {
		return live{}
	}
	l := live{tenant: s.tenant}
	for _, sh := range s.deployments[len(s.deployments)-1] {
		if sh.Percent > 0 {
			l.versions = append(l.versions, s.version(sh.Version))
		}
	}
	return l
}

func (s *script) version(id string) *version {
	for _, v := range s.versions {
		if v.id == id {
			return v
		}
	}
	panic("BUG: the model deploys a version that it does not have: " + id)
}

// newest is the newest upload, deployed or not.
func (s *script) newest() *version { return s.versions[len(s.versions)-1] }

// deploy gives v all traffic.
func (s *script) deploy(v *version) {
	s.deployments = append(s.deployments, []engine.Share{{Version: v.id, Percent: 100}})
}

// in returns the names of a namespace's scripts.
func (m *model) in(namespace string) []string {
	names := []string{}
	for ref := range m.scripts {
		if ref.Namespace == namespace {
			names = append(names, ref.Script)
		}
	}
	slices.Sort(names)
	return names
}

// dropNamespace forgets a namespace and all in it.
func (m *model) dropNamespace(name string) {
	delete(m.namespaces, name)
	maps.DeleteFunc(m.scripts, func(ref engine.Ref, _ *script) bool { return ref.Namespace == name })
}

// dropScript forgets a script and the routes to it.
func (m *model) dropScript(ref engine.Ref) {
	delete(m.scripts, ref)
	if ref.Namespace == "" {
		maps.DeleteFunc(m.routes, func(_ string, r engine.Route) bool { return r.Script == ref.Script })
	}
}

// check compares everything that can be seen of s with the model.
func (m *model) check(s system) error {
	var names []string
	for _, n := range s.Namespaces() {
		names = append(names, n.Name)
		if want := len(m.in(n.Name)); n.Scripts != want {
			return fmt.Errorf("namespace %q counts %d scripts, want %d", n.Name, n.Scripts, want)
		}
	}
	if want := slices.Sorted(maps.Keys(m.namespaces)); !slices.Equal(names, want) {
		return fmt.Errorf("namespaces are %q, want %q", names, want)
	}
	for _, n := range append(names, "") {
		if err := m.checkScripts(s, n); err != nil {
			return err
		}
	}
	routes := s.Routes()
	for _, r := range routes {
		if m.routes[r.Pattern] != r {
			return fmt.Errorf("route %+v, want %+v", r, m.routes[r.Pattern])
		}
	}
	if len(routes) != len(m.routes) {
		return fmt.Errorf("%d routes, want %d", len(routes), len(m.routes))
	}
	return nil
}

func (m *model) checkScripts(s system, namespace string) error {
	list, err := s.Scripts(namespace)
	if err != nil {
		return fmt.Errorf("scripts of %q: %w", namespace, err)
	}
	var names []string
	for _, sc := range list {
		if sc.Ref == dispatcherRef {
			continue
		}
		names = append(names, sc.Ref.Script)
		want := m.scripts[sc.Ref]
		if want == nil {
			return fmt.Errorf("script %v is listed, but was deleted or never made", sc.Ref)
		}
		if err := want.check(s, sc); err != nil {
			return fmt.Errorf("script %v: %w", sc.Ref, err)
		}
	}
	if want := m.in(namespace); !slices.Equal(names, want) {
		return fmt.Errorf("scripts of %q are %q, want %q", namespace, names, want)
	}
	return nil
}

// check compares one script, its versions and its deployments with the model.
func (s *script) check(sys system, got engine.Script) error {
	last := s.deployments[len(s.deployments)-1]
	switch {
	case got.ID != s.id:
		return fmt.Errorf("its id is %s, was %s", got.ID, s.id)
	case got.Version.ID != s.newest().id:
		return fmt.Errorf("its newest version is %s, want %s", got.Version.ID, s.newest().id)
	case !slices.Equal(got.Deployment.Shares, last):
		return fmt.Errorf("its traffic goes to %v, want %v", got.Deployment.Shares, last)
	}
	versions, err := sys.Versions(s.ref)
	if err != nil || len(versions) != len(s.versions) {
		return fmt.Errorf("it has %d versions and the error %v, want %d", len(versions), err, len(s.versions))
	}
	slices.Reverse(versions)
	for i, v := range s.versions {
		if err := v.check(&versions[i]); err != nil {
			return fmt.Errorf("version %d: %w", i, err)
		}
	}
	if got.HasModules == s.newest().wasm || !got.HandlesHTTP {
		return errors.New("it has lost its modules or its handler")
	}
	return s.checkDeployments(sys)
}

func (s *script) checkDeployments(sys system) error {
	deployments, err := sys.Deployments(s.ref)
	if err != nil || len(deployments) != len(s.deployments) {
		return fmt.Errorf("it has %d deployments and the error %v, want %d", len(deployments), err, len(s.deployments))
	}
	slices.Reverse(deployments)
	for i, d := range s.deployments {
		if !slices.Equal(deployments[i].Shares, d) {
			return fmt.Errorf("deployment %d is %v, want %v", i, deployments[i].Shares, d)
		}
	}
	return nil
}

func (v *version) check(got *engine.Version) error {
	if got.ID != v.id || got.Number != v.number || got.Policy != v.policy() {
		return fmt.Errorf("%s, number %d, policy %d; want %s, %d, %d", got.ID, got.Number, got.Policy, v.id, v.number, v.policy())
	}
	if len(got.Bindings) != 2 || strings.Contains(fmt.Sprintf("%+v", *got), v.secret()) {
		return fmt.Errorf("its bindings are %+v, want two and no secret text", got.Bindings)
	}
	return nil
}

// checkContent compares the modules that can be downloaded with those that were uploaded.
func (s *script) checkContent(sys system) error {
	var newest *version
	for _, v := range s.live().versions {
		if newest == nil || v.number > newest.number {
			newest = v
		}
	}
	main, modules, err := sys.Content(s.ref)
	m := newest.module()
	if err != nil || main != m.Name || len(modules) != 1 || !bytes.Equal(modules[0].Source, m.Source) {
		return fmt.Errorf("content of %v: %q, %d modules, error %v; want the source of version %d", s.ref, main, len(modules), err, newest.number)
	}
	return nil
}
