package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

// fakePlatform keeps everything in maps and makes predictable ids. It does of the engine what
// the API's stories show, and writes every change that it was asked for into calls.
type fakePlatform struct {
	mu         sync.Mutex
	namespaces map[string]*engine.Namespace
	scripts    map[engine.Ref]*fakeScript
	routes     []engine.Route
	domains    []engine.Route
	tokens     []engine.Token
	audits     []engine.AuditEntry
	plans      map[string]engine.Plan
	kv         fakeKV
	ids        int
	calls      []string
	fail       error // returned by every change, when set
}

type fakeScript struct {
	script      engine.Script
	versions    []engine.Version // newest first
	uploads     map[string]engine.Upload
	deployments []engine.Deployment
}

func newFake() *fakePlatform {
	return &fakePlatform{namespaces: map[string]*engine.Namespace{}, scripts: map[engine.Ref]*fakeScript{}, plans: map[string]engine.Plan{}, kv: newFakeKV()}
}

// takeCalls returns the changes since the last time.
func (f *fakePlatform) takeCalls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func (f *fakePlatform) change(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.fail
}

func (f *fakePlatform) id() string {
	f.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", f.ids)
}

func (f *fakePlatform) now() time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(f.ids) * time.Second)
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

func (f *fakePlatform) Namespaces() []engine.Namespace {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []engine.Namespace
	for _, name := range slices.Sorted(maps.Keys(f.namespaces)) {
		all = append(all, *f.namespaces[name])
	}
	return all
}

func (f *fakePlatform) namespace(name string) (*engine.Namespace, error) {
	if n := f.namespaces[name]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("%w: %q", engine.ErrNamespaceNotFound, name)
}

func (f *fakePlatform) Namespace(name string) (engine.Namespace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.namespace(name)
	if err != nil {
		return engine.Namespace{}, err
	}
	return *n, nil
}

func (f *fakePlatform) CreateNamespace(_ context.Context, name string) (engine.Namespace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("CreateNamespace %q", name); err != nil {
		return engine.Namespace{}, err
	}
	if !validName.MatchString(name) {
		return engine.Namespace{}, &engine.InputError{Field: "name", Reason: "is not of the form [A-Za-z0-9_-]{1,63}"}
	}
	if f.namespaces[name] != nil {
		return engine.Namespace{}, fmt.Errorf("%w: %q", engine.ErrNamespaceExists, name)
	}
	n := &engine.Namespace{ID: f.id(), Name: name, Created: f.now(), Modified: f.now()}
	f.namespaces[name] = n
	return *n, nil
}

func (f *fakePlatform) UpdateNamespace(_ context.Context, name string, p engine.NamespacePatch) (engine.Namespace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("UpdateNamespace %q", name); err != nil {
		return engine.Namespace{}, err
	}
	n, err := f.namespace(name)
	if err != nil {
		return engine.Namespace{}, err
	}
	if p.Trusted != nil {
		n.Trusted = *p.Trusted
	}
	if p.Limits != nil {
		n.Limits = *p.Limits
	}
	if p.Quota != nil {
		n.Quota = *p.Quota
	}
	if p.Name != nil && *p.Name != name {
		if f.namespaces[*p.Name] != nil {
			return engine.Namespace{}, fmt.Errorf("%w: %q", engine.ErrNamespaceExists, *p.Name)
		}
		delete(f.namespaces, name)
		n.Name = *p.Name
		f.namespaces[n.Name] = n
	}
	return *n, nil
}

func (f *fakePlatform) DeleteNamespace(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("DeleteNamespace %q", name); err != nil {
		return err
	}
	_, err := f.namespace(name)
	delete(f.namespaces, name)
	return err
}

func (f *fakePlatform) Scripts(namespace string) ([]engine.Script, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if namespace != "" {
		if _, err := f.namespace(namespace); err != nil {
			return nil, err
		}
	}
	var all []engine.Script
	for ref, s := range f.scripts {
		if ref.Namespace == namespace {
			all = append(all, s.script)
		}
	}
	slices.SortFunc(all, func(a, b engine.Script) int { return strings.Compare(a.Script, b.Script) })
	return all, nil
}

func (f *fakePlatform) lookup(ref engine.Ref) (*fakeScript, error) {
	if ref.Namespace != "" {
		if _, err := f.namespace(ref.Namespace); err != nil {
			return nil, err
		}
	}
	if s := f.scripts[ref]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %q", engine.ErrScriptNotFound, ref.Script)
}

