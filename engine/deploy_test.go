package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

var user = Ref{"production", "user"}

// names lists bindings as name:type=value.
func names(bindings []Binding) string {
	var list []string
	for _, b := range bindings {
		list = append(list, b.Name+":"+b.Type+"="+b.Text)
	}
	return strings.Join(list, " ")
}

func TestBindingsOfTheNextVersion(t *testing.T) {
	first := []Binding{text("A", "1"), secret("S", "s1"), {Name: "J", Type: JSON, JSON: []byte(`{"x":1}`)}}
	stories := []struct {
		name string
		next Upload
		want string // of env
		err  string
	}{
		{"secrets stay", upload("", text("B", "2")), "B=2 S=s1", ""},
		{"secrets are replaced", upload("", secret("S", "s2")), "S=s2", ""},
		{"a secret gives way to a text", upload("", text("S", "plain")), "S=plain", ""},
		{"keep by type", Upload{KeepBindings: []string{JSON, PlainText}}, "A=1 S=s1 J={\"x\":1}", ""},
		{"kept ones give way", Upload{KeepBindings: []string{PlainText}, Bindings: []Binding{text("A", "9")}}, "A=9 S=s1", ""},
		{"inherit", upload("", Binding{Name: "A", Type: Inherit}), "A=1 S=s1", ""},
		{"inherit under another name", upload("", Binding{Name: "B", Type: Inherit, OldName: "S"}), "B=s1 S=s1", ""},
		{"inherit nothing", upload("", Binding{Name: "Z", Type: Inherit}), "S=s1", ""},
		{
			"inherit nothing, strictly", Upload{StrictInherit: true, Bindings: []Binding{text("A", "1"), {Name: "Z", Type: Inherit}}}, "",
			`bindings[1]: there is no binding "Z" to inherit`,
		},
		{"inherit from a missing version", upload("", Binding{Name: "A", Type: Inherit, VersionID: "v0"}), "", `version not found: "v0"`},
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			p := openPlatform(t)
			p.namespace("production")
			p.deploy("production/user", "say", first...)
			source := []byte("env A\nenv B\nenv S\nenv J")
			s.next.Main, s.next.Modules = "index.js", []isolate.Module{{Name: "index.js", Source: source}}
			made, err := p.Deploy(t.Context(), user, s.next)
			if s.err != "" {
				if err == nil || err.Error() != s.err {
					t.Fatalf("error is %v, want %s", err, s.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, value := range strings.Split(p.get("http://user.test/"), "\n") {
				if value != "undefined" {
					got = append(got, []string{"A", "B", "S", "J"}[i]+"="+value)
				}
			}
			want := strings.Fields(s.want)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("env is %v, want %v", got, want)
			}
			for _, b := range made.Version.Bindings {
				if b.Type == SecretText && b.Text != "" {
					t.Errorf("the text of secret %s is shown", b.Name)
				}
			}
		})
	}
}

func TestInheritFromAnOlderVersion(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	v1 := p.deploy("production/user", "env A", text("A", "1"))
	p.deploy("production/user", "env A", text("A", "2"))
	p.deploy("production/user", "env A", Binding{Name: "A", Type: Inherit, VersionID: v1.Version.ID})
	p.want("http://user.test/", "1")
}

