package engine

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func (p *platform) entries() (list []AuditEntry) {
	p.t.Helper()
	if err := p.AuditEntries(AuditQuery{}, func(a AuditEntry) bool { list = append(list, a); return true }); err != nil {
		p.t.Fatal(err)
	}
	return list
}

// TestAudit: every change under an act leaves one entry with what was there before and after,
// in one batch with the change; digests tell same from different.
func TestAudit(t *testing.T) {
	p := openPlatform(t)
	var acts []string
	as := func(name string) context.Context {
		acts = append(acts, name)
		return WithAct(t.Context(), &Act{Actor: "id", ActorName: "ci", Address: "::1", Action: name, Resource: "/" + name})
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := p.CreateNamespace(as("create namespace"), "production")
	must(err)
	for _, source := range []string{"say 1", "say 2"} {
		_, err = p.Deploy(as("deploy "+source), user, upload(source, secret("S", source)))
		must(err)
	}
	_, err = p.Edit(as("edit"), user, func(u *Upload) error { return nil })
	must(err)
	must(p.DeleteScript(as("delete script"), user))
	_, err = p.Deploy(as("deploy plain"), Ref{Script: "plain"}, upload("say plain"))
	must(err)
	r, err := p.PutRoute(as("put route"), "x.test/*", "plain")
	must(err)
	must(p.DeleteRoute(as("delete route"), r.ID))
	token, _, err := p.CreateToken(as("create token"), TokenSpec{Name: "x", Scope: FullScope})
	must(err)
	_, err = p.RollToken(as("roll token"), token.ID)
	must(err)
	must(p.DeleteToken(as("delete token"), token.ID))
	must(p.DeleteNamespace(as("delete namespace"), "production"))
	p.reopen()
	list := p.entries()
	var got []string
	byAction := map[string]AuditEntry{}
	for _, a := range list {
		got = append(got, a.Action)
		byAction[a.Action] = a
		if a.Actor != "id" || a.ActorName != "ci" || a.Address != "::1" || a.Status != 200 || a.Resource != "/"+a.Action || a.At.IsZero() || a.ID == "" {
			t.Errorf("%+v", a)
		}
	}
	if !slices.Equal(got, acts) {
		t.Fatalf("the log has %q, want %q", got, acts)
	}
	for _, action := range acts {
		begins, ends := byAction[action].Before == "", byAction[action].After == ""
		wantBegins := slices.Contains([]string{"create namespace", "deploy say 1", "deploy plain", "put route", "create token"}, action)
		wantEnds := slices.Contains([]string{"delete script", "delete route", "delete token", "delete namespace"}, action)
		if begins != wantBegins || ends != wantEnds {
			t.Errorf("%s: before %q, after %q", action, byAction[action].Before, byAction[action].After)
		}
	}
	chain := []string{"deploy say 1", "deploy say 2", "edit", "delete script"}
	for i, action := range chain[1:] {
		if before, after := byAction[action].Before, byAction[chain[i]].After; before != after {
			t.Errorf("%s begins at %s, %s ended at %s", action, before, chain[i], after)
		}
	}
	if byAction["roll token"].Before != byAction["create token"].After || byAction["roll token"].After == byAction["roll token"].Before {
		t.Error("a rolled token is not told from the one before")
	}
}

// TestAuditRefusals: what changed nothing is written once; what was changed is not written twice.
func TestAuditRefusals(t *testing.T) {
	p := openPlatform(t)
	end := func(a *Act, err error) {
		t.Helper()
		status, refusal := 200, ""
		if err != nil {
			status, refusal = 400, err.Error()
		}
		if err := p.Audit(t.Context(), a, status, refusal); err != nil {
			t.Fatal(err)
		}
	}
	made, refused, nothing := &Act{Action: "made"}, &Act{Action: "refused"}, &Act{Action: "nothing"}
	_, err := p.CreateNamespace(WithAct(t.Context(), made), "a")
	end(made, err)
	_, err = p.CreateNamespace(WithAct(t.Context(), refused), "a")
	wantErr(t, err, ErrNamespaceExists)
	end(refused, err)
	end(nothing, nil)
	var got []string
	for _, a := range p.entries() {
		got = append(got, a.Action)
	}
	if !slices.Equal(got, []string{"made", "refused", "nothing"}) {
		t.Errorf("%q", got)
	}
	if a := p.entries()[1]; a.Status != 400 || a.Error == "" {
		t.Errorf("%+v", a)
	}
	p.auditing = auditLimits{time.Hour, 1}
	p.collect(t.Context())
	if list := p.entries(); len(list) != 1 || list[0].Action != "nothing" {
		t.Errorf("trimmed to %v", list)
	}
}

// TestOffline: an engine without Workers to run reads and changes what needs none.
func TestOffline(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say 1")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	e, err := OpenOffline(p.options.Dir, p.options.Logger)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.CreateToken(t.Context(), TokenSpec{Name: "x", Scope: FullScope}); err != nil {
		t.Error(err)
	}
	if _, err := e.Deploy(t.Context(), user, upload("say 2")); !errors.Is(err, errOffline) {
		t.Errorf("deployed: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	p.open()
	p.want("http://user.test/", "1")
	if len(p.Tokens()) != 1 {
		t.Errorf("tokens: %v", p.Tokens())
	}
}
