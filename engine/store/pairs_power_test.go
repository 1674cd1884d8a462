package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestPairsPowerLoss: what was acknowledged is there after the power went, the blobs of large values too.
func TestPairsPowerLoss(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := openPairs(t, mem)
	defer s.Close()
	for n := range 40 {
		size := 100
		if n%8 == 0 {
			size = maxInline + 1
		}
		must(t, s.PutPairs(ctx, "a", []Pair{{Key: fmt.Sprint(n), Value: noise(uint64(n), size)}, {Key: "last", Value: fmt.Append(nil, n)}}))
		left := open(t, mem.CrashClone(vfs.CrashCloneCfg{}))
		for _, want := range []Pair{{Key: fmt.Sprint(n), Value: noise(uint64(n), size)}, {Key: "last", Value: fmt.Append(nil, n)}} {
			p, err := left.Pair("a", want.Key, time.Now())
			if err != nil || p == nil || string(p.Value) != string(want.Value) {
				t.Errorf("after put %d: key %s: %v, %v", n, want.Key, p != nil, err)
			}
		}
		wantHealthy(t, left)
		must(t, left.Close())
	}
}
