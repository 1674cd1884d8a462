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
)

var user = Ref{"production", "user"}

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
