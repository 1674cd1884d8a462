package engine

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// model is what the platform should be, as maps.
type model struct {
	spaces map[string]map[string]*modelScript // by namespace; "" holds the plain Workers
	routes map[string]string                  // pattern → plain Worker
}

type modelScript struct {
	versions []string // what each says, oldest first
	live     string
}

func (m *model) script(ref Ref) *modelScript { return m.spaces[ref.Namespace][ref.Script] }

// modelRun plays random operations on a platform and the model of it.
type modelRun struct {
	*platform
	model model
	rand  *rand.Rand
	said  int
	trace []string
}

var modelOps = []struct {
	name   string
	weight int
	do     func(*modelRun) (got, want error)
}{
	{"create", 3, (*modelRun).create}, {"rename", 2, (*modelRun).rename}, {"drop", 1, (*modelRun).drop},
	{"deploy", 12, (*modelRun).put}, {"version", 5, (*modelRun).version}, {"deployment", 5, (*modelRun).deployment},
	{"edit", 3, (*modelRun).edit}, {"delete", 4, (*modelRun).remove}, {"route", 4, (*modelRun).route}, {"reopen", 1, (*modelRun).restart},
}

func TestAgainstModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := &modelRun{platform: openPlatform(t), rand: rand.New(rand.NewPCG(seed, 0))}
	r.model = model{spaces: map[string]map[string]*modelScript{"": {}}, routes: map[string]string{}}
	var bag []int
	for i, op := range modelOps {
		bag = append(bag, slices.Repeat([]int{i}, op.weight)...)
	}
	for range 400 {
		op := modelOps[bag[r.rand.IntN(len(bag))]]
		r.trace = append(r.trace, op.name)
		if got, want := op.do(r); !errors.Is(got, want) || want == nil && got != nil {
			t.Fatalf("%v: error is %v, want %v", r.trace, got, want)
		}
		if got, want := r.state(), r.model.state(); got != want {
			t.Fatalf("after %v\nplatform\n%s\nmodel\n%s", r.trace, got, want)
		}
	}
}

// note completes the last line of the trace.
func (r *modelRun) note(args ...any) {
	r.trace[len(r.trace)-1] += " " + strings.TrimSpace(fmt.Sprintln(args...))
}

func (r *modelRun) space() string {
	return []string{"production", "production", "staging", "other"}[r.rand.IntN(4)]
}

func (r *modelRun) ref() Ref {
	ref := Ref{r.space(), fmt.Sprint("s", r.rand.IntN(3))}
	if r.rand.IntN(4) == 0 {
		ref.Namespace = ""
	}
	r.note(ref)
	return ref
}

// missing is the error for a ref that is not there.
func (r *modelRun) missing(ref Ref) error {
	if r.model.spaces[ref.Namespace] == nil {
		return ErrNamespaceNotFound
	}
	if r.model.script(ref) == nil {
		return ErrScriptNotFound
	}
	return nil
}

func (r *modelRun) create() (got, want error) {
	name := r.space()
	r.note(name)
	_, got = r.CreateNamespace(r.t.Context(), name)
	if r.model.spaces[name] != nil {
		return got, ErrNamespaceExists
	}
	r.model.spaces[name] = map[string]*modelScript{}
	return got, nil
}

func (r *modelRun) rename() (got, want error) {
	from, to := r.space(), r.space()
	r.note(from, to)
	_, got = r.UpdateNamespace(r.t.Context(), from, NamespacePatch{Name: &to})
	if r.model.spaces[from] == nil {
		return got, ErrNamespaceNotFound
	}
	if from != to && r.model.spaces[to] != nil {
		return got, ErrNamespaceExists
	}
	scripts := r.model.spaces[from]
	delete(r.model.spaces, from)
	r.model.spaces[to] = scripts
	return got, nil
}

func (r *modelRun) drop() (got, want error) {
	name := r.space()
	r.note(name)
	got = r.DeleteNamespace(r.t.Context(), name)
	if r.model.spaces[name] == nil {
		return got, ErrNamespaceNotFound
	}
	delete(r.model.spaces, name)
	return got, nil
}

// say is a source that nobody said before.
func (r *modelRun) say() string { r.said++; return fmt.Sprint("say ", r.said) }

func (r *modelRun) put() (got, want error) {
	ref, source := r.ref(), r.say()
	_, got = r.Deploy(r.t.Context(), ref, upload(source))
	if want = r.missing(ref); errors.Is(want, ErrNamespaceNotFound) {
		return got, want
	}
	if want != nil {
		r.model.spaces[ref.Namespace][ref.Script] = &modelScript{}
	}
	s := r.model.script(ref)
	s.versions, s.live = append(s.versions, source), source
	return got, nil
}

