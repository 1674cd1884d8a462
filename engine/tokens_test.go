package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var anywhere = netip.MustParseAddr("203.0.113.7")

// TestTokens takes tokens through their life, with a restart in between.
func TestTokens(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	ns, err := p.Namespace("production")
	if err != nil {
		t.Fatal(err)
	}
	spec := TokenSpec{Name: "ci", Scope: Scope{{AreaScripts, true, ns.ID}, {AreaTail, false, ""}}}
	made, secret, err := p.CreateToken(t.Context(), spec)
	if err != nil || len(secret) != tokenSecretAt+43 {
		t.Fatalf("%q, %v", secret, err)
	}
	valid := func(secret string, want bool) {
		t.Helper()
		got, ok := p.Authenticate(secret, anywhere)
		if ok != want || ok && got.ID != made.ID {
			t.Errorf("%q is %v, want %v", secret, ok, want)
		}
	}
	valid(secret, true)
	p.reopen()
	valid(secret, true)
	if got, err := p.Token(made.ID); err != nil || got.Scope.String() != "scripts:write@"+ns.ID+" tail:read" {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
	for _, wrong := range []string{"", "sy_", secret[:len(secret)-1], secret + "x", strings.ToUpper(secret), tokenPrefix + made.ID + "_", newTokenSecret(made.ID), newTokenSecret("00000000000000000000000000000000")} {
		valid(wrong, false)
	}
	rolled, err := p.RollToken(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	valid(secret, false)
	valid(rolled, true)
	if err := p.DeleteToken(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	valid(rolled, false)
	wantErr(t, p.DeleteToken(t.Context(), made.ID), ErrTokenNotFound)
	_, err = p.RollToken(t.Context(), made.ID)
	wantErr(t, err, ErrTokenNotFound)
	_, err = p.UpdateToken(t.Context(), made.ID, spec)
	wantErr(t, err, ErrTokenNotFound)
	if len(p.Tokens()) != 0 {
		t.Errorf("left: %v", p.Tokens())
	}
}

// TestTokenConditions is when and from where a token counts.
func TestTokenConditions(t *testing.T) {
	now := time.Now()
	inside, outside := []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name   string
		spec   TokenSpec
		status string
		usable bool
	}{
		{"plain", TokenSpec{}, "active", true},
		{"disabled", TokenSpec{Disabled: true}, "disabled", false},
		{"expired", TokenSpec{Expires: now}, "expired", false},
		{"expires later", TokenSpec{Expires: now.Add(1)}, "active", true},
		{"not yet", TokenSpec{NotBefore: now.Add(1)}, "active", false},
		{"from now on", TokenSpec{NotBefore: now}, "active", true},
		{"from inside", TokenSpec{Allow: inside}, "active", true},
		{"not from outside", TokenSpec{Allow: outside}, "active", false},
		{"denied", TokenSpec{Deny: inside}, "active", false},
		{"denied elsewhere", TokenSpec{Deny: outside}, "active", true},
		{"denied within allowed", TokenSpec{Allow: inside, Deny: inside}, "active", false},
	} {
		token := Token{TokenSpec: c.spec}
		if got := token.Status(now); got != c.status || token.usable(anywhere, now) != c.usable {
			t.Errorf("%s: %s, usable %v", c.name, got, token.usable(anywhere, now))
		}
	}
}

func TestScope(t *testing.T) {
	admin, reader := FullScope, Scope{{AreaAll, false, ""}}
	mine := Scope{{AreaAll, true, "n1"}}
	scripts := Scope{{AreaScripts, true, ""}}
	for _, c := range []struct {
		name      string
		have, ask Scope
		want      bool
	}{
		{"admin all", admin, admin, true},
		{"admin one", admin, mine, true},
		{"reader writes", reader, scripts, false},
		{"reader reads", reader, Scope{{AreaKV, false, ""}, {AreaScripts, false, "n1"}}, true},
		{"own namespace", mine, Scope{{AreaTail, false, "n1"}}, true},
		{"other namespace", mine, Scope{{AreaScripts, false, "n2"}}, false},
		{"account", mine, Scope{{AreaScripts, false, ""}}, false},
		{"scripts are not all", scripts, mine, false},
		{"scripts of one", scripts, Scope{{AreaScripts, true, "n2"}}, true},
		{"scripts are not tokens", scripts, Scope{{AreaTokens, false, ""}}, false},
		{"nothing", nil, reader, false},
	} {
		if got := c.have.Covers(c.ask); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if again := parseScope(c.have.String()); again.String() != c.have.String() {
			t.Errorf("%q becomes %q", c.have, again)
		}
	}
	if s := parseScope("admin scripts tail:exec kv:read nothing:write"); s.String() != "kv:read" {
		t.Errorf("unknown words grant %q", s)
	}
}

// TestTokenRefusals: what could not be kept, or would do nothing, is not made.
func TestTokenRefusals(t *testing.T) {
	p := openPlatform(t)
	ok := Scope{{AreaAll, false, ""}}
	for field, spec := range map[string]TokenSpec{
		"name":       {Scope: ok},
		"policies":   {Name: "x"},
		"condition":  {Name: "x", Scope: ok, Allow: make([]netip.Prefix, maxNetworks+1)},
		"expires_on": {Name: "x", Scope: ok, NotBefore: time.Unix(2, 0), Expires: time.Unix(1, 0)},
	} {
		_, _, err := p.CreateToken(t.Context(), spec)
		if e := (*InputError)(nil); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, scope := range []Scope{{{"dns", true, ""}}, {{AreaScripts, true, "nowhere"}}, {{AreaKV, true, "nowhere"}}, make(Scope, MaxGrants+1)} {
		if _, _, err := p.CreateToken(t.Context(), TokenSpec{Name: "x", Scope: scope}); err == nil {
			t.Errorf("%v was granted", scope)
		}
	}
	_, _, err := p.CreateToken(t.Context(), TokenSpec{Name: "a\nb", Scope: ok})
	if err == nil || len(p.Tokens()) != 0 {
		t.Errorf("%v, %v", err, p.Tokens())
	}
}

// TestBindingsOfTokens: a token for one namespace gives a Worker nothing that it could not reach itself; what a Worker has
// already it keeps.
func TestBindingsOfTokens(t *testing.T) {
	p := openPlatform(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	own, err := p.CreateNamespace(t.Context(), "production")
	must(err)
	_, err = p.CreateNamespace(t.Context(), "other")
	must(err)
	_, err = p.Deploy(t.Context(), Ref{Script: "plain"}, upload("say plain"))
	must(err)
	kv := p.kvNamespace("pairs")
	as := func(s Scope) context.Context { return WithAct(t.Context(), &Act{Actor: "id", Scope: s}) }
	narrow := as(Scope{{AreaScripts, true, own.ID}})
	for i, tc := range []struct {
		b     Binding
		field string // refused by this; "" is allowed
	}{
		{Binding{Name: "B", Type: PlainText, Text: "x"}, ""},
		{Binding{Name: "B", Type: DispatchNamespace, Namespace: "production"}, ""},
		{Binding{Name: "B", Type: DispatchNamespace, Namespace: "other"}, "bindings[0].namespace"},
		{Binding{Name: "B", Type: DispatchNamespace, Namespace: "production", Outbound: &Outbound{Service: "plain"}}, "bindings[0].outbound.service"},
		{Binding{Name: "B", Type: Service, Service: "plain"}, "bindings[0].service"},
		{Binding{Name: "B", Type: AnalyticsEngine, Dataset: "d"}, "bindings[0].dataset"},
		{Binding{Name: "B", Type: KV, NamespaceID: kv.ID}, "bindings[0].namespace_id"},
	} {
		refused := func(err error) string {
			input, missing := (*InputError)(nil), (*MissingKVError)(nil)
			switch {
			case errors.As(err, &input):
				return input.Field
			case errors.As(err, &missing):
				return missing.Field
			}
			must(err)
			return ""
		}
		ref, u := Ref{"production", fmt.Sprint("w", i)}, upload("say x", tc.b)
		_, err := p.Deploy(narrow, ref, u)
		if got := refused(err); got != tc.field {
			t.Errorf("%s of a narrow token is refused by %q, want %q", tc.b.Type, got, tc.field)
		}
		_, err = p.Deploy(as(FullScope), ref, u)
		must(err)
		if _, err = p.Deploy(narrow, ref, u); err != nil {
			t.Errorf("%s that is there already: %v", tc.b.Type, err)
		}
	}
}
