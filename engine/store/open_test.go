package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// onDisk opens in a directory of the real disk, with its own key file.
func onDisk(dir string) func(*Options) {
	return func(o *Options) { o.Dir, o.FS, o.Key = dir, nil, nil }
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	s := open(t, nil, onDisk(dir))
	if _, err := tryOpen(t, nil, onDisk(dir)); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open: %v", err)
	}
	must(t, s.Close())
	open(t, nil, onDisk(dir))
}

// TestOpenRefuses opens what must not be opened: the error names what is wrong.
func TestOpenRefuses(t *testing.T) {
	key := func(name string) string { return filepath.Join(name, "key") }
	for _, test := range []struct {
		name string
		harm func(t *testing.T, dir string)
		is   error
		want string
	}{
		{"newer schema", func(t *testing.T, dir string) {
			editDB(t, dir, func(db *pebble.DB) error {
				v, err := encode(metaKey(metaSchema), schema{schemaVersion + 1})
				return errors.Join(err, db.Set(metaKey(metaSchema), v, pebble.Sync))
			})
		}, ErrNewer, "schema 3, this version knows up to 2"},
		{"no schema", func(t *testing.T, dir string) {
			editDB(t, dir, func(db *pebble.DB) error { return db.Delete(metaKey(metaSchema), pebble.Sync) })
		}, ErrCorrupt, "meta schema is missing"},
		{"damaged schema", func(t *testing.T, dir string) {
			editDB(t, dir, func(db *pebble.DB) error { return db.Set(metaKey(metaSchema), []byte("xxxxxxxx"), pebble.Sync) })
		}, ErrNewer, "meta schema has record format"},
		{"key missing", func(t *testing.T, dir string) { must(t, os.Remove(key(dir))) }, nil, "key is missing"},
		{"other key", func(t *testing.T, dir string) {
			must(t, os.WriteFile(key(dir), []byte(strings.Repeat("ab", keySize)), 0o600))
		}, ErrSealed, "not the one this store was made with"},
		{"short key", func(t *testing.T, dir string) { must(t, os.WriteFile(key(dir), []byte("abcd"), 0o600)) }, nil, "does not hold 64 hex digits"},
		{"open key", func(t *testing.T, dir string) { must(t, os.Chmod(key(dir), 0o644)) }, nil, "mode 0644, others can read it"},
		{"log cut short", func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "seq"), []byte("999\n"), 0o600))
		}, ErrCorrupt, "had reached 999"},
		{"a file in its place", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.WriteFile(dir, nil, 0o600))
		}, nil, "not a directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s := open(t, nil, onDisk(dir))
			populate(t, s)
			must(t, s.Close())
			test.harm(t, dir)
			_, err := tryOpen(t, nil, onDisk(dir))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func editDB(t *testing.T, dir string, edit func(*pebble.DB) error) {
	t.Helper()
	db, err := pebble.Open(filepath.Join(dir, "db"), &pebble.Options{FormatMajorVersion: databaseFormat, Logger: newLogger(nil)})
	must(t, err)
	must(t, errors.Join(edit(db), db.Close()))
}

func TestKeyFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := open(t, nil, onDisk(dir))
	sealed, err := s.Seal("secret/x", []byte("text"))
	must(t, err)
	must(t, s.Close())
	info, err := os.Stat(filepath.Join(dir, "key"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
	s = open(t, nil, onDisk(dir))
	if plain, err := s.Unseal("secret/x", sealed); err != nil || string(plain) != "text" {
		t.Errorf("%q, %v", plain, err)
	}
}

func TestSeal(t *testing.T) {
	s := open(t, vfs.NewMem())
	sealed, err := s.Seal("secret/alice/TOKEN", []byte("hunter2"))
	must(t, err)
	if strings.Contains(string(sealed), "hunter2") {
		t.Error("not sealed")
	}
	if plain, err := s.Unseal("secret/alice/TOKEN", sealed); err != nil || string(plain) != "hunter2" {
		t.Errorf("%q, %v", plain, err)
	}
	again, err := s.Seal("secret/alice/TOKEN", []byte("hunter2"))
	must(t, err)
	if string(again) == string(sealed) {
		t.Error("equal texts seal to equal bytes")
	}
	if _, err := s.Unseal("secret/bob/TOKEN", sealed); !errors.Is(err, ErrSealed) {
		t.Errorf("for another purpose: %v", err)
	}
	for i := range sealed {
		if _, err := s.Unseal("secret/alice/TOKEN", flip(sealed, i)); err == nil {
			t.Errorf("opens with byte %d altered", i)
		}
		if _, err := s.Unseal("secret/alice/TOKEN", sealed[:i]); !errors.Is(err, ErrSealed) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	a, _ := s.DeriveKey("a")
	b, _ := s.DeriveKey("b")
	if len(a) != 32 || string(a) == string(b) || string(a) == string(testKey) {
		t.Error("derived keys are not keys of their own")
	}
}
