package engine

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRotateKey: secrets of all versions open after a rotation, under another key.
func TestRotateKey(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "env S", secret("S", "hunter1"))
	old := p.deploy("production/user", "env S", secret("S", "hunter2"))
	p.deploy("production/user", "env S", secret("S", "hunter3"))
	key := func() string {
		text, err := os.ReadFile(filepath.Join(p.options.Dir, "key"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := key()
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := RotateKey(t.Context(), p.options.Dir, p.options.Logger); err != nil {
			t.Fatal(err)
		}
		p.open()
		p.want("http://user.test/", "hunter3")
	}
	if key() == before {
		t.Error("the key is the same")
	}
	if _, err := p.AddDeployment(t.Context(), user, []Share{{old.Version.ID, 100}}, nil); err != nil {
		t.Fatal(err)
	}
	p.want("http://user.test/", "hunter2")
	if err := RotateKey(t.Context(), p.options.Dir, p.options.Logger); err == nil {
		t.Error("rotated below a running engine")
	}
	if err := RotateKey(t.Context(), t.TempDir(), p.options.Logger); err == nil {
		t.Error("rotated nothing")
	}
}
