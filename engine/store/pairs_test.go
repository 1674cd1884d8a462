package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var kvIDs = []string{"a", "ab", "abc", "b"}

func openPairs(t testing.TB, fs vfs.FS, more ...func(*Options)) *Store {
	s := open(t, fs, more...)
	for _, id := range kvIDs {
		must(t, s.Apply(ctx, PutKVNamespace(at(1), KVNamespace{ID: id, Title: "title " + id, Created: at(1)})))
	}
	return s
}

// list is the namespace's pairs as text.
func list(t testing.TB, s *Store, id, prefix, after string, now time.Time) string {
	t.Helper()
	var b strings.Builder
	must(t, s.Pairs(id, prefix, after, now, func(p Pair) bool {
		fmt.Fprintf(&b, "%s ", p.Key)
		return true
	}))
	return b.String()
}

// TestPairsModel: a store holds what a map of maps does, whatever bytes the keys have.
func TestPairsModel(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewMem()
	s := openPairs(t, fs)
	model := map[string]map[string]Pair{"a": {}, "ab": {}, "abc": {}, "b": {}}
	parts := []string{"\x00", "\x01", "\xff", "a", "b", "/", "\xff\xff", "é"}
	draw := func() string {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		return b.String()
	}
	now := time.Unix(1000, 0)
	for i := range 600 {
		id, key := kvIDs[r.IntN(len(kvIDs))], draw()
		switch r.IntN(8) {
		case 0, 1, 2, 3, 4:
			p := Pair{Key: key, Value: fmt.Appendf(nil, "%d", i), Metadata: []byte(`{"a":1}`)[:7*r.IntN(2)], Expiration: int64(r.IntN(2) * (950 + r.IntN(150)))}
			if p.Value = p.Value[:len(p.Value)*r.IntN(4)/3]; r.IntN(40) == 0 {
				p.Value = noise(r.Uint64N(3), maxInline+1)
			}
			if len(p.Metadata) == 0 {
				p.Metadata = nil
			}
			must(t, s.PutPairs(ctx, id, []Pair{p}))
			model[id][key] = p
		case 5:
			must(t, s.DeletePairs(ctx, id, []string{key}))
			delete(model[id], key)
		case 6:
			now = now.Add(time.Second)
			_, err := s.ExpirePairs(ctx, now)
			must(t, err)
		case 7:
			if r.IntN(20) == 0 {
				must(t, s.Close())
				s = open(t, fs)
			}
		}
	}
	for id, pairs := range model {
		var keys []string
		for key, p := range pairs {
			if !p.expired(now.Unix()) {
				keys = append(keys, key)
			}
			got, err := s.Pair(id, key, now)
			must(t, err)
			if p.expired(now.Unix()) != (got == nil) {
				t.Errorf("seed %d: %s %q: %+v, want %+v at %d", seed, id, key, got, p, now.Unix())
			} else if got != nil && (!bytes.Equal(got.Value, p.Value) || !bytes.Equal(got.Metadata, p.Metadata) || got.Expiration != p.Expiration) {
				t.Errorf("seed %d: %s %q: %+v, want %+v", seed, id, key, got, p)
			}
		}
		sort.Strings(keys)
		for range 20 {
			prefix, after := draw()[:1], draw()
			if r.IntN(2) == 0 {
				prefix = ""
			}
			if r.IntN(2) == 0 {
				after = ""
			}
			want := ""
			for _, k := range keys {
				if strings.HasPrefix(k, prefix) && k > after {
					want += k + " "
				}
			}
			if got := list(t, s, id, prefix, after, now); got != want {
				t.Errorf("seed %d: %s prefix %q after %q: %q, want %q", seed, id, prefix, after, got, want)
			}
		}
	}
	wantHealthy(t, s)
	must(t, s.Apply(ctx, DropKVNamespace(at(2), "ab")))
	if got := list(t, s, "ab", "", "", now); got != "" {
		t.Errorf("a dropped namespace has %q", got)
	}
	if got, want := list(t, s, "abc", "", "", now)+list(t, s, "a", "", "", now), len(model["abc"])+len(model["a"]); want > 0 && got == "" {
		t.Error("others went with it")
	}
	_, err := s.ExpirePairs(ctx, now.Add(time.Hour))
	must(t, err)
	must(t, s.each(tableBounds(tableDue), func(key, _ []byte) error {
		t.Errorf("seed %d: %s is left", seed, keyName(key))
		return nil
	}))
	wantHealthy(t, s)
	must(t, s.Close())
}

// What was put again after it had expired, or without an expiration, stays.
func TestExpireLeavesWhatIsNew(t *testing.T) {
	s := openPairs(t, vfs.NewMem())
	defer s.Close()
	put := func(expiration int64) {
		must(t, s.PutPairs(ctx, "a", []Pair{{Key: "k", Value: []byte("v"), Expiration: expiration}}))
	}
	put(100)
	old := dueKey(100, pairKey("a", "k"))
	put(0)
	must(t, s.commit(ctx, &commit{synced: []write{{key: old, value: []byte{}}}})) // as of a writer at the same time
	if n, err := s.ExpirePairs(ctx, time.Unix(200, 0)); n != 0 || err != nil {
		t.Errorf("%d expired, %v", n, err)
	}
	if p, err := s.Pair("a", "k", time.Unix(200, 0)); p == nil || err != nil {
		t.Errorf("%v, %v", p, err)
	}
	put(100)
	if p, _ := s.Pair("a", "k", time.Unix(100, 0)); p != nil {
		t.Error("it is seen when it expires")
	}
	if n, _ := s.ExpirePairs(ctx, time.Unix(100, 0)); n != 1 {
		t.Errorf("%d expired", n)
	}
}

