package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// snapshots returns the files of the snapshots that are kept.
func (p *platform) snapshots() []string {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.options.Dir, "derived", "snapshot", "*"))
	if err != nil {
		p.t.Fatal(err)
	}
	return files
}

// coldStart reopens the platform, asks user, and tells whether it was made from its snapshot.
func (p *platform) coldStart(want string) (thawed bool) {
	p.t.Helper()
	p.reopen()
	p.want("http://user.test/", want)
	made := p.rt.last()
	if (made.Frozen == nil) != (len(made.Modules) > 0) {
		p.t.Errorf("made from %d modules and a snapshot of %d bytes", len(made.Modules), len(made.Frozen))
	}
	var metrics strings.Builder
	p.WriteMetrics(&metrics)
	if from := map[bool]string{true: "snapshot", false: "modules"}[made.Frozen != nil]; !strings.Contains(metrics.String(), `switchyard_cold_starts_total{from="`+from+`"} 1`) {
		p.t.Errorf("the metrics do not tell of a cold start from %s", from)
	}
	return made.Frozen != nil
}

func TestColdStartThaws(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say the text of the Worker\nenv S", secret("S", "hidden"))
	const want = "the text of the Worker\nhidden"
	if !p.coldStart(want) {
		t.Error("it was evaluated")
	}
	files := p.snapshots()
	if len(files) != 1 {
		t.Fatalf("kept %q", files)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(whole, []byte("the text")) {
		t.Error("the snapshot lies there in clear")
	}
	for name, damage := range map[string]func() error{
		"gone":    func() error { return os.Remove(files[0]) },
		"flipped": func() error { return os.WriteFile(files[0], append([]byte{whole[0] ^ 1}, whole[1:]...), 0o600) },
		"cut":     func() error { return os.WriteFile(files[0], whole[:10], 0o600) },
		"stale":   func() error { p.rt.stale.Store(true); return nil },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if p.coldStart(want) {
			t.Errorf("%s: it was thawed", name)
		}
		p.rt.stale.Store(false)
		if !p.coldStart(want) {
			t.Errorf("%s: the snapshot was not made again", name)
		}
	}
}

// Another script's snapshot is not taken, whoever put it there.
func TestSnapshotOfAnother(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say mine")
	p.deploy("production/other", "say another's")
	for _, file := range p.snapshots() {
		id := filepath.Base(file)
		other := p.catalog.namespaceForTest("production").scripts.get("other").state.Load().newest.id
		if id == other {
			continue
		}
		sealed, ok := p.options.Derived.Get(snapshotFolder + other)
		if !ok {
			t.Fatal("there is none")
		}
		p.options.Derived.Put(snapshotFolder+id, sealed) // its MAC is right
	}
	if p.coldStart("mine") {
		t.Error("it was thawed")
	}
}

// Only what receives traffic is kept frozen.
func TestSnapshotsGo(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	first := p.deploy("production/user", "say 1").Version.ID
	p.deploy("production/user", "say 2")
	if files := p.snapshots(); len(files) != 1 {
		t.Errorf("after a deploy: %q", files)
	}
	if _, err := p.AddDeployment(t.Context(), user, []Share{{first, 100}}, nil); err != nil {
		t.Fatal(err)
	}
	if p.coldStart("1") {
		t.Error("a version that had no traffic was kept")
	}
	if !p.coldStart("1") {
		t.Error("it is not kept now")
	}
	if err := p.DeleteScript(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if files := p.snapshots(); len(files) != 0 {
		t.Errorf("after the deletion: %q", files)
	}
}

func TestCollectDerived(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/user", "say 1")
	put := func(name string) string {
		p.options.Derived.Put(name, []byte("x"))
		return filepath.Join(p.options.Dir, "derived", name)
	}
	record, err := p.stored(p.catalog.namespaceForTest("production").scripts.get("user").state.Load().newest)
	if err != nil {
		t.Fatal(err)
	}
	used := put("code/" + record.Modules[0].Hash.String() + "-guest-1-2")
	put("code/0000000000000000000000000000000000000000000000000000000000000000-guest-1-2")
	put("code/nonsense")
	put(snapshotFolder + "00000000-0000-4000-8000-000000000000")
	kept := append(p.snapshots()[1:], used) // all but the nought
	past := time.Now().Add(-24 * time.Hour)
	all, err := filepath.Glob(filepath.Join(p.options.Dir, "derived", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		if err := os.Chtimes(file, past, past); err != nil {
			t.Fatal(err)
		}
	}
	if removed, err := p.collectDerived(t.Context()); removed != 3 || err != nil {
		t.Errorf("removed %d, %v", removed, err)
	}
	for _, file := range kept {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
}

// Without a place for derived data everything is evaluated.
func TestNothingIsKept(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.Derived = nil })
	p.namespace("production")
	p.deploy("production/user", "say 1")
	if p.coldStart("1") || len(p.snapshots()) != 0 {
		t.Error("something was kept")
	}
	p.collect(t.Context())
}