func TestEdit(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	u := upload("env A\nenv S", text("A", "1"), secret("S", "s1"))
	u.Tags, u.Metadata = []string{"t"}, []byte(`{"logpush":true}`)
	if _, err := p.Deploy(t.Context(), user, u); err != nil {
		t.Fatal(err)
	}
	edited, err := p.Edit(t.Context(), user, func(u *Upload) error {
		if got := names(u.Bindings); got != "A:plain_text=1 S:secret_text=s1" {
			t.Errorf("edit sees %s", got)
		}
		u.Bindings[1].Text = "s2"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if edited.Version.Number != 2 || string(edited.Version.Metadata) != `{"logpush":true}` || !slices.Equal(edited.Tags, []string{"t"}) {
		t.Errorf("edited into %+v", edited)
	}
	p.want("http://user.test/", "1\ns2")
	if _, err := p.Edit(t.Context(), user, func(u *Upload) error { u.Bindings = u.Bindings[:1]; return nil }); err != nil {
		t.Fatal(err)
	}
	p.want("http://user.test/", "1\nundefined") // removed, not kept
	no := errors.New("no")
	_, err = p.Edit(t.Context(), user, func(u *Upload) error { u.Main = "x"; return no })
	wantErr(t, err, no)
	_, err = p.Edit(t.Context(), Ref{"production", "nobody"}, func(u *Upload) error { return nil })
	wantErr(t, err, ErrScriptNotFound)
	versions, err := p.Versions(user)
	if err != nil || len(versions) != 3 || versions[0].Number != 3 {
		t.Errorf("versions are %+v, %v", versions, err)
	}
}

func TestRefusedUploads(t *testing.T) {
	module := func(name string) isolate.Module { return isolate.Module{Name: name, Source: []byte("say")} }
	with := func(change func(*Upload)) Upload { u := upload("say"); change(&u); return u }
	bindings := func(b ...Binding) Upload { return upload("say", b...) }
	many := make([]Binding, maxBindings+1)
	for i := range many {
		many[i] = text(fmt.Sprint("B", i), "")
	}
	stories := []struct {
		name  string
		u     Upload
		field string
	}{
		{"no main module", with(func(u *Upload) { u.Main = "" }), "main_module"},
		{"main module not uploaded", with(func(u *Upload) { u.Main = "other.js" }), "main_module"},
		{"main module is a text", with(func(u *Upload) { u.Modules[0].Kind = isolate.ModuleText }), "main_module"},
		{"two modules of one name", with(func(u *Upload) { u.Modules = append(u.Modules, module("index.js")) }), "modules[1]"},
		{"module name climbs", with(func(u *Upload) { u.Modules = append(u.Modules, module("../../etc/x")) }), "modules[1]"},
		{"module name is absolute", with(func(u *Upload) { u.Modules = append(u.Modules, module("/x")) }), "modules[1]"},
		{"module name with NUL", with(func(u *Upload) { u.Modules = append(u.Modules, module("a\x00b")) }), "modules[1]"},
		{"module name with a drive", with(func(u *Upload) { u.Modules = append(u.Modules, module(`C:\x`)) }), "modules[1]"},
		{"module name too long", with(func(u *Upload) { u.Modules = append(u.Modules, module(strings.Repeat("x", 10_000))) }), "modules[1]"},
		{"module of unknown kind", with(func(u *Upload) { u.Modules[0].Kind = 99 }), "modules[0]"},
		{"too many modules", with(func(u *Upload) { u.Modules = make([]isolate.Module, maxModules+1) }), "modules"},
		{"too much source", with(func(u *Upload) { u.Modules[0].Source = make([]byte, maxUploadBytes+1) }), "modules"},
		{"date", with(func(u *Upload) { u.CompatibilityDate = "9999-99-99" }), "compatibility_date"},
		{"date with time", with(func(u *Upload) { u.CompatibilityDate = "2025-01-01T00:00:00Z" }), "compatibility_date"},
		{"flag", with(func(u *Upload) { u.CompatibilityFlags = []string{"nodejs_compat", "a b"} }), "compatibility_flags[1]"},
		{"too many tags", with(func(u *Upload) { u.Tags = strings.Split("a b c d e f g h i", " ") }), "tags"},
		{"tag with a comma", with(func(u *Upload) { u.Tags = []string{"a", "b,c"} }), "tags[1]"},
		{"tag with &", with(func(u *Upload) { u.Tags = []string{"b&c"} }), "tags[0]"},
		{"empty tag", with(func(u *Upload) { u.Tags = []string{""} }), "tags[0]"},
		{"negative CPU", with(func(u *Upload) { u.Limits.CPU = -1 }), "limits.cpu_ms"},
		{"negative subrequests", with(func(u *Upload) { u.Limits.Subrequests = -1 }), "limits.subrequests"},
		{"negative wall", with(func(u *Upload) { u.Limits.Wall = -1 }), "limits"},
		{"rate not a number", with(func(u *Upload) { u.Limits.Rate = math.NaN() }), "limits"},
		{"unknown policy", with(func(u *Upload) { u.Policy = 7 }), "isolation"},
		{"metadata", with(func(u *Upload) { u.Metadata = []byte("{") }), "metadata"},
		{"annotation", with(func(u *Upload) { u.Annotations = map[string]string{"m": strings.Repeat("x", 2000)} }), "annotations"},
		{"too many bindings", bindings(many...), "bindings"},
		{"binding without a name", bindings(text("", "")), "bindings[0].name"},
		{"binding __proto__", bindings(text("A", ""), text("__proto__", "")), "bindings[1].name"},
		{"binding name with a blank", bindings(text("A B", "")), "bindings[0].name"},
		{"binding name begins with a digit", bindings(text("1A", "")), "bindings[0].name"},
		{"two bindings of one name", bindings(text("A", ""), secret("A", "")), "bindings[1].name"},
		{"text too long", bindings(text("A", strings.Repeat("x", maxBindingText+1))), "bindings[0].text"},
		{"text is not UTF-8", bindings(text("A", "\xff")), "bindings[0].text"},
		{"JSON", bindings(Binding{Name: "A", Type: JSON, JSON: []byte("{")}), "bindings[0].json"},
		{"JSON is missing", bindings(Binding{Name: "A", Type: JSON}), "bindings[0].json"},
		{"unknown type", bindings(Binding{Name: "A", Type: "kv_namespace"}), "bindings[0].type"},
		{"no service", bindings(text("A", ""), serviceTo("B", "")), "bindings[1].service"},
		{"missing service", bindings(text("A", ""), serviceTo("B", "nobody")), "bindings[1].service"},
		{"a user Worker is no service", bindings(serviceTo("B", "user")), "bindings[0].service"},
		{"missing namespace", bindings(dispatchTo("B", "nowhere", nil)), "bindings[0].namespace"},
		{"no namespace", bindings(dispatchTo("B", "", nil)), "bindings[0].namespace"},
		{"missing outbound Worker", bindings(dispatchTo("B", "production", &Outbound{Service: "nobody"})), "bindings[0].outbound.service"},
		{"parameter", bindings(dispatchTo("B", "production", &Outbound{Service: "plain", Params: []string{"a", "__proto__"}})), "bindings[0].outbound.params[1]"},
		{"parameter twice", bindings(dispatchTo("B", "production", &Outbound{Service: "plain", Params: []string{"a", "a"}})), "bindings[0].outbound.params[1]"},
		{"too many parameters", bindings(dispatchTo("B", "production", &Outbound{Service: "plain", Params: make([]string, 33)})), "bindings[0].outbound.params"},
	}
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("plain", "say")
	p.deploy("production/user", "say before")
	for _, s := range stories {
		_, err := p.Deploy(t.Context(), user, s.u)
		var refused *InputError
		if !errors.As(err, &refused) {
			t.Errorf("%s: error is %v", s.name, err)
		} else if refused.Field != s.field || refused.Reason == "" {
			t.Errorf("%s: field is %q, want %q (%v)", s.name, refused.Field, s.field, err)
		}
	}
	for _, name := range []string{"", "a.b", "ä", "a b", strings.Repeat("x", 64), "../x", "a/b"} {
		_, err := p.Deploy(t.Context(), Ref{"production", name}, upload("say"))
		var refused *InputError
		if !errors.As(err, &refused) || refused.Field != "script_name" {
			t.Errorf("script name %q: error is %v", name, err)
		}
	}
	_, err := p.Deploy(t.Context(), user, upload("syntax error"))
	var startup *isolate.StartupError
	if !errors.As(err, &startup) {
		t.Errorf("error is %v, want a StartupError", err)
	}
	_, err = p.Deploy(t.Context(), Ref{"nowhere", "user"}, upload("say"))
	wantErr(t, err, ErrNamespaceNotFound)
	p.want("http://user.test/", "before")
	if versions, err := p.Versions(user); len(versions) != 1 || err != nil {
		t.Errorf("there are %d versions, %v", len(versions), err)
	}
	if n := p.rt.open.Load(); n != 2 {
		t.Errorf("%d pools are open, want 2", n)
	}
}

func TestShares(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	v1 := p.deploy("production/user", "say 1").Version.ID
	add := func(source string) string {
		v, err := p.AddVersion(t.Context(), user, upload(source))
		if err != nil {
			t.Fatal(err)
		}
		return v.ID
	}
	v2, v3 := add("say 2"), add("say 3")
	p.want("http://user.test/", "1")
	shares := []Share{{v1, 30}, {v2, 70}, {v3, 0}}
	made, err := p.AddDeployment(t.Context(), user, shares, map[string]string{"workers/message": "m"})
	if err != nil {
		t.Fatal(err)
	}
	for _, restart := range []bool{false, true} {
		if restart {
			p.reopen()
		}
		counts := map[string]int{}
		for range 2000 {
			counts[p.get("http://user.test/")]++
		}
		if counts["3"] != 0 || counts["1"] < 450 || counts["1"] > 750 || counts["1"]+counts["2"] != 2000 {
			t.Errorf("answers are %v, want 1 in 600 and 2 in 1400 cases", counts)
		}
		list, err := p.Deployments(user)
		if err != nil || len(list) != 2 || list[0].ID != made.ID || !slices.Equal(list[0].Shares, shares) {
			t.Errorf("deployments are %+v, %v", list, err)
		}
	}
	if _, err := p.AddDeployment(t.Context(), user, []Share{{v1, 100}}, nil); err != nil { // back
		t.Fatal(err)
	}
	p.want("http://user.test/", "1")
	main, modules, err := p.Content(user)
	if err != nil || main != "index.js" || string(modules[0].Source) != "say 1" {
		t.Errorf("content is %s %v, %v", main, modules, err)
	}
	for name, refused := range map[string][]Share{
		"none": {}, "sum": {{v1, 50}}, "twice": {{v1, 50}, {v1, 50}}, "negative": {{v1, 110}, {v2, -10}}, "NaN": {{v1, math.NaN()}}, "no id": {{"", 100}},
	} {
		_, err := p.AddDeployment(t.Context(), user, refused, nil)
		var input *InputError
		if !errors.As(err, &input) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	_, err = p.AddDeployment(t.Context(), user, []Share{{"nothing", 100}}, nil)
	wantErr(t, err, ErrVersionNotFound)
}

func TestNamespaces(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production", "staging")
	p.deploy("production/user", "say here")
	_, err := p.CreateNamespace(t.Context(), "production")
	wantErr(t, err, ErrNamespaceExists)
	_, err = p.CreateNamespace(t.Context(), "a.b")
	var refused *InputError
	if !errors.As(err, &refused) || refused.Field != "name" {
		t.Errorf("error is %v", err)
	}
	to := func(name string) NamespacePatch { return NamespacePatch{Name: &name} }
	_, err = p.UpdateNamespace(t.Context(), "staging", to("production"))
	wantErr(t, err, ErrNamespaceExists)
	_, err = p.UpdateNamespace(t.Context(), "nowhere", to("x"))
	wantErr(t, err, ErrNamespaceNotFound)
	renamed, err := p.UpdateNamespace(t.Context(), "production", to("live"))
	if err != nil || renamed.Name != "live" || renamed.Scripts != 1 {
		t.Errorf("renamed to %+v, %v", renamed, err)
	}
	trusted := true
	if n, err := p.UpdateNamespace(t.Context(), "live", NamespacePatch{Trusted: &trusted}); err != nil || !n.Trusted || n.Name != "live" {
		t.Errorf("changed to %+v, %v", n, err)
	}
	p.want("http://user.test/", "error: Worker not found")
	p.reopen()
	var list []string
	for _, n := range p.Namespaces() {
		list = append(list, fmt.Sprint(n.Name, n.Trusted, n.Scripts))
	}
	if got := strings.Join(list, " "); got != "livetrue 1 stagingfalse 0" {
		t.Errorf("namespaces are %s", got)
	}
	if s, err := p.Script(Ref{"live", "user"}); err != nil || s.Ref != (Ref{"live", "user"}) {
		t.Errorf("script is %+v, %v", s, err)
	}
	if err := p.DeleteNamespace(t.Context(), "live"); err != nil {
		t.Fatal(err)
	}
	wantErr(t, p.DeleteNamespace(t.Context(), "live"), ErrNamespaceNotFound)
	_, err = p.Script(Ref{"live", "user"})
	wantErr(t, err, ErrNamespaceNotFound)
	p.reopen()
	p.namespace("live")
	if scripts, err := p.Scripts("live"); err != nil || len(scripts) != 0 {
		t.Errorf("scripts are %v, %v", scripts, err)
	}
}

func TestDeleteAndMakeAgain(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	first := p.deploy("production/user", "env S", secret("S", "old"))
	if err := p.DeleteScript(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	wantErr(t, p.DeleteScript(t.Context(), user), ErrScriptNotFound)
	p.want("http://user.test/", "error: Worker not found")
	second := p.deploy("production/user", "env S")
	if first.ID == second.ID || second.Version.Number != 1 {
		t.Errorf("made again as %s, version %d", second.ID, second.Version.Number)
	}
	p.want("http://user.test/", "undefined")
	_, err := p.AddVersion(t.Context(), Ref{"production", "nobody"}, upload("say"))
	wantErr(t, err, ErrScriptNotFound)
}

func TestRestart(t *testing.T) {
	p := seed(t)
	p.deploy("dispatcher", "dispatch NS customer-a", dispatchTo("NS", "production", nil), secret("S", "s"))
	p.deploy("production/customer-a", "env SECRET\nenv TEXT", secret("SECRET", "hidden"), text("TEXT", "seen"))
	for i := range 20 {
		p.deploy(fmt.Sprint("staging/s", i), fmt.Sprint("say ", i))
	}
	before := p.everything()
	builds := p.rt.builds()
	p.reopen()
	if p.rt.builds() != builds {
		t.Error("opening made a pool")
	}
	if after := p.everything(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	p.want("http://x.test/", "hidden\nseen")
	if n := p.rt.builds() - builds; n != 2 {
		t.Errorf("%d versions were loaded, want 2", n)
	}
}

// everything is all that can be asked for.
func (p *platform) everything() string {
	var b strings.Builder
	names := []string{""}
	for _, n := range p.Namespaces() {
		n.Created, n.Modified = n.Created.UTC().Round(0), n.Modified.UTC().Round(0)
		fmt.Fprintf(&b, "%+v\n", n)
		names = append(names, n.Name)
	}
	for _, name := range names {
		scripts, err := p.Scripts(name)
		for _, s := range scripts {
			versions, err1 := p.Versions(s.Ref)
			deployments, err2 := p.Deployments(s.Ref)
			main, modules, err3 := p.Content(s.Ref)
			fmt.Fprintf(&b, "%+v\n%+v\n%+v\n%s %v\n", s, versions, deployments, main, modules)
			err = errors.Join(err, err1, err2, err3)
		}
		if err != nil {
			p.t.Error(err)
		}
	}
	return b.String()
}

// Every response during deploys is a whole one, of a version that was live while it was asked
// for, and never older than one seen before.
func TestDeployUnderTraffic(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say 0\nsay 0")
	var live, served atomic.Int64
	var clients sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				floor := live.Load()
				body, err := p.serve("http://user.test/")
				var a, b int64
				if _, err2 := fmt.Sscanf(body, "%d\n%d", &a, &b); err != nil || err2 != nil || a != b || a < floor {
					t.Errorf("got %q, %v when version %d was acknowledged", body, err, floor)
					return
				}
				served.Add(1)
			}
		})
	}
	rounds := 100
	if raceEnabled {
		rounds = 60
	}
	for i := 1; i <= rounds; i++ {
		p.deploy("production/user", fmt.Sprintf("say %d\nsay %d", i, i))
		live.Store(int64(i))
		if i%20 == 0 { // a rollback's version is loaded anew
			versions, err := p.Versions(user)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.AddDeployment(t.Context(), user, []Share{{versions[0].ID, 100}}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(done)
	clients.Wait()
	if n := p.rt.open.Load(); n != 1 {
		t.Errorf("%d pools are open, want 1", n)
	}
	t.Logf("%d responses during %d deploys", served.Load(), rounds)
}

// Operations on the same names from many sides leave what some order of them would have left.
func TestOperationsAtOnce(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	var all sync.WaitGroup
	var made atomic.Int64
	for g := range 8 {
		all.Go(func() {
			for i := range 15 {
				name := Ref{"production", fmt.Sprint("s", i%3)}
				var err error
				switch (g + i) % 4 {
				case 0, 1:
					_, err = p.Deploy(context.Background(), name, upload(fmt.Sprint("say ", g, i)))
				case 2:
					err = p.DeleteScript(context.Background(), name)
				case 3:
					_, err = p.Edit(context.Background(), name, func(u *Upload) error {
						u.Bindings = append(u.Bindings, text(fmt.Sprint("B", made.Add(1)), ""))
						return nil
					})
				}
				if err != nil && !errors.Is(err, ErrScriptNotFound) {
					t.Error(err)
				}
				p.get(fmt.Sprint("http://s", i%3, ".test/"))
			}
		})
	}
	all.Wait()
	before := p.everything()
	p.reopen()
	if after := p.everything(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if n := len(p.locks.mu.held); n != 0 {
		t.Errorf("%d locks are held", n)
	}
}

func TestWaitingForALockEnds(t *testing.T) {
	p := openPlatform(t)
	unlock, err := p.lockScript(t.Context(), p.catalog.plain, "x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = p.Deploy(ctx, Ref{Script: "x"}, upload("say"))
	wantErr(t, err, context.DeadlineExceeded)
	unlock()
	p.deploy("x", "say")
}

func TestClosedEngineRefuses(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say hello")
	if err := p.Ready(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, p.Ready(), ErrUnavailable)
	_, err := p.serve("http://user.test/")
	wantErr(t, err, ErrUnavailable)
	_, err = p.Deploy(t.Context(), user, upload("say"))
	wantErr(t, err, ErrUnavailable)
	_, err = p.CreateNamespace(t.Context(), "x")
	wantErr(t, err, ErrUnavailable)
	wantErr(t, p.DeleteScript(t.Context(), user), ErrUnavailable)
}

// A damaged script is its own tenant's trouble.
func TestDamageIsNotContagious(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/whole", "say whole")
	p.deploy("production/user", "say hello", secret("S", "s"))
	p.reopen()
	s := p.catalog.namespaceForTest("production").scripts.get("user")
	record, err := p.stored(s.state.Load().newest)
	if err != nil {
		t.Fatal(err)
	}
	record.Bindings = []byte(`[{"name":"S","type":"secret_text","text":"AAAA"}]`)
	if err := p.store.Apply(t.Context(), store.AddVersion(time.Now(), *record)); err != nil {
		t.Fatal(err)
	}
	if got := p.get("http://user.test/"); !strings.Contains(got, "secret/"+s.id+"/S") {
		t.Errorf("got %q", got)
	}
	p.want("http://whole.test/", "whole")
	if _, err := p.Scripts("production"); err != nil {
		t.Error(err)
	}
	if err := p.DeleteScript(t.Context(), user); err != nil {
		t.Error(err)
	}
	p.deploy("production/user", "say again")
	p.want("http://user.test/", "again")
}

// A commit whose outcome was in doubt shows up while the next upload is being evaluated.
func TestLateChangeIsNotOverwritten(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say 1")
	s := p.catalog.namespaceForTest("production").scripts.get("user")
	record := s.state.Load().record
	record.NextVersion = 3
	v := store.Version{ID: newID(), ScriptID: s.id, NamespaceID: s.namespace.id, Number: 2, Created: time.Now(), Main: "index.js", Policy: "reuse"}
	_, err := p.Edit(t.Context(), user, func(*Upload) error {
		changes := []store.Change{store.PutScript(time.Now(), record), store.AddVersion(time.Now(), v)}
		if err := p.store.Apply(t.Context(), changes...); err != nil {
			t.Error(err)
		}
		p.publish(changes)
		return nil
	})
	wantErr(t, err, ErrConflict)
	if made := p.deploy("production/user", "say 3"); made.Version.Number != 3 {
		t.Errorf("made version %d", made.Version.Number)
	}
	p.want("http://user.test/", "3")
}
