package engine

import (
	"errors"
	"slices"
	"testing"
)

func TestCron(t *testing.T) {
	for _, good := range []string{
		"* * * * *", "*/5 * * * *", "0 9 * * MON", "0 9 * * mon-fri", "0,30 8-18/2 1,15 JAN,jul 0", "59 23 31 12 7",
		"0 0 L * *", "0 0 LW * *", "0 0 15W * *", "0 0 * * 6L", "0 0 * * 2#1", "0 0 ? * L", "5/10 * * * *",
	} {
		if err := checkCron(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *",
		"*/x * * * *", "5-1 * * * *", "1,,2 * * * *", "1- * * * *", "-1 * * * *", "+1 * * * *", "L * * * *", "* * * * 2#6", "* * * * #", "* * W * *",
		"? * * * *", "@daily", "MON * * * *", "001 * * * *", string(make([]byte, maxCronLength+1)),
	} {
		if checkCron(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// TestScriptSettings: they are kept over restarts and deploys, make no version and refuse what
// is wrong as a whole.
func TestScriptSettings(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	made := p.deploy("production/user", "say 1").Version.ID
	edit := func(change func(*ScriptSettings)) (Script, error) {
		return p.EditScript(t.Context(), user, func(s *ScriptSettings) error { change(s); return nil })
	}
	s, err := edit(func(s *ScriptSettings) {
		s.Tags, s.Subdomain = []string{"a"}, Subdomain{true, false}
		s.Crons = []Cron{{Expr: "* * * * *"}, {Expr: "0 0 * * *"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	first := s.Crons[1].Created
	for field, change := range map[string]func(*ScriptSettings){
		"tags":      func(s *ScriptSettings) { s.Tags = []string{"a,b"} },
		"[1].cron":  func(s *ScriptSettings) { s.Crons[1].Expr = "never" },
		"schedules": func(s *ScriptSettings) { s.Crons = make([]Cron, maxCrons+1) },
	} {
		_, err := edit(change)
		if e := (*InputError)(nil); !errors.As(err, &e) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := edit(func(s *ScriptSettings) { s.Crons = s.Crons[1:] }); err != nil {
		t.Fatal(err)
	}
	p.reopen()
	s, err = p.Script(user)
	if err != nil || !slices.Equal(s.Tags, []string{"a"}) || len(s.Crons) != 1 || !s.Crons[0].Created.Equal(first) || s.Subdomain != (Subdomain{true, false}) || s.Version.ID != made {
		t.Errorf("%+v, %v", s, err)
	}
	p.want("http://user.test/", "1")
	if s := p.deploy("production/user", "say 2"); len(s.Crons) != 1 || s.Version.Number != 2 {
		t.Errorf("after a deploy: %+v", s)
	}
	if _, err := edit(func(s *ScriptSettings) { s.Subdomain = Subdomain{} }); err != nil {
		t.Fatal(err)
	}
	_, err = p.EditScript(t.Context(), Ref{"production", "nobody"}, func(*ScriptSettings) error { return nil })
	wantErr(t, err, ErrScriptNotFound)
}

// TestCreateScript: a script without a version is there for the API and not for requests.
func TestCreateScript(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	if _, err := p.CreateScript(t.Context(), user, ScriptSettings{Tags: []string{"new"}}); err != nil {
		t.Fatal(err)
	}
	_, err := p.CreateScript(t.Context(), user, ScriptSettings{})
	wantErr(t, err, ErrScriptExists)
	p.reopen()
	if s, err := p.Script(user); err != nil || s.Version.ID != "" || !slices.Equal(s.Tags, []string{"new"}) {
		t.Errorf("%+v, %v", s, err)
	}
	if list, err := p.Scripts("production"); err != nil || len(list) != 1 {
		t.Errorf("listed: %v, %v", list, err)
	}
	if _, err := p.serve("http://user.test/"); !errors.Is(err, ErrWorkerNotFound) && !errors.Is(err, ErrNoEntry) {
		t.Errorf("a request meets %v", err)
	}
	if _, _, err := p.Content(user); !errors.Is(err, ErrScriptNotFound) {
		t.Errorf("its content is %v", err)
	}
	v, err := p.AddVersion(t.Context(), user, upload("say 1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.AddDeployment(t.Context(), user, []Share{{v.ID, 100}}, nil); err != nil {
		t.Fatal(err)
	}
	p.want("http://user.test/", "1")
}

// TestDomains: a domain takes its host, goes over to another Worker only when told to, keeps out
// of the routes' way and goes with its Worker.
func TestDomains(t *testing.T) {
	p := openPlatform(t)
	p.deploy("a", "say a")
	p.deploy("b", "say b")
	put := func(host, script string, override bool) (Route, error) {
		return p.PutDomain(t.Context(), host, script, "example.com", override)
	}
	d, err := put("Shop.Example.com", "a", false)
	if err != nil || d.Hostname() != "shop.example.com" {
		t.Fatal(d, err)
	}
	p.want("http://shop.example.com/x/y", "a")
	_, err = put("shop.example.com", "b", false)
	wantErr(t, err, ErrRouteExists)
	if moved, err := put("shop.example.com", "b", true); err != nil || moved.ID != d.ID {
		t.Fatal(moved, err)
	}
	p.reopen()
	p.want("http://shop.example.com/", "b")
	if len(p.Routes()) != 0 || len(p.Domains()) != 1 || p.Domains()[0].Zone != "example.com" {
		t.Errorf("routes %v, domains %v", p.Routes(), p.Domains())
	}
	_, err = p.PutRoute(t.Context(), "shop.example.com/*", "b")
	wantErr(t, err, ErrRouteExists)
	r, err := p.PutRoute(t.Context(), "shop.example.com/api/*", "a")
	if err != nil {
		t.Fatal(err)
	}
	p.want("http://shop.example.com/api/x", "a")
	wantErr(t, p.DeleteDomain(t.Context(), r.ID), ErrRouteNotFound)
	wantErr(t, p.DeleteRoute(t.Context(), d.ID), ErrRouteNotFound)
	_, err = p.UpdateRoute(t.Context(), d.ID, "x.test/*", "a")
	wantErr(t, err, ErrRouteNotFound)
	_, err = put("nobody.test", "nobody", false)
	wantErr(t, err, ErrScriptNotFound)
	for _, host := range []string{"", "*.test", "a/b", "a b", "a:80"} {
		if _, err := put(host, "a", false); err == nil {
			t.Errorf("%q is a domain", host)
		}
	}
	if err := p.DeleteScript(t.Context(), Ref{Script: "b"}); err != nil {
		t.Fatal(err)
	}
	if len(p.Domains()) != 0 {
		t.Errorf("left: %v", p.Domains())
	}
}
