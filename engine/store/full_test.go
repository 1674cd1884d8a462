package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// wantReadable reads all that there is to read.
func wantReadable(t *testing.T, s *Store, blob Hash) {
	t.Helper()
	must(t, s.Load(func(Record) error { return nil }))
	must(t, s.Changes(0, func(Change) error { return nil }))
	if _, err := s.Blob(blob); err != nil {
		t.Error(err)
	}
}

// TestReserve tells that changes are refused before the disk is full, and taken again after.
func TestReserve(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	populate(t, s)
	before := dump(t, s)
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: s.options.Reserve - 1})
	blob, err := s.PutBlob(ctx, []byte("export default 1"))
	if err != nil {
		t.Errorf("a blob that is there needs no space: %v", err)
	}
	if _, err := s.PutBlob(ctx, []byte("new")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("PutBlob: %v", err)
	}
	if err := s.Apply(ctx, DropRoute(at(1), "r1")); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrInDoubt) {
		t.Errorf("Apply: %v", err)
	}
	if dump(t, s) != before {
		t.Error("something changed")
	}
	wantReadable(t, s, blob)
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	must(t, s.Apply(ctx, DropRoute(at(1), "r1")))
}

// fullDisk is a file system without space for as long as full says so.
func fullDisk(full *atomic.Bool) vfs.FS {
	return errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpRename, errorfs.OpMkdirAll, errorfs.OpFilePreallocate:
			if full.Load() {
				return syscall.ENOSPC
			}
		}
		return nil
	}))
}

// TestFullMidCommit lets the disk run full under a commit, where no reserve saw it coming.
func TestFullMidCommit(t *testing.T) {
	var (
		full atomic.Bool
		late = make(chan []Change, 1)
	)
	s := open(t, fullDisk(&full), func(o *Options) {
		o.Patience = 50 * time.Millisecond
		o.Late = func(changes []Change) { late <- changes }
	})
	populate(t, s)
	blob := HashOf([]byte("export default 1"))
	seq := s.LastSeq()
	full.Store(true)
	err := s.Apply(ctx, PutRoute(at(1), Route{ID: "late", Pattern: "a/*"}))
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrInDoubt) {
		t.Errorf("the commit that met it: %v", err)
	}
	for range 3 {
		err := s.Apply(ctx, PutRoute(at(1), Route{ID: "refused", Pattern: "b/*"}))
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrInDoubt) {
			t.Errorf("those behind it: %v", err)
		}
	}
	if !s.Metrics().Full {
		t.Error("metrics do not say that the disk is full")
	}
	wantReadable(t, s, blob)
	full.Store(false)
	if changes := <-late; len(changes) != 1 || changes[0].Route.ID != "late" || changes[0].Seq != seq+1 {
		t.Errorf("late: %+v", changes)
	}
	c := []Change{PutRoute(at(2), Route{ID: "after", Pattern: "c/*"})}
	must(t, s.Apply(ctx, c...))
	if c[0].Seq != seq+2 {
		t.Errorf("the next change has seq %d, want %d", c[0].Seq, seq+2)
	}
	wantHealthy(t, s)
	if s.Metrics().Full {
		t.Error("metrics still say that the disk is full")
	}
}

// TestCloseWhileFull must end.
func TestCloseWhileFull(t *testing.T) {
	var full atomic.Bool
	s := open(t, fullDisk(&full), func(o *Options) { o.Patience = 20 * time.Millisecond })
	populate(t, s)
	full.Store(true)
	if err := s.Apply(ctx, DropRoute(at(1), "r1")); !errors.Is(err, ErrInDoubt) {
		t.Errorf("Apply: %v", err)
	}
	s.Close()
}

// TestCrashOneFailure fails one operation of the disk, each in turn, for want of space, while a
// store is filled. Wherever that hits, nothing acknowledged is lost, reads go on and no
// restart is needed; only after a failed sync is one, and then it helps.
//
// It takes every 32nd operation, from a random one on; every one with SWITCHYARD_CRASH_POINTS.
func TestCrashOneFailure(t *testing.T) {
	first, step := rand.Int32N(32), int32(32)
	if os.Getenv(crashPoints) != "" {
		first, step = 0, 1
	}
	t.Logf("first %d", first)
	syncs, tried := 0, 0
	for i := first; ; i += step {
		hit, stopped := oneFailure(t, i)
		if t.Failed() {
			t.Fatalf("at operation %d", i)
		}
		if !hit {
			break
		}
		tried++
		if stopped {
			syncs++
		}
	}
	t.Logf("%d operations failed in turn, %d of them syncs", tried, syncs)
}

func oneFailure(t *testing.T, index int32) (hit, stopped bool) {
	var (
		mem   = vfs.NewMem()
		count atomic.Int32
		kind  atomic.Int32
	)
	s, err := tryOpen(t, mem)
	must(t, err)
	deploy(t, s, "", "worker", 1, "first")
	must(t, s.Close())
	count.Store(-1 << 30)
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && count.Add(1) == index+1 {
			kind.Store(int32(op.Kind))
			return syscall.ENOSPC
		}
		return nil
	}))
	s = open(t, fs)
	count.Store(0)
	acked := 1
	for n := 2; n <= 5 && s.logger.fatal() == nil; n = acked + 1 {
		v := Version{ID: fmt.Sprint("v", n), ScriptID: "worker", Number: n, Created: at(n)}
		h, err := s.PutBlob(ctx, noise(uint64(n), 3<<20))
		if err == nil {
			v.Modules = []Module{{Name: "a.js", Hash: h}}
			err = s.Apply(ctx, deployChanges(v)...)
		}
		if err == nil {
			acked = n
		} else if !errors.Is(err, ErrUnavailable) {
			t.Error(err)
		}
	}
	wantReadable(t, s, HashOf([]byte("first")))
	hit, stopped = count.Load() > index, s.logger.fatal() != nil
	if failed := errorfs.OpKind(kind.Load()); stopped && failed != errorfs.OpFileSync && failed != errorfs.OpFileSyncData && failed != errorfs.OpFileSyncTo {
		t.Errorf("operation of kind %d stopped the store: %v", failed, s.logger.fatal())
	}
	s.Close()
	s = open(t, mem)
	next, err := nextNumber(s)
	if err == nil && next <= acked {
		err = fmt.Errorf("%d deploys, %d were acknowledged", next-1, acked)
	}
	if err != nil {
		t.Error(err)
	}
	wantHealthy(t, s)
	s.Close()
	return hit, stopped
}