func (f *fakePlatform) Script(ref engine.Ref) (engine.Script, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.lookup(ref)
	if err != nil {
		return engine.Script{}, err
	}
	return s.script, nil
}

func (f *fakePlatform) Content(ref engine.Ref) (string, []isolate.Module, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.lookup(ref)
	if err != nil {
		return "", nil, err
	}
	u := s.uploads[s.deployments[0].Shares[0].Version]
	return u.Main, u.Modules, nil
}

func (f *fakePlatform) VersionContent(ref engine.Ref, id string) (string, []isolate.Module, error) {
	if _, err := f.Version(ref, id); err != nil {
		return "", nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.scripts[ref].uploads[id]
	return u.Main, u.Modules, nil
}

func (f *fakePlatform) Domains() []engine.Route {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.domains)
}

func (f *fakePlatform) PutDomain(_ context.Context, hostname, script, zone string, override bool) (engine.Route, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("PutDomain %s %s zone=%q override=%v", hostname, script, zone, override); err != nil {
		return engine.Route{}, err
	}
	if _, err := f.lookup(engine.Ref{Script: script}); err != nil {
		return engine.Route{}, err
	}
	i := slices.IndexFunc(f.domains, func(r engine.Route) bool { return r.Hostname() == hostname })
	if i < 0 {
		f.domains = append(f.domains, engine.Route{ID: f.id(), Pattern: hostname + "/*", Domain: true, Zone: zone})
		i = len(f.domains) - 1
	} else if f.domains[i].Script != script && !override {
		return engine.Route{}, fmt.Errorf("%w: %q", engine.ErrRouteExists, hostname)
	}
	f.domains[i].Script = script
	return f.domains[i], nil
}

func (f *fakePlatform) DeleteDomain(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.domains = slices.DeleteFunc(f.domains, func(r engine.Route) bool { return r.ID == id })
	return f.change("DeleteDomain %s", id)
}

func (f *fakePlatform) Deploy(_ context.Context, ref engine.Ref, u engine.Upload) (engine.Script, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("Deploy %s %s", ref, uploadText(u)); err != nil {
		return engine.Script{}, err
	}
	s, err := f.lookup(ref)
	if s == nil {
		if ref.Namespace != "" && f.namespaces[ref.Namespace] == nil {
			return engine.Script{}, err
		}
		s = &fakeScript{uploads: map[string]engine.Upload{}}
		s.script = engine.Script{Ref: ref, ID: f.id(), Created: f.now()}
		f.scripts[ref] = s
	}
	v, err := f.add(s, u, false)
	if err != nil {
		return engine.Script{}, err
	}
	f.deploy(s, []engine.Share{{Version: v.ID, Percent: 100}}, u.Annotations)
	return s.script, nil
}

// add makes a version, with bindings kept and inherited as the engine does; those of an edit
// are the whole list.
func (f *fakePlatform) add(s *fakeScript, u engine.Upload, edited bool) (engine.Version, error) {
	var old []engine.Binding
	if len(s.versions) > 0 {
		old = s.uploads[s.versions[0].ID].Bindings
	}
	var bindings []engine.Binding
	for n, b := range u.Bindings {
		if b.Type == engine.Inherit {
			i := findBinding(old, b.Name)
			if i < 0 && u.StrictInherit {
				return engine.Version{}, &engine.InputError{Field: fmt.Sprintf("bindings[%d]", n), Reason: "nothing to inherit: " + b.Name}
			}
			if i < 0 {
				continue
			}
			b = old[i]
		}
		bindings = append(bindings, b)
	}
	for _, b := range old {
		keep := b.Type == engine.SecretText || slices.Contains(u.KeepBindings, b.Type)
		if keep && !edited && findBinding(bindings, b.Name) < 0 {
			bindings = append(bindings, b)
		}
	}
	u.Bindings, u.KeepBindings, u.StrictInherit = bindings, nil, false
	return f.put(s, u), nil
}

