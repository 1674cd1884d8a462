package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var errCrash = errors.New("crash")

// sealedVersion is a version whose bindings are one sealed text.
func sealedVersion(t *testing.T, s *Store, number int, text string) Version {
	v := upload(t, s, "ns1", "alice", number, "export default 1")
	sealed, err := s.Seal(purposeOf(number), []byte(text))
	must(t, err)
	v.Bindings, err = json.Marshal(sealed)
	must(t, err)
	return v
}

func purposeOf(number int) string { return fmt.Sprint("secret/", number) }

func resealTest(v *Version, again func(string, []byte) ([]byte, error)) (bool, error) {
	var sealed []byte
	if json.Unmarshal(v.Bindings, &sealed) != nil {
		return false, nil
	}
	sealed, err := again(purposeOf(v.Number), sealed)
	if err != nil {
		return false, err
	}
	v.Bindings, err = json.Marshal(sealed)
	return true, err
}

// wantTexts opens every sealed text of the state and of the log.
func wantTexts(t *testing.T, s *Store, n int) {
	t.Helper()
	seen := 0
	check := func(v *Version) {
		var sealed []byte
		if v == nil || json.Unmarshal(v.Bindings, &sealed) != nil {
			return
		}
		seen++
		if plain, err := s.Unseal(purposeOf(v.Number), sealed); err != nil || string(plain) != fmt.Sprint("text ", v.Number) {
			t.Errorf("version %d: %q, %v", v.Number, plain, err)
		}
	}
	must(t, s.Load(func(r Record) error { check(r.Version); return nil }))
	must(t, s.Changes(0, func(c Change) error { check(c.Version); return nil }))
	if seen != 2*n {
		t.Errorf("%d texts, want %d", seen, 2*n)
	}
}

// TestRotateKeyCrash stops a rotation between any two of its steps: whatever opens the store
// next reads every text, a server may go on with it, and a second rotation ends what was begun.
func TestRotateKeyCrash(t *testing.T) {
	for _, crash := range []string{"", "key.next", "texts", "key-check", "renamed"} {
		t.Run("at "+crash, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s := open(t, nil, onDisk(dir))
			must(t, s.Apply(ctx, PutNamespace(at(0), Namespace{ID: "ns1", Name: "production"})))
			for n := 1; n <= 3; n++ {
				must(t, s.Apply(ctx, deployChanges(sealedVersion(t, s, n, fmt.Sprint("text ", n)))...))
			}
			must(t, s.Close())
			before, err := os.ReadFile(filepath.Join(dir, "key"))
			must(t, err)
			err = rotateKey(ctx, Options{Dir: dir}, resealTest, func(step string) error {
				if step == crash {
					return errCrash
				}
				return nil
			})
			if (crash == "") != (err == nil) || err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			s = open(t, nil, onDisk(dir))
			wantTexts(t, s, 3)
			must(t, s.Apply(ctx, deployChanges(sealedVersion(t, s, 4, "text 4"))...))
			interrupted := crash == "key.next" || crash == "texts"
			if err := s.Backup(new(bytes.Buffer)); interrupted != (err != nil) {
				t.Errorf("backup: %v", err)
			}
			must(t, s.Close())
			must(t, RotateKey(ctx, Options{Dir: dir}, resealTest))
			if _, err := os.Stat(filepath.Join(dir, nextKeyFile)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("key.next: %v", err)
			}
			after, err := os.ReadFile(filepath.Join(dir, "key"))
			must(t, err)
			if string(after) == string(before) {
				t.Error("the key is the same")
			}
			s = open(t, nil, onDisk(dir))
			wantTexts(t, s, 4)
			wantHealthy(t, s)
			must(t, s.Close())
			must(t, os.WriteFile(filepath.Join(dir, "key"), before, 0o600))
			if s, err := Open(Options{Dir: dir}); err == nil {
				s.Close()
				t.Error("the old key opens the store")
			}
		})
	}
}
