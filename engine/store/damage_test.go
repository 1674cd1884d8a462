package store

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestCheckNames puts wrong things into a store and reads what Check says of them.
func TestCheckNames(t *testing.T) {
	good := func(key []byte, record any) []byte {
		v, err := encode(key, record)
		must(t, err)
		return v
	}
	present, missing := HashOf([]byte("export default 1")), HashOf([]byte("missing"))
	version := &Version{ID: "alice-v9", ScriptID: "alice", NamespaceID: "ns1", Number: 9, Modules: []Module{{Name: "a.js", Hash: missing}}}
	for _, test := range []struct {
		name       string
		key, value []byte // no value: deleted
		want       string
	}{
		{"flipped byte", routeKey("r1"), flip(good(routeKey("r1"), &Route{ID: "r1"}), 9), "corrupt: route r1: checksum is"},
		{"short", tokenKey("t1"), []byte{1, 2}, "corrupt: token t1: 2 bytes is too short"},
		{"newer", routeKey("r1"), []byte{9, 0, 0, 0, 0}, "route r1 has record format 9, this version knows up to 1"},
		{"unknown field", settingKey("s"), good(settingKey("s"), map[string]any{"name": "s", "value": 1, "colour": 2}), `setting s: json: unknown field "colour"`},
		{"wrong place", routeKey("r9"), good(routeKey("r9"), &Route{ID: "r1"}), "route r9 holds route r1"},
		{"gap", changeKey(4), nil, "change 5 follows change 3"},
		{"log's number", changeKey(4), good(changeKey(4), &Change{Seq: 5}), "change 4 holds change 5"},
		{"unknown table", []byte("Zebra"), []byte("x"), `unknown key "Zebra"`},
		{"no script", scriptKey("ns1", "alice"), nil, "script ns1/alice is not there, but rows of it are"},
		{"no namespace", namespaceKey("ns2"), nil, "script ns2/carol is in a namespace that is not there"},
		{"no version", versionKey("ns1", "alice", 2), nil, "script ns1/alice: deployment alice-d2 names version alice-v2, which is not there"},
		{"no blob", version.key(), good(version.key(), version), `script ns1/alice version 9: module "a.js": blob not found: ` + missing.String()},
		{"blob removed", blobKey(present), nil, `module "m0.js": blob not found: ` + present.String()},
		{"blob changed", blobKey(present), append([]byte{blobFormat, codecRaw, 3}, "abc"...), "blob " + present.String() + ": its bytes have hash"},
		{"blob cut", blobKey(present), []byte{blobFormat, codecZstd, 20, 1, 2}, "blob " + present.String() + ": "},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, vfs.NewMem())
			populate(t, s)
			if test.value == nil {
				must(t, s.db.Delete(test.key, pebble.Sync))
			} else {
				must(t, s.db.Set(test.key, test.value, pebble.Sync))
			}
			found := problems(t, s)
			if !slices.ContainsFunc(found, func(p string) bool { return strings.Contains(p, test.want) }) {
				t.Errorf("found %q, want one with %q", found, test.want)
			}
		})
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 4
	return b
}

// TestFlippedBits flips one bit of a store on a real disk, anywhere in its tables, blobs and
// log, again and again: Open or Check must notice, or what is read must still be right.
func TestFlippedBits(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	whole := t.TempDir()
	onDisk := func(dir string) func(*Options) { // with the key of populate
		return func(o *Options) { o.Dir, o.FS = dir, nil }
	}
	s := open(t, nil, onDisk(whole))
	populate(t, s)
	deploy(t, s, "ns1", "bob", 2, string(noise(1, 30_000)), string(noise(2, 30_000)))
	must(t, s.db.Flush())
	deploy(t, s, "ns1", "bob", 3, string(noise(3, 30_000)))
	must(t, s.Close())
	s = open(t, nil, onDisk(whole))
	want := dump(t, s)
	must(t, s.Close())

	noticed, named, harmless := 0, 0, 0
	for range 30 {
		dir := filepath.Join(t.TempDir(), "copy")
		must(t, os.CopyFS(dir, os.DirFS(whole)))
		where := flipOnDisk(t, dir, r)
		s, err := tryOpen(t, nil, onDisk(dir))
		if err != nil {
			noticed++
			continue
		}
		if found := problems(t, s); len(found) > 0 {
			named++
			if !strings.Contains(found[0], "corrupt") {
				t.Errorf("%s: %s", where, found[0])
			}
		} else {
			harmless++
			if dump(t, s) != want {
				t.Errorf("%s: the state is another, and nothing noticed", where)
			}
		}
		must(t, s.Close())
	}
	t.Logf("%d noticed by Open, %d by Check, %d without effect", noticed, named, harmless)
}

