package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var (
	ctx     = context.Background()
	testKey = bytes.Repeat([]byte{7}, keySize)
	epoch   = time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC)
)

// open opens a store on fs in "data" and closes it at the test's end.
func open(t testing.TB, fs vfs.FS, more ...func(*Options)) *Store {
	t.Helper()
	s, err := tryOpen(t, fs, more...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOpen(t testing.TB, fs vfs.FS, more ...func(*Options)) (*Store, error) {
	t.Helper()
	o := Options{Dir: "data", FS: fs, Key: testKey, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range more {
		f(&o)
	}
	s, err := Open(o)
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at is a time that is different for each n.
func at(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

// upload puts a version's modules and returns the version.
func upload(t testing.TB, s *Store, namespace, script string, number int, sources ...string) Version {
	t.Helper()
	v := Version{
		ID: fmt.Sprintf("%s-v%d", script, number), ScriptID: script, NamespaceID: namespace, Number: number,
		Created: at(number), Main: "m0.js", Bindings: json.RawMessage(`[{"name":"A","text":"<&>"}]`), Policy: "reuse",
	}
	for i, source := range sources {
		h, err := s.PutBlob(ctx, []byte(source))
		must(t, err)
		v.Modules = append(v.Modules, Module{Name: fmt.Sprintf("m%d.js", i), Kind: "es", Hash: h, Size: int64(len(source))})
	}
	return v
}

// deploy is what the engine does for an upload, in one Apply.
func deploy(t testing.TB, s *Store, namespace, script string, number int, sources ...string) {
	t.Helper()
	v := upload(t, s, namespace, script, number, sources...)
	must(t, s.Apply(ctx, deployChanges(v)...))
}

func deployChanges(v Version) []Change {
	n := v.Number
	return []Change{
		PutScript(at(n), Script{ID: v.ScriptID, NamespaceID: v.NamespaceID, Name: "name-" + v.ScriptID, Created: at(0), Modified: at(n), NextVersion: n + 1}),
		AddVersion(at(n), v),
		AddDeployment(at(n), Deployment{ID: fmt.Sprintf("%s-d%d", v.ScriptID, n), ScriptID: v.ScriptID, NamespaceID: v.NamespaceID,
			Created: at(n), Shares: []Share{{Version: v.ID, Percent: 100}}}),
	}
}

// dump is the state, one line a record.
func dump(t testing.TB, s *Store) string {
	t.Helper()
	var b strings.Builder
	for _, table := range []byte(stateTables) {
		must(t, s.each(tableBounds(table), func(key, value []byte) error {
			fmt.Fprintf(&b, "%s\t%s\n", keyName(key), value[recordHeader:])
			return nil
		}))
	}
	return b.String()
}

// dumpUsage is the usage, one line a row.
func dumpUsage(t testing.TB, s *Store) string {
	t.Helper()
	var b strings.Builder
	must(t, s.each(tableBounds(tableUsage), func(key, value []byte) error {
		fmt.Fprintf(&b, "%s\t%s\n", keyName(key), value[recordHeader:])
		return nil
	}))
	return b.String()
}

func problems(t testing.TB, s *Store) []string {
	t.Helper()
	var found []string
	must(t, s.Check(func(p string) { found = append(found, p) }))
	return found
}

func wantHealthy(t testing.TB, s *Store) {
	t.Helper()
	for _, p := range problems(t, s) {
		t.Error("check: " + p)
	}
}

// populate makes a store with something in every table.
func populate(t testing.TB, s *Store) {
	t.Helper()
	must(t, s.Apply(ctx, PutNamespace(at(0), Namespace{ID: "ns1", Name: "production", Created: at(0), Modified: at(0)})))
	must(t, s.Apply(ctx, PutNamespace(at(0), Namespace{ID: "ns2", Name: "staging", Trusted: true, Created: at(0), Modified: at(0)})))
	deploy(t, s, "", "dispatcher", 1, "export default { dispatch }", "helper")
	deploy(t, s, "ns1", "alice", 1, "export default 1")
	deploy(t, s, "ns1", "alice", 2, "export default 2", strings.Repeat("large ", 10_000))
	deploy(t, s, "ns1", "bob", 1, "export default 1")
	deploy(t, s, "ns2", "carol", 1, "export default 1")
	must(t, s.Apply(ctx,
		PutRoute(at(3), Route{ID: "r1", Pattern: "*.example.com/*", Script: "name-dispatcher"}),
		PutRoute(at(3), Route{ID: "r2", Pattern: "example.com/*", Script: "name-dispatcher"}),
		PutToken(at(3), Token{ID: "t1", Hash: HashOf([]byte("token")), Name: "ci", Scope: "admin", Created: at(3)}),
		PutSetting(at(3), Setting{Name: "plan", Value: json.RawMessage(`{"cpu_ms":50}`)}),
		PutPlan(at(3), Plan{Name: "pro", Tags: []string{"tier:pro"}, Limits: json.RawMessage(`{"rate":5}`), Created: at(3), Modified: at(3)}),
	))
	must(t, s.PutUsage(ctx, []Usage{usageRow(Minute, 0, "alice", 3), usageRow(Hour, 0, "alice", 30)}, nil))
	domain := PutRoute(at(4), Route{ID: "r3", Pattern: "shop.example.com/", Script: "name-dispatcher", Domain: true, Zone: "example.com"})
	domain.Audit = &Audit{ID: "u1", At: at(4), Actor: "t1", ActorName: "ci", Address: "127.0.0.1", Action: "domain.put", Resource: "shop.example.com", After: "00", Status: 200}
	must(t, s.Apply(ctx, domain))
	must(t, s.Apply(ctx,
		PutToken(at(4), Token{ID: "t2", Hash: HashOf([]byte("token 2")), Name: "deploys", Scope: "scripts:write@ns1", Created: at(3), Modified: at(4), NotBefore: at(3), Expires: at(9), Disabled: true, Allow: []string{"10.0.0.0/8"}, Deny: []string{"10.1.0.0/16"}}),
		PutScript(at(4), Script{ID: "carol", NamespaceID: "ns2", Name: "name-carol", Created: at(0), Modified: at(4), NextVersion: 2,
			Crons: []Cron{{Expr: "*/5 * * * *", Created: at(4), Modified: at(4)}}, Subdomain: &Subdomain{Enabled: true}}),
	))
	must(t, s.PutAudit(ctx, Audit{ID: "u2", At: at(5), Actor: "t1", Action: "script.put", Resource: "a", Status: 400}))
}

func TestReopen(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	populate(t, s)
	before, seq := dump(t, s), s.LastSeq()
	must(t, s.Close())
	s = open(t, fs)
	if got := dump(t, s); got != before {
		t.Errorf("after reopening:\n%s\nbefore:\n%s", got, before)
	}
	if s.LastSeq() != seq {
		t.Errorf("last seq is %d, was %d", s.LastSeq(), seq)
	}
	wantHealthy(t, s)
}

// TestLoadOrder tells the order that the engine relies on.
func TestLoadOrder(t *testing.T) {
	s := open(t, vfs.NewMem())
	populate(t, s)
	var order []string
	must(t, s.Load(func(r Record) error {
		put, _ := r.row()
		order = append(order, keyName(put.key()))
		return nil
	}))
	want := `namespace ns1
namespace ns2
plan pro
script dispatcher
script dispatcher deployment dispatcher-d1
script dispatcher version 1
script ns1/alice
script ns1/alice deployment alice-d1
script ns1/alice deployment alice-d2
script ns1/alice version 1
script ns1/alice version 2
script ns1/bob
script ns1/bob deployment bob-d1
script ns1/bob version 1
script ns2/carol
script ns2/carol deployment carol-d1
script ns2/carol version 1
route r1
route r2
route r3
token t1
token t2
setting plan`
	if got := strings.Join(order, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	n := 0
	must(t, s.LoadScript("ns1", "alice", func(Record) error { n++; return nil }))
	if n != 5 {
		t.Errorf("LoadScript gave %d records, want 5", n)
	}
}

// TestLoadStops tells that an error of the caller's ends a long Load at once, and comes back.
func TestLoadStops(t *testing.T) {
	s := open(t, vfs.NewMem())
	var changes []Change
	for n := range 20 * chunkRows {
		changes = append(changes, PutRoute(at(0), Route{ID: fmt.Sprintf("%06d", n)}))
	}
	must(t, s.Apply(ctx, changes...))
	for _, limit := range []int{0, 1, chunkRows, chunkRows + 1, 19 * chunkRows} {
		enough, n := errors.New("enough"), 0
		err := s.Load(func(r Record) error {
			if r.Route.ID != fmt.Sprintf("%06d", n) {
				t.Fatalf("%s is not number %d", r.Route.ID, n)
			}
			if n == limit {
				return enough
			}
			n++
			return nil
		})
		if !errors.Is(err, enough) || n != limit {
			t.Errorf("%d records, then %v", n, err)
		}
	}
}

func TestDrops(t *testing.T) {
	for _, test := range []struct {
		name string
		drop Change
		gone []string
	}{
		{"namespace", DropNamespace(at(9), "ns1"), []string{"namespace ns1", "script ns1/alice", "script ns1/bob"}},
		{"script", DropScript(at(9), "ns1", "alice"), []string{"script ns1/alice"}},
		{"plain script", DropScript(at(9), "", "dispatcher"), []string{"script dispatcher"}},
		{"route", DropRoute(at(9), "r1"), []string{"route r1"}},
		{"token", DropToken(at(9), "t1"), []string{"token t1"}},
		{"missing", DropRoute(at(9), "r9"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, vfs.NewMem())
			populate(t, s)
			var want strings.Builder
			for line := range strings.Lines(dump(t, s)) {
				kept := true
				for _, gone := range test.gone {
					name, _, _ := strings.Cut(line, "\t")
					kept = kept && name != gone && !strings.HasPrefix(name, gone+" ")
				}
				if kept {
					want.WriteString(line)
				}
			}
			must(t, s.Apply(ctx, test.drop))
			if got := dump(t, s); got != want.String() {
				t.Errorf("got\n%s\nwant\n%s", got, want.String())
			}
			wantHealthy(t, s)
		})
	}
}

// TestRefused applies what must not get in, and looks that nothing did.
func TestRefused(t *testing.T) {
	long := strings.Repeat("x", maxID+1)
	missing := Version{ID: "v", ScriptID: "alice", NamespaceID: "ns1", Number: 3, Modules: []Module{{Name: "a.js", Hash: HashOf([]byte("never put"))}}}
	for _, test := range []struct {
		name   string
		change Change
		want   string
	}{
		{"nothing", Change{Kind: KindPutRoute}, "exactly one record"},
		{"two records", Change{Kind: KindPutRoute, Record: Record{Route: &Route{ID: "a"}, Token: &Token{ID: "a"}}}, "exactly one record"},
		{"put and drop", Change{Kind: KindDropRoute, Record: Record{Route: &Route{ID: "a"}}, Drop: &Target{ID: "a"}}, "exactly one record"},
		{"wrong kind", Change{Kind: KindPutToken, Record: Record{Route: &Route{ID: "a"}}}, "record of put-route"},
		{"drop of a put", Change{Kind: KindPutToken, Drop: &Target{ID: "a"}}, "drops nothing"},
		{"no id", PutRoute(at(1), Route{}), `route: id ""`},
		{"long id", PutRoute(at(1), Route{ID: long}), "1 to 64 bytes"},
		{"zero byte", PutRoute(at(1), Route{ID: "a\x00b"}), "byte 0x0 at offset 1"},
		{"0xff", DropNamespace(at(1), "\xff"), "byte 0xff at offset 0"},
		{"bad namespace", PutScript(at(1), Script{ID: "a", NamespaceID: "b c"}), "script: namespace"},
		{"number", AddVersion(at(1), Version{ID: "v", ScriptID: "s"}), "number 0 is not in"},
		{"blob", AddVersion(at(1), missing), `module "a.js" of version v: blob not found`},
		{"setting", PutSetting(at(1), Setting{Name: "a", Value: json.RawMessage(`{`)}), "setting a: value is not JSON"},
		{"old time", AddDeployment(time.Time{}, Deployment{ID: "d", ScriptID: "s"}), "before 1970"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, vfs.NewMem())
			populate(t, s)
			before, seq := dump(t, s), s.LastSeq()
			err := s.Apply(ctx, PutRoute(at(8), Route{ID: "before", Pattern: "a/*"}), test.change)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
			if dump(t, s) != before || s.LastSeq() != seq {
				t.Error("something of it got in")
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	s := open(t, vfs.NewMem())
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Apply(cancelled, DropRoute(at(1), "r")); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if s.LastSeq() != 0 {
		t.Error("applied")
	}
}

func TestClosed(t *testing.T) {
	s := open(t, vfs.NewMem())
	must(t, s.Close())
	must(t, s.Close())
	_, blobErr := s.Blob(Hash{})
	_, putErr := s.PutBlob(ctx, nil)
	for name, err := range map[string]error{
		"Apply":   s.Apply(ctx, DropRoute(at(1), "r")),
		"Load":    s.Load(func(Record) error { return nil }),
		"Check":   s.Check(func(string) {}),
		"Blob":    blobErr,
		"PutBlob": putErr,
	} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	s.Metrics()
}
