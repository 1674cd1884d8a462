package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// model is what a store should hold: state records by their key.
type model map[string]Record

func (m model) apply(c Change) {
	switch c.Kind {
	case KindDropNamespace:
		delete(m, string(namespaceKey(c.Drop.ID)))
		m.dropScripts(func(namespace, _ string) bool { return namespace == c.Drop.ID })
	case KindDropScript:
		m.dropScripts(func(namespace, script string) bool {
			return namespace == c.Drop.NamespaceID && script == c.Drop.ID
		})
	case KindDropRoute:
		delete(m, string(routeKey(c.Drop.ID)))
	case KindDropToken:
		delete(m, string(tokenKey(c.Drop.ID)))
	case KindDropKV:
		delete(m, string(kvNamespaceKey(c.Drop.ID)))
	case KindDropPlan:
		delete(m, string(planKey(c.Drop.ID)))
	default:
		put, _ := c.Record.row()
		m[string(put.key())] = c.Record
	}
}

func (m model) dropScripts(which func(namespace, script string) bool) {
	maps.DeleteFunc(m, func(_ string, r Record) bool {
		switch {
		case r.Script != nil:
			return which(r.Script.NamespaceID, r.Script.ID)
		case r.Version != nil:
			return which(r.Version.NamespaceID, r.Version.ScriptID)
		case r.Deployment != nil:
			return which(r.Deployment.NamespaceID, r.Deployment.ScriptID)
		}
		return false
	})
}

// drawChange draws a change over few ids, so that changes meet. Ids that begin alike, and
// namespaces named like scripts, are among them.
func drawChange(t *rapid.T, blob Hash) Change {
	id := rapid.SampledFrom([]string{"a", "ab", "abc", "b", "~"})
	pick, namespace, when := id.Draw(t, "id"), rapid.SampledFrom([]string{"", "a", "ab", "n"}).Draw(t, "namespace"), at(rapid.IntRange(0, 9).Draw(t, "at"))
	number := rapid.SampledFrom([]int{1, 2, 255, 256, maxNumber}).Draw(t, "number")
	text := rapid.String().Draw(t, "text")
	switch rapid.IntRange(0, 14).Draw(t, "kind") {
	case 0:
		return PutNamespace(when, Namespace{ID: pick, Name: text, Created: when, Modified: when})
	case 1:
		return DropNamespace(when, pick)
	case 2:
		return PutScript(when, Script{ID: pick, NamespaceID: namespace, Name: text, Tags: []string{text}, Created: when, Modified: when, NextVersion: number})
	case 3:
		return DropScript(when, namespace, pick)
	case 4:
		return AddVersion(when, Version{ID: fmt.Sprint("v", number), ScriptID: pick, NamespaceID: namespace, Number: number, Created: when, Main: text,
			Modules: []Module{{Name: text, Kind: "es", Hash: blob, Size: 1}}, Annotations: map[string]string{text: text}})
	case 5:
		return AddDeployment(when, Deployment{ID: fmt.Sprint("d", number), ScriptID: pick, NamespaceID: namespace, Created: when, Shares: []Share{{text, 12.5}, {"v", 87.5}}})
	case 6:
		return PutRoute(when, Route{ID: pick, Pattern: text, Script: text})
	case 7:
		return DropRoute(when, pick)
	case 8:
		return PutToken(when, Token{ID: pick, Hash: blob, Name: text, Created: when})
	case 9:
		return DropToken(when, pick)
	case 10:
		return PutPlan(when, Plan{Name: pick, Tags: []string{text}, Weight: number, Created: when, Modified: when})
	case 11:
		return DropPlan(when, pick)
	case 12:
		return PutKVNamespace(when, KVNamespace{ID: pick, Title: "t" + text, Created: when})
	case 13:
		return DropKVNamespace(when, pick)
	}
	value, _ := json.Marshal(text)
	return PutSetting(when, Setting{Name: pick, Value: value})
}

// TestModel applies random changes to a store and to a map, reopens now and then, and replays
// the log: all four must agree, and replaying again must change nothing.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fs := vfs.NewMem()
		s := open(t, fs)
		defer func() { s.Close() }()
		blob, err := s.PutBlob(ctx, []byte("source"))
		must(t, err)
		want := model{}
		for range rapid.IntRange(1, 20).Draw(rt, "applies") {
			if rapid.IntRange(0, 9).Draw(rt, "reopen") == 0 {
				must(t, s.Close())
				s = open(t, fs)
			}
			var changes []Change
			for range rapid.IntRange(1, 5).Draw(rt, "changes") {
				changes = append(changes, drawChange(rt, blob))
			}
			must(t, s.Apply(ctx, changes...))
			for _, c := range changes {
				want.apply(c)
			}
		}
		wantModel(rt, s, want)
		wantReplay(t, rt, s)
	})
}

func wantModel(rt *rapid.T, s *Store, want model) {
	got := model{}
	err := s.Load(func(r Record) error {
		put, _ := r.row()
		got[string(put.key())] = r
		return nil
	})
	if err != nil {
		rt.Fatal(err)
	}
	if g, w := got.String(), want.String(); g != w {
		rt.Fatalf("store has\n%s\nmodel has\n%s", g, w)
	}
}

func (m model) String() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(m)) {
		record, _ := json.Marshal(m[key])
		fmt.Fprintf(&b, "%s\t%s\n", keyName([]byte(key)), record)
	}
	return b.String()
}

func wantReplay(t *testing.T, rt *rapid.T, s *Store) {
	var log []Change
	must(t, s.Changes(0, func(c Change) error { log = append(log, c); return nil }))
	copied := open(t, vfs.NewMem())
	defer copied.Close()
	must(t, copied.Replay(ctx, log...))
	for range 2 {
		if got, want := dump(t, copied), dump(t, s); got != want {
			rt.Fatalf("replayed:\n%s\nwant\n%s", got, want)
		}
		must(t, copied.Replay(ctx, log[:rapid.IntRange(0, len(log)).Draw(rt, "prefix")]...))
	}
	if copied.LastSeq() != s.LastSeq() {
		rt.Fatalf("last seq %d, want %d", copied.LastSeq(), s.LastSeq())
	}
}

// TestReplayRefuses what is not the log that the store has.
func TestReplayRefuses(t *testing.T) {
	s := open(t, vfs.NewMem())
	populate(t, s)
	var log []Change
	must(t, s.Changes(0, func(c Change) error { log = append(log, c); return nil }))
	before, last := dump(t, s), s.LastSeq()
	other := log[1]
	other.At = at(77)
	gap := DropRoute(at(1), "r1")
	gap.Seq = last + 2
	for want, c := range map[string]Change{"is not the one in the log": other, "does not follow": gap} {
		if err := s.Replay(ctx, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	if dump(t, s) != before || s.LastSeq() != last {
		t.Error("something changed")
	}
}