func flipOnDisk(t *testing.T, dir string, r *rand.Rand) string {
	var files []string
	must(t, filepath.WalkDir(filepath.Join(dir, "db"), func(path string, e fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); ext == ".sst" || ext == ".blob" || ext == ".log" || strings.Contains(path, "MANIFEST") {
			files = append(files, path)
		}
		return err
	}))
	path := files[r.IntN(len(files))]
	b, err := os.ReadFile(path)
	must(t, err)
	if len(b) > 0 {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	}
	must(t, os.WriteFile(path, b, 0o600))
	return path
}

// TestBlobDamage tells that a damaged blob is named by Blob and hurts nobody else.
func TestBlobDamage(t *testing.T) {
	s := open(t, vfs.NewMem())
	populate(t, s)
	h := HashOf([]byte("export default 2"))
	must(t, s.db.Set(blobKey(h), append([]byte{blobFormat, codecRaw, 3}, "abc"...), pebble.Sync))
	if _, err := s.Blob(h); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), h.String()) {
		t.Errorf("Blob: %v", err)
	}
	if source, err := s.Blob(HashOf([]byte("export default 1"))); err != nil || string(source) != "export default 1" {
		t.Errorf("another blob: %q, %v", source, err)
	}
	if _, err := s.Blob(Hash{}); !errors.Is(err, ErrBlobNotFound) {
		t.Errorf("no such blob: %v", err)
	}
}

// TestDamagedBlobHead: every bit of a blob file's head, found once by TestFlippedBits under
// seed 1795528093526248460: Pebble panics on what it finds there.
func TestDamagedBlobHead(t *testing.T) {
	whole := t.TempDir()
	onDisk := func(dir string) func(*Options) {
		return func(o *Options) { o.Dir, o.FS = dir, nil }
	}
	s := open(t, nil, onDisk(whole))
	populate(t, s)
	source := string(noise(1, 30_000))
	deploy(t, s, "ns1", "bob", 2, source)
	must(t, s.db.Flush())
	must(t, s.Close())
	blobs, err := filepath.Glob(filepath.Join(whole, "db", "*.blob"))
	if err != nil || len(blobs) == 0 {
		t.Fatalf("no blob file: %v", err)
	}
	for _, at := range []int{-1, -2, -8, -9, -16, -20, 0} { // its magic and index are at its end
		dir := filepath.Join(t.TempDir(), "copy")
		must(t, os.CopyFS(dir, os.DirFS(whole)))
		for _, path := range blobs {
			path = filepath.Join(dir, "db", filepath.Base(path))
			b, err := os.ReadFile(path)
			must(t, err)
			b[(len(b)+at)%len(b)] ^= 0x10
			must(t, os.WriteFile(path, b, 0o600))
		}
		s, err := tryOpen(t, nil, onDisk(dir))
		if err != nil {
			continue
		}
		if found := problems(t, s); len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), "corrupt") {
			t.Errorf("byte %d: Check found %q", at, found)
		}
		if _, err := s.Blob(HashOf([]byte(source))); err == nil || !strings.Contains(err.Error(), "corrupt") {
			t.Errorf("byte %d: Blob: %v", at, err)
		}
		must(t, s.Close())
	}
}