func TestPairsOfBackup(t *testing.T) {
	dir := t.TempDir()
	s := openPairs(t, nil, onDisk(filepath.Join(dir, "one")))
	big := noise(7, 1<<20)
	must(t, s.PutPairs(ctx, "a", []Pair{{Key: "\x00\xff", Value: []byte("v"), Metadata: []byte("1")}, {Key: "big", Value: big, Expiration: 1 << 40}, {Key: "old", Expiration: 1}}))
	must(t, s.PutPairs(ctx, "b", []Pair{{Key: "big", Value: big}}))
	var many []Pair
	for i := range 5000 {
		many = append(many, Pair{Key: fmt.Sprintf("k%05d", i), Value: noise(uint64(i), 800)})
	}
	must(t, s.PutPairs(ctx, "abc", many))
	var file bytes.Buffer
	must(t, s.Backup(&file))
	must(t, s.Close())
	must(t, Restore(ctx, Options{Dir: filepath.Join(dir, "two")}, &file))
	s = open(t, nil, onDisk(filepath.Join(dir, "two")))
	defer s.Close()
	now := time.Now()
	for _, p := range []struct{ id, key, value, metadata string }{{"a", "\x00\xff", "v", "1"}, {"a", "big", string(big), ""}, {"b", "big", string(big), ""}, {"abc", "k04999", string(noise(4999, 800)), ""}} {
		got, err := s.Pair(p.id, p.key, now)
		if err != nil || got == nil || string(got.Value) != p.value || string(got.Metadata) != p.metadata {
			t.Errorf("%s %q: %v, %v", p.id, p.key, got != nil, err)
		}
	}
	if got := list(t, s, "a", "", "", now); got != "\x00\xff big " {
		t.Errorf("restored %q", got)
	}
	wantHealthy(t, s)
}

// Collect leaves the blob of a pair alone, and removes it when the last one is gone.
func TestCollectPairs(t *testing.T) {
	s := openPairs(t, vfs.NewMem())
	defer s.Close()
	value := noise(1, maxInline+1)
	must(t, s.PutPairs(ctx, "a", []Pair{{Key: "k", Value: value}}))
	must(t, s.PutPairs(ctx, "b", []Pair{{Key: "k", Value: value}}))
	collect := func(want int) {
		t.Helper()
		clear(s.blobs.mu.pins)
		if n, err := s.Collect(ctx); n != want || err != nil {
			t.Errorf("%d removed, want %d, %v", n, want, err)
		}
	}
	collect(0)
	must(t, s.DeletePairs(ctx, "a", []string{"k"}))
	collect(0)
	must(t, s.Apply(ctx, DropKVNamespace(at(2), "b")))
	collect(1)
}

func TestCheckPairs(t *testing.T) {
	s := openPairs(t, vfs.NewMem())
	defer s.Close()
	must(t, s.PutPairs(ctx, "nobody", []Pair{{Key: "k"}}))
	must(t, s.PutPairs(ctx, "a", []Pair{{Key: "gone", Value: noise(1, maxInline+1)}}))
	blob := HashOf(noise(1, maxInline+1))
	moved := pairKey("a", "moved")
	must(t, s.commit(ctx, &commit{synced: []write{{key: blobKey(blob)}, {key: moved, value: encodePair(pairKey("a", "other"), &Pair{Key: "other"}, nil)}, {key: []byte("Exx"), value: []byte{}}}}))
	got := problems(t, s)
	for _, want := range []string{"pair a\\x00gone: blob not found", "pair a\\x00moved: its checksum", "KV namespace nobody is not there", "unknown key"} {
		if !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

// FuzzPairKey: no key of one namespace is in another's range, or reads back as another's.
func FuzzPairKey(f *testing.F) {
	for _, s := range []string{"", "\x00", "\xff", "a", "\x00b\x00"} {
		f.Add("a", "ab", s+"k", s)
		f.Add("abc", "b", s+"k", s)
	}
	f.Fuzz(func(t *testing.T, one, two, key, prefix string) {
		if requireIDs("", field{"id", one}) != nil || requireIDs("", field{"id", two}) != nil || key == "" {
			t.Skip()
		}
		k := pairKey(one, key)
		if id, name, ok := splitPairKey(k); id != one || name != key || !ok {
			t.Errorf("%q %q reads back as %q %q", one, key, id, name)
		}
		within := func(id, prefix string) bool {
			return bytes.Compare(pairKey(id, prefix), k) <= 0 && bytes.Compare(k, pairKeyEnd(id, prefix)) < 0
		}
		if !within(one, "") || one != two && (within(two, "") || within(two, prefix)) {
			t.Errorf("%q %q is in a wrong range beside %q", one, key, two)
		}
		if strings.HasPrefix(key, prefix) && !within(one, prefix) {
			t.Errorf("%q is not in the range of %q", key, prefix)
		}
		if at, pair, ok := splitDueKey(dueKey(5, k)); at != 5 || !bytes.Equal(pair, k) || !ok {
			t.Errorf("%q: due %d of %q", k, at, pair)
		}
	})
}