func (f *fakePlatform) put(s *fakeScript, u engine.Upload) engine.Version {
	v := engine.Version{
		ID: f.id(), Number: len(s.versions) + 1, Created: f.now(), ETag: fmt.Sprintf("etag-%d", len(s.versions)+1),
		Main: u.Main, CompatibilityDate: u.CompatibilityDate, CompatibilityFlags: u.CompatibilityFlags,
		Limits: u.Limits, Policy: u.Policy, Startup: 2 * time.Millisecond, Annotations: u.Annotations, Metadata: u.Metadata,
	}
	for _, b := range u.Bindings {
		if b.Type == engine.SecretText {
			b.Text = ""
		}
		v.Bindings = append(v.Bindings, b)
	}
	if u.Tags != nil {
		s.script.Tags = u.Tags
	}
	s.versions = slices.Insert(s.versions, 0, v)
	s.uploads[v.ID] = u
	s.script.Version, s.script.Modified = v, f.now()
	s.script.HandlesHTTP = len(u.Modules) > 0
	s.script.HasModules = s.script.HandlesHTTP && u.Modules[0].Kind == isolate.ModuleES
	if u.Assets != nil {
		s.versions[0].Assets = &engine.Assets{}
		s.script.Version = s.versions[0]
	}
	return v
}

func (f *fakePlatform) deploy(s *fakeScript, shares []engine.Share, annotations map[string]string) engine.Deployment {
	d := engine.Deployment{ID: f.id(), Created: f.now(), Shares: shares, Annotations: annotations}
	s.deployments = slices.Insert(s.deployments, 0, d)
	s.script.Deployment = d
	return d
}

func (f *fakePlatform) Edit(_ context.Context, ref engine.Ref, edit func(*engine.Upload) error) (engine.Script, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.lookup(ref)
	if err != nil {
		return engine.Script{}, err
	}
	u := s.uploads[s.versions[0].ID]
	u.Bindings, u.Tags = slices.Clone(u.Bindings), slices.Clone(s.script.Tags)
	if err := edit(&u); err != nil {
		return engine.Script{}, fmt.Errorf("edit %s: %w", ref, err)
	}
	if err := f.change("Edit %s %s", ref, uploadText(u)); err != nil {
		return engine.Script{}, err
	}
	v, err := f.add(s, u, true)
	if err != nil {
		return engine.Script{}, err
	}
	f.deploy(s, []engine.Share{{Version: v.ID, Percent: 100}}, u.Annotations)
	return s.script, nil
}

func (f *fakePlatform) CreateScript(_ context.Context, ref engine.Ref, settings engine.ScriptSettings) (engine.Script, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("CreateScript %s tags=%v subdomain=%v", ref, settings.Tags, settings.Subdomain); err != nil {
		return engine.Script{}, err
	}
	if f.scripts[ref] != nil {
		return engine.Script{}, fmt.Errorf("%w: %q", engine.ErrScriptExists, ref.Script)
	}
	s := &fakeScript{uploads: map[string]engine.Upload{}}
	s.script = engine.Script{Ref: ref, ID: f.id(), Created: f.now(), Tags: settings.Tags, Subdomain: settings.Subdomain}
	f.scripts[ref] = s
	return s.script, nil
}

func (f *fakePlatform) EditScript(_ context.Context, ref engine.Ref, edit func(*engine.ScriptSettings) error) (engine.Script, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.lookup(ref)
	if err != nil {
		return engine.Script{}, err
	}
	settings := engine.ScriptSettings{Tags: slices.Clone(s.script.Tags), Crons: s.script.Crons, Subdomain: s.script.Subdomain}
	before := settings
	before.Tags = slices.Clone(settings.Tags)
	if err := edit(&settings); err != nil {
		return engine.Script{}, err
	}
	if reflect.DeepEqual(before, settings) {
		return s.script, nil
	}
	if err := f.change("EditScript %s tags=%v crons=%d subdomain=%v", ref, settings.Tags, len(settings.Crons), settings.Subdomain); err != nil {
		return engine.Script{}, err
	}
	for i := range settings.Crons {
		settings.Crons[i].Created, settings.Crons[i].Modified = f.now(), f.now()
	}
	s.script.Tags, s.script.Crons, s.script.Subdomain = settings.Tags, settings.Crons, settings.Subdomain
	return s.script, nil
}

func (f *fakePlatform) DeleteScript(_ context.Context, ref engine.Ref) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("DeleteScript %s", ref); err != nil {
		return err
	}
	_, err := f.lookup(ref)
	delete(f.scripts, ref)
	return err
}

func (f *fakePlatform) Versions(ref engine.Ref) ([]engine.Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.lookup(ref)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.versions), nil
}

