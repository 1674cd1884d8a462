package store

import (
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func openDerived(t *testing.T, dir string) *Derived {
	t.Helper()
	d, err := OpenDerived(dir, slog.New(slog.NewTextHandler(io.Discard, nil)))
	must(t, err)
	return d
}

func wantEntry(t *testing.T, d *Derived, name, want string) {
	t.Helper()
	if got, ok := d.Get(name); ok != (want != "") || string(got) != want {
		t.Errorf("%s: got %.40q, %v, want %.40q", name, got, ok, want)
	}
}

func TestDerived(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "derived")
	d := openDerived(t, dir)
	wantEntry(t, d, "code/a", "")
	d.Put("code/a", []byte("one"))
	d.Put("code/b", []byte("other"))
	wantEntry(t, d, "code/a", "one")
	d.Put("code/a", []byte("two"))
	wantEntry(t, openDerived(t, dir), "code/a", "two")
	for _, path := range []string{"key", "code/a"} {
		info, err := os.Stat(filepath.Join(dir, path))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	d.Remove("code/a")
	wantEntry(t, d, "code/a", "")
	wantEntry(t, d, "code/b", "other")
}

// Whatever happens to a file, its entry is what was put, or there is none.
func TestDerivedDamage(t *testing.T) {
	dir := t.TempDir()
	d := openDerived(t, dir)
	value := bytes.Repeat([]byte("native code "), 300)
	d.Put("code/a", value)
	d.Put("code/b", []byte("another's"))
	path := filepath.Join(dir, "code", "a")
	whole, err := os.ReadFile(path)
	must(t, err)
	damaged := func(what string, file []byte) {
		t.Helper()
		must(t, os.WriteFile(path, file, 0o600))
		if got, ok := d.Get("code/a"); ok {
			t.Errorf("%s: got %.40q", what, got)
		}
	}
	for i := range whole {
		file := bytes.Clone(whole)
		file[i] ^= 1 << rand.IntN(8)
		damaged("flipped", file)
	}
	for _, n := range []int{0, 1, 31, 32, 33, len(whole) - 32, len(whole) - 1} {
		damaged("cut", whole[:n])
	}
	damaged("longer", append(bytes.Clone(whole), 0))
	other, err := os.ReadFile(filepath.Join(dir, "code", "b"))
	must(t, err)
	damaged("swapped", other)
	must(t, os.WriteFile(path, whole, 0o600))
	wantEntry(t, d, "code/a", string(value))

	must(t, os.MkdirAll(filepath.Join(dir, "snapshot"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "snapshot", "a"), whole, 0o600))
	wantEntry(t, d, "snapshot/a", "")
	for what, key := range map[string][]byte{"another": bytes.Repeat([]byte{1}, keySize), "a short": []byte("x"), "an empty": nil} {
		must(t, os.WriteFile(filepath.Join(dir, "key"), key, 0o600))
		fresh := openDerived(t, dir)
		if _, ok := fresh.Get("code/a"); ok {
			t.Errorf("the entry is there by %s key", what)
		}
	}
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700)) // neither readable nor replaceable
	d.Put("code/a", value)
	wantEntry(t, d, "code/a", "")
}

func TestDerivedNames(t *testing.T) {
	d := openDerived(t, t.TempDir())
	for _, name := range []string{"", "a", "a/", "/a", "../a", "a/..", "a/b/c", "a/B", "a/\x00"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken", name)
				}
			}()
			d.Get(name)
		}()
	}
}

func TestDerivedCollect(t *testing.T) {
	dir := t.TempDir()
	d := openDerived(t, dir)
	for _, name := range []string{"code/old", "code/old-used", "code/new", "snapshot/old"} {
		d.Put(name, []byte("x"))
	}
	must(t, os.WriteFile(filepath.Join(dir, "code", "new-123"), nil, 0o600)) // a crash left it
	past := time.Now().Add(-2 * derivedAge)
	for _, name := range []string{"key", "code/old", "code/old-used", "code/new-123", "snapshot/old"} {
		must(t, os.Chtimes(filepath.Join(dir, name), past, past))
	}
	removed, err := d.Collect(func(name string) bool { return name == "code/old-used" })
	if err != nil || removed != 3 {
		t.Errorf("removed %d, %v", removed, err)
	}
	for name, want := range map[string]string{"code/old": "", "code/old-used": "x", "code/new": "x", "snapshot/old": ""} {
		wantEntry(t, openDerived(t, dir), name, want)
	}
}

// Readers see one of the values that were put, whole.
func TestDerivedHammer(t *testing.T) {
	d := openDerived(t, t.TempDir())
	values := [][]byte{bytes.Repeat([]byte{1}, 100_000), bytes.Repeat([]byte{2}, 30)}
	d.Put("code/a", values[0])
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 200 {
				if i == 0 {
					d.Put("code/a", values[j%2])
				} else if got, ok := d.Get("code/a"); !ok || !bytes.Equal(got, values[0]) && !bytes.Equal(got, values[1]) {
					t.Errorf("got %d bytes, %v", len(got), ok)
				}
			}
		})
	}
	all.Wait()
}
