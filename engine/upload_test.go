package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"switchyard/isolate"
)

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
		{"unknown type", bindings(Binding{Name: "A", Type: "r2_bucket"}), "bindings[0].type"},
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