func (f *fakePlatform) Version(ref engine.Ref, id string) (engine.Version, error) {
	versions, err := f.Versions(ref)
	if err != nil {
		return engine.Version{}, err
	}
	for _, v := range versions {
		if v.ID == id {
			return v, nil
		}
	}
	return engine.Version{}, fmt.Errorf("%w: %q", engine.ErrVersionNotFound, id)
}

func (f *fakePlatform) AddVersion(_ context.Context, ref engine.Ref, u engine.Upload) (engine.Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("AddVersion %s %s", ref, uploadText(u)); err != nil {
		return engine.Version{}, err
	}
	s, err := f.lookup(ref)
	if err != nil {
		return engine.Version{}, err
	}
	return f.add(s, u, false)
}

func (f *fakePlatform) Deployments(ref engine.Ref) ([]engine.Deployment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.lookup(ref)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.deployments), nil
}

func (f *fakePlatform) AddDeployment(_ context.Context, ref engine.Ref, shares []engine.Share, annotations map[string]string) (engine.Deployment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("AddDeployment %s %v", ref, shares); err != nil {
		return engine.Deployment{}, err
	}
	s, err := f.lookup(ref)
	if err != nil {
		return engine.Deployment{}, err
	}
	if len(shares) == 0 {
		return engine.Deployment{}, &engine.InputError{Field: "versions", Reason: "a deployment needs one"}
	}
	for _, share := range shares {
		if _, ok := s.uploads[share.Version]; !ok {
			return engine.Deployment{}, fmt.Errorf("%w: %q", engine.ErrVersionNotFound, share.Version)
		}
	}
	return f.deploy(s, shares, annotations), nil
}

func (f *fakePlatform) BeginAssets(_ context.Context, ref engine.Ref, manifest map[string]engine.AssetFile) (engine.AssetSession, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	doc, _ := json.Marshal(manifest)
	session := engine.AssetSession{Token: "session", Buckets: [][]string{}}
	for _, path := range slices.Sorted(maps.Keys(manifest)) {
		session.Buckets = append(session.Buckets, []string{manifest[path].Hash})
	}
	return session, f.change("BeginAssets %s %s", ref, doc)
}

func (f *fakePlatform) VerifyAssets(token string) error {
	if token != "session" {
		return engine.ErrAssetToken
	}
	return nil
}

func (f *fakePlatform) PutAsset(_ context.Context, token, hash, contentType string, content []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change("PutAsset %s %q %q", hash, contentType, content)
}

// FinishAssets finds the session complete after two changes.
func (f *fakePlatform) FinishAssets(context.Context, string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) < 2 {
		return "", nil
	}
	return "complete", nil
}

func (f *fakePlatform) Routes() []engine.Route {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.routes)
}

func (f *fakePlatform) PutRoute(_ context.Context, pattern, script string) (engine.Route, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("PutRoute %s %s", pattern, script); err != nil {
		return engine.Route{}, err
	}
	for _, r := range f.routes {
		if r.Pattern == pattern && r.Script != script {
			return engine.Route{}, fmt.Errorf("%w: %q", engine.ErrRouteExists, pattern)
		}
		if r.Pattern == pattern {
			return r, nil
		}
	}
	if _, err := f.lookup(engine.Ref{Script: script}); err != nil {
		return engine.Route{}, err
	}
	r := engine.Route{ID: f.id(), Pattern: pattern, Script: script}
	f.routes = append(f.routes, r)
	return r, nil
}

func (f *fakePlatform) UpdateRoute(_ context.Context, id, pattern, script string) (engine.Route, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("UpdateRoute %s %s %s", id, pattern, script); err != nil {
		return engine.Route{}, err
	}
	for _, r := range f.routes {
		if r.Pattern == pattern && r.ID != id {
			return engine.Route{}, fmt.Errorf("%w: %q", engine.ErrRouteExists, pattern)
		}
	}
	if _, err := f.lookup(engine.Ref{Script: script}); err != nil {
		return engine.Route{}, err
	}
	i := slices.IndexFunc(f.routes, func(r engine.Route) bool { return r.ID == id })
	if i < 0 {
		return engine.Route{}, fmt.Errorf("%w: %q", engine.ErrRouteNotFound, id)
	}
	f.routes[i].Pattern, f.routes[i].Script = pattern, script
	return f.routes[i], nil
}

