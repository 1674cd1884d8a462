package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// TestCrashPowerLoss cuts the power at every sync of a store's life, losing none, half or all of
// what was not synced, and opens what is left: every acknowledged Apply must be there, every
// Apply whole.
func TestCrashPowerLoss(t *testing.T) {
	for _, percent := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("unsynced=%d", percent), func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			powerLoss(t, percent, seed)
		})
	}
}

// moment is what was left of the disk, and what had been promised by then.
type moment struct {
	fs    *vfs.MemFS
	acked int
}

func powerLoss(t *testing.T, percent int, seed uint64) {
	var (
		mem      = vfs.NewCrashableMem()
		mu       sync.Mutex // before renaming
		renaming sync.Mutex
		acked    int
		moments  []moment
		r        = rand.New(rand.NewPCG(seed, 1))
	)
	cut := errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
			mu.Lock()
			defer mu.Unlock()
			renaming.Lock()
			defer renaming.Unlock()
			moments = append(moments, moment{mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: r}), acked})
		}
		return nil
	})
	s := open(t, errorfs.Wrap(reuseApart{mem, &renaming}, cut))
	const deploys = 60
	for n := 1; n <= deploys; n++ {
		// Every tenth is large enough to turn over a memtable and its log.
		size := 3000
		if n%10 == 0 {
			size = 1 << 20
		}
		deploy(t, s, "", "worker", n, string(noise(uint64(n), size)), fmt.Sprintf("text of %d", n))
		mu.Lock()
		acked = n
		mu.Unlock()
	}
	must(t, s.Close())
	if len(moments) < deploys {
		t.Fatalf("%d syncs for %d deploys", len(moments), deploys)
	}
	for i, m := range moments {
		if !afterPowerLoss(t, m) {
			t.Fatalf("at sync %d of %d, %d deploys acknowledged", i, len(moments), m.acked)
		}
	}
	t.Logf("%d moments", len(moments))
}

// reuseApart keeps ReuseForWrite and CrashClone apart: in a MemFS the first takes a read lock
// twice, and a clone that comes between waits for ever.
type reuseApart struct {
	vfs.FS
	mu *sync.Mutex
}

func (fs reuseApart) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.FS.ReuseForWrite(oldname, newname, c)
}

// afterPowerLoss opens what is left and looks at it.
func afterPowerLoss(t *testing.T, m moment) bool {
	s, err := tryOpen(t, m.fs)
	if err != nil {
		t.Error(err)
		return false
	}
	defer s.Close()
	wantHealthy(t, s) // every version's blobs, every deployment's version, no gap in the log
	versions, deployments, next := 0, 0, 1
	must(t, s.Load(func(r Record) error {
		switch {
		case r.Version != nil:
			versions++
		case r.Deployment != nil:
			deployments++
		case r.Script != nil:
			next = r.Script.NextVersion
		}
		return nil
	}))
	if versions < m.acked || versions > m.acked+1 {
		t.Errorf("%d versions after %d acknowledged", versions, m.acked)
	}
	if deployments != versions || next != versions+1 || s.LastSeq() != uint64(3*versions) {
		t.Errorf("mixed: %d versions, %d deployments, next %d, seq %d", versions, deployments, next, s.LastSeq())
	}
	return !t.Failed()
}

// noise does not compress.
func noise(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	b := make([]byte, size)
	for i := 0; i+8 <= size; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b
}

// TestBlobsAloneMayGo tells the other half of PutBlob's promise: a blob that no change names
// may be lost with the power, the store is whole without it.
func TestBlobsAloneMayGo(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := open(t, mem)
	h, err := s.PutBlob(ctx, []byte(strings.Repeat("a", 5000)))
	must(t, err)
	must(t, s.Apply(ctx, PutRoute(at(1), Route{ID: "r"}))) // syncs the blob too
	_, err = s.PutBlob(ctx, []byte(strings.Repeat("b", 5000)))
	must(t, err)
	left := open(t, mem.CrashClone(vfs.CrashCloneCfg{}))
	if _, err := left.Blob(h); err != nil {
		t.Errorf("a blob put before an Apply: %v", err)
	}
	wantHealthy(t, left)
}
