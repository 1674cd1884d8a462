package store

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// usageRow is the n-th row of a span that a script has.
func usageRow(span time.Duration, n int, script string, requests uint64) Usage {
	return Usage{
		Span: span, Start: time.Unix(0, 0).Add(time.Duration(n) * span).UTC(), NamespaceID: "ns1", ScriptID: script, Namespace: "production",
		Script: "name-" + script, Tags: []string{"a:b"}, Plan: "pro", Counts: Counts{Requests: requests, Errors: map[string]uint64{"rate_limit": 1}},
	}
}

func readUsage(t *testing.T, s *Store, span time.Duration, from, to int) string {
	t.Helper()
	var b strings.Builder
	at := func(n int) time.Time { return time.Unix(0, 0).Add(time.Duration(n) * span) }
	must(t, s.Usage(span, at(from), at(to), func(u Usage) error {
		fmt.Fprintf(&b, "%d/%s=%d ", u.Start.Unix()/int64(span.Seconds()), u.ScriptID, u.Requests)
		return nil
	}))
	return b.String()
}

func TestUsage(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	seq := s.LastSeq()
	nobody := usageRow(Minute, 2, "", 7)
	must(t, s.PutUsage(ctx, []Usage{usageRow(Minute, 1, "a", 1), usageRow(Minute, 2, "a", 2), usageRow(Minute, 2, "ab", 3), nobody, usageRow(Hour, 1, "a", 4)}, nil))
	must(t, s.PutUsage(ctx, []Usage{usageRow(Minute, 2, "a", 20)}, nil)) // replaced, not added
	must(t, s.Close())
	s = open(t, fs)
	for _, test := range []struct {
		span     time.Duration
		from, to int
		want     string
	}{
		{Minute, 0, 10, "1/a=1 2/=7 2/a=20 2/ab=3 "},
		{Minute, 2, 3, "2/=7 2/a=20 2/ab=3 "},
		{Minute, 1, 2, "1/a=1 "},
		{Minute, 2, 2, ""},
		{Minute, 3, 1, ""},
		{Hour, 0, 10, "1/a=4 "},
		{Day, 0, 10, ""},
	} {
		if got := readUsage(t, s, test.span, test.from, test.to); got != test.want {
			t.Errorf("%s from %d to %d: %q, want %q", test.span, test.from, test.to, got, test.want)
		}
	}
	must(t, s.PutUsage(ctx, nil, map[time.Duration]time.Time{Minute: time.Unix(120, 0)}))
	if got := readUsage(t, s, Minute, 0, 10) + readUsage(t, s, Hour, 0, 10); got != "2/=7 2/a=20 2/ab=3 1/a=4 " {
		t.Errorf("after the first minutes expired: %q", got)
	}
	if s.LastSeq() != seq {
		t.Error("usage is in the log")
	}
	wantHealthy(t, s)
	for _, bad := range []Usage{{}, {Span: Minute, Start: time.Unix(1, 0)}, {Span: time.Second}, usageRow(Minute, 0, "a\x00b", 1)} {
		if err := s.PutUsage(ctx, []Usage{bad}, nil); err == nil {
			t.Errorf("%+v was kept", bad)
		}
	}
}

func TestUsageInBackup(t *testing.T) {
	s := open(t, vfs.NewMem())
	var rows []Usage
	for n := range maxUsageLines + 5 {
		rows = append(rows, usageRow(Minute, n, "alice", uint64(n)))
	}
	populate(t, s)
	must(t, s.PutUsage(ctx, rows, nil))
	var backup bytes.Buffer
	must(t, s.Backup(&backup))
	dir := filepath.Join(t.TempDir(), "restored")
	o := Options{Dir: dir}
	must(t, Restore(ctx, o, &backup))
	restored, err := Open(o)
	must(t, err)
	defer restored.Close()
	if got, want := dumpUsage(t, restored), dumpUsage(t, s); got != want {
		t.Errorf("the restored usage has %d bytes, want %d", len(got), len(want))
	}
}

// TestCheckUsage damages rows of usage: each is named.
func TestCheckUsage(t *testing.T) {
	u := usageRow(Minute, 1, "alice", 1)
	value, err := encode(u.key(), &u)
	must(t, err)
	for name, key := range map[string][]byte{
		"another key":   usageRowKey(Minute, 2, "alice"),
		"no script":     u.key()[:len(u.key())-3],
		"unknown span":  append([]byte{tableUsage, 'x'}, u.key()[2:]...),
		"far future":    append([]byte{tableUsage, 'm', 0xff}, u.key()[3:]...),
		"nothing in it": {tableUsage},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, vfs.NewMem())
			must(t, s.db.Set(key, value, pebble.Sync))
			if found := problems(t, s); len(found) != 1 || !strings.Contains(found[0], "usage") {
				t.Errorf("check says %q", found)
			}
		})
	}
}

func usageRowKey(span time.Duration, n int, script string) []byte {
	u := usageRow(span, n, script, 0)
	return u.key()
}