func (f *fakePlatform) DeleteRoute(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("DeleteRoute %s", id); err != nil {
		return err
	}
	i := slices.IndexFunc(f.routes, func(r engine.Route) bool { return r.ID == id })
	if i < 0 {
		return fmt.Errorf("%w: %q", engine.ErrRouteNotFound, id)
	}
	f.routes = slices.Delete(f.routes, i, i+1)
	return nil
}

var kindNames = map[isolate.ModuleKind]string{
	isolate.ModuleES: "es", isolate.ModuleJS: "js", isolate.ModuleWasm: "wasm", isolate.ModuleText: "text",
	isolate.ModuleData: "data", isolate.ModuleJSON: "json", isolate.ModuleMap: "map",
}

// uploadText shows what reached the platform, in one line and without what is zero.
func uploadText(u engine.Upload) string {
	var modules []string
	for _, m := range u.Modules {
		modules = append(modules, fmt.Sprintf("%s:%s:%d", m.Name, kindNames[m.Kind], len(m.Source)))
	}
	text := fmt.Sprintf("main=%s modules=%v", u.Main, modules)
	show := func(name string, v any, zero bool) {
		if !zero {
			doc, _ := json.Marshal(v)
			text += fmt.Sprintf(" %s=%s", name, doc)
		}
	}
	show("bindings", u.Bindings, u.Bindings == nil)
	show("keep", u.KeepBindings, u.KeepBindings == nil)
	show("strict", true, !u.StrictInherit)
	show("date", u.CompatibilityDate, u.CompatibilityDate == "")
	show("flags", u.CompatibilityFlags, len(u.CompatibilityFlags) == 0)
	show("tags", u.Tags, u.Tags == nil)
	show("cpu", u.Limits.CPU.String(), u.Limits.CPU == 0)
	show("subrequests", u.Limits.Subrequests, u.Limits.Subrequests == 0)
	show("policy", u.Policy, u.Policy == 0)
	show("annotations", u.Annotations, len(u.Annotations) == 0)
	show("metadata", u.Metadata, u.Metadata == nil)
	show("assets", u.Assets, u.Assets == nil)
	show("keepAssets", true, !u.KeepAssets)
	return text
}

func (f *fakePlatform) Plans() []engine.Plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []engine.Plan
	for _, name := range slices.Sorted(maps.Keys(f.plans)) {
		all = append(all, f.plans[name])
	}
	return all
}

func (f *fakePlatform) Plan(name string) (engine.Plan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.plans[name]; ok {
		return p, nil
	}
	return engine.Plan{}, fmt.Errorf("%w: %q", engine.ErrPlanNotFound, name)
}

func (f *fakePlatform) PutPlan(_ context.Context, p engine.Plan) (engine.Plan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("PutPlan %s tags=%q scripts=%q weight=%d limits=%v quota=%v", p.Name, p.Tags, p.Scripts, p.Weight, p.Limits, p.Quota); err != nil {
		return engine.Plan{}, err
	}
	f.ids++
	p.Created, p.Modified = f.now(), f.now()
	f.plans[p.Name] = p
	return p, nil
}

func (f *fakePlatform) DeletePlan(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("DeletePlan %s", name); err != nil {
		return err
	}
	if _, ok := f.plans[name]; !ok {
		return fmt.Errorf("%w: %q", engine.ErrPlanNotFound, name)
	}
	delete(f.plans, name)
	return nil
}

// Usage answers with one row of what it was asked.
func (f *fakePlatform) Usage(_ context.Context, q engine.UsageQuery) ([]engine.UsageRow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	span := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.UTC().Format(time.RFC3339)
	}
	f.change("Usage %s..%s namespace=%q plain=%v script=%q tag=%q plan=%q group=%s interval=%s", span(q.From), span(q.To), q.Namespace, q.Plain, q.Script, q.Tag, q.Plan, q.Group, q.Interval)
	if f.fail != nil {
		return nil, f.fail
	}
	row := engine.UsageRow{Namespace: "prod", Script: "shop", Tag: "a,b", Plan: "pro", Start: f.now()}
	row.Spent = engine.Spent{Requests: 1, Calls: 2, CPUDispatch: time.Millisecond, CPUUser: 2 * time.Millisecond, Wall: time.Second, EgressSent: 7, Errors: map[string]uint64{"quota": 3}}
	return []engine.UsageRow{row}, nil
}