func (r *modelRun) version() (got, want error) {
	ref, source := r.ref(), r.say()
	_, got = r.AddVersion(r.t.Context(), ref, upload(source))
	if want = r.missing(ref); want == nil {
		s := r.model.script(ref)
		s.versions = append(s.versions, source)
	}
	return got, want
}

func (r *modelRun) deployment() (got, want error) {
	ref := r.ref()
	versions, got := r.Versions(ref)
	if want = r.missing(ref); want != nil {
		return got, want
	}
	s := r.model.script(ref)
	i := r.rand.IntN(len(s.versions))
	r.note(ref, i)
	_, got = r.AddDeployment(r.t.Context(), ref, []Share{{versions[len(versions)-1-i].ID, 100}}, nil)
	s.live = s.versions[i]
	return got, nil
}

func (r *modelRun) edit() (got, want error) {
	ref := r.ref()
	_, got = r.Edit(r.t.Context(), ref, func(u *Upload) error { u.Tags = []string{"edited"}; return nil })
	if want = r.missing(ref); want == nil {
		s := r.model.script(ref)
		s.live = s.versions[len(s.versions)-1]
		s.versions = append(s.versions, s.live)
	}
	return got, want
}

func (r *modelRun) remove() (got, want error) {
	ref := r.ref()
	got = r.DeleteScript(r.t.Context(), ref)
	want = r.missing(ref)
	delete(r.model.spaces[ref.Namespace], ref.Script)
	if ref.Namespace == "" {
		maps.DeleteFunc(r.model.routes, func(_, script string) bool { return script == ref.Script })
	}
	return got, want
}

// route makes a route, or removes it when it is there.
func (r *modelRun) route() (got, want error) {
	pattern, script := fmt.Sprintf("r%d.test/*", r.rand.IntN(4)), fmt.Sprint("s", r.rand.IntN(3))
	r.note(pattern, script)
	for _, route := range r.Routes() {
		if route.Pattern == pattern {
			delete(r.model.routes, pattern)
			return r.DeleteRoute(r.t.Context(), route.ID), nil
		}
	}
	_, got = r.PutRoute(r.t.Context(), pattern, script)
	if r.model.spaces[""][script] == nil {
		return got, ErrScriptNotFound
	}
	r.model.routes[pattern] = script
	return got, nil
}

func (r *modelRun) restart() (got, want error) {
	r.reopen()
	return nil, nil
}

// state is what can be asked for, and what requests are answered, as text.
func (r *modelRun) state() string {
	var b strings.Builder
	for _, name := range append([]string{""}, r.namespaceNames()...) {
		fmt.Fprintf(&b, "%q:\n", name)
		scripts, err := r.Scripts(name)
		for _, s := range scripts {
			_, modules, err2 := r.Content(s.Ref)
			if err = errors.Join(err, err2); err == nil {
				fmt.Fprintf(&b, "  %s %d %s\n", s.Script, s.Version.Number, modules[0].Source)
			}
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	for i := range 3 {
		fmt.Fprintf(&b, "s%d answers %s\n", i, r.get(fmt.Sprintf("http://s%d.test/", i)))
	}
	for _, route := range r.Routes() {
		fmt.Fprintf(&b, "%s answers %s\n", route.Pattern, r.get("http://"+strings.TrimSuffix(route.Pattern, "*")))
	}
	return b.String()
}

func (r *modelRun) namespaceNames() (names []string) {
	for _, n := range r.Namespaces() {
		names = append(names, n.Name)
	}
	return names
}

func (m *model) state() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.spaces)) {
		fmt.Fprintf(&b, "%q:\n", name)
		for _, script := range slices.Sorted(maps.Keys(m.spaces[name])) {
			s := m.spaces[name][script]
			fmt.Fprintf(&b, "  %s %d %s\n", script, len(s.versions), s.live)
		}
	}
	answer := func(ref Ref) string {
		if s := m.script(ref); s != nil {
			return strings.TrimPrefix(s.live, "say ")
		}
		return "error: " + ErrWorkerNotFound.Error()
	}
	for i := range 3 {
		fmt.Fprintf(&b, "s%d answers %s\n", i, answer(Ref{"production", fmt.Sprint("s", i)}))
	}
	for _, pattern := range slices.Sorted(maps.Keys(m.routes)) {
		fmt.Fprintf(&b, "%s answers %s\n", pattern, answer(Ref{Script: m.routes[pattern]}))
	}
	return b.String()
}
