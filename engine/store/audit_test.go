package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func auditIDs(t *testing.T, s *Store, since, before time.Time, newestFirst bool) []string {
	t.Helper()
	ids := []string{}
	must(t, s.Audits(since, before, newestFirst, func(a Audit) bool {
		ids = append(ids, a.ID)
		return len(ids) < 1000
	}))
	return ids
}

// TestAudit writes entries with changes and without, reads them in both orders and by time,
// and trims them by age and by number.
func TestAudit(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	for i := range 6 {
		a := Audit{ID: fmt.Sprint("u", i), At: at(i), Actor: "t", Action: "x", Status: 200}
		if i%2 == 1 {
			must(t, s.PutAudit(ctx, a))
			continue
		}
		c := PutSetting(at(i), Setting{Name: "n", Value: []byte("1")})
		c.Audit = &a
		must(t, s.Apply(ctx, c))
	}
	must(t, s.Close())
	s = open(t, fs)
	var none time.Time
	for _, c := range []struct {
		since, before time.Time
		newest        bool
		want          []string
	}{
		{none, none, false, []string{"u0", "u1", "u2", "u3", "u4", "u5"}},
		{at(1), at(4), false, []string{"u1", "u2", "u3"}},
		{at(4), none, true, []string{"u5", "u4"}},
		{none, at(1), true, []string{"u0"}},
		{at(4), at(1), false, []string{}},
	} {
		if got := auditIDs(t, s, c.since, c.before, c.newest); !slices.Equal(got, c.want) {
			t.Errorf("%v to %v: %v, want %v", c.since, c.before, got, c.want)
		}
	}
	wantHealthy(t, s)
	must(t, s.TrimAudits(ctx, at(1), 100))
	if got := auditIDs(t, s, none, none, false); !slices.Equal(got, []string{"u1", "u2", "u3", "u4", "u5"}) {
		t.Errorf("trimmed by age: %v", got)
	}
	must(t, s.TrimAudits(ctx, at(0), 2))
	if got := auditIDs(t, s, none, none, false); !slices.Equal(got, []string{"u4", "u5"}) {
		t.Errorf("trimmed by number: %v", got)
	}
	must(t, s.TrimAudits(ctx, at(9), 2))
	if got := auditIDs(t, s, none, none, false); len(got) > 0 {
		t.Errorf("trimmed: %v", got)
	}
	if s.LastSeq() != 3 {
		t.Errorf("the log has %d changes, want 3", s.LastSeq())
	}
}

// TestAuditReplays shows that an entry goes wherever its change goes, and that one without an
// id, which could not stand in a key, is refused with its change.
func TestAuditReplays(t *testing.T) {
	s, other := open(t, vfs.NewMem()), open(t, vfs.NewMem())
	c := PutSetting(at(1), Setting{Name: "n", Value: []byte("1")})
	c.Audit = &Audit{ID: "u", At: at(1), Actor: "t", Action: "x"}
	must(t, s.Apply(ctx, c))
	must(t, s.Changes(0, func(c Change) error { return other.Replay(ctx, c) }))
	if got := auditIDs(t, other, time.Time{}, time.Time{}, false); !slices.Equal(got, []string{"u"}) {
		t.Errorf("replayed: %v", got)
	}
	bad := PutSetting(at(1), Setting{Name: "n", Value: []byte("2")})
	bad.Audit = &Audit{At: at(1)}
	if err := s.Apply(ctx, bad); err == nil || s.LastSeq() != 1 {
		t.Errorf("an entry without id: %v, seq %d", err, s.LastSeq())
	}
}
