package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// expire makes every pin look d older.
func (s *Store) expire(d time.Duration) {
	s.blobs.mu.Lock()
	defer s.blobs.mu.Unlock()
	for h, at := range s.blobs.mu.pins {
		s.blobs.mu.pins[h] = at.Add(-d)
	}
}

func TestCollect(t *testing.T) {
	s := open(t, vfs.NewMem())
	populate(t, s)
	unused, err := s.PutBlob(ctx, []byte("nobody names this"))
	must(t, err)
	collect := func(want int) {
		t.Helper()
		if n, err := s.Collect(ctx); n != want || err != nil {
			t.Errorf("removed %d, %v, want %d", n, err, want)
		}
	}
	collect(0) // it was just put
	s.expire(2 * pinTime)
	collect(1)
	if _, err := s.Blob(unused); !errors.Is(err, ErrBlobNotFound) {
		t.Errorf("the unused blob: %v", err)
	}
	wantHealthy(t, s)
	must(t, s.Apply(ctx, DropScript(at(9), "ns1", "alice")))
	collect(2) // "export default 2" and the large one; "export default 1" has other users
	wantHealthy(t, s)
	must(t, s.Close())
}

// TestHammer deploys, drops and collects from many goroutines at once, with pins that run out
// at once: no version may ever miss a blob.
func TestHammer(t *testing.T) {
	s := open(t, vfs.NewMem())
	const clients, rounds = 8, 40
	var wait sync.WaitGroup
	for c := range clients {
		wait.Go(func() {
			script := fmt.Sprint("worker", c)
			for n := 1; n <= rounds; n++ {
				deploy(t, s, "", script, n, fmt.Sprint("shared ", n%5), fmt.Sprint("shared ", (n+c)%7))
				if n%8 == 0 {
					if err := s.Apply(ctx, DropScript(at(n), "", script)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	stop := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := s.Collect(ctx); err != nil {
					t.Error(err)
				}
				s.Metrics()
			}
		}
	})
	wait.Wait()
	close(stop)
	collector.Wait()
	wantHealthy(t, s)
	if want := uint64(clients * (3*rounds + rounds/8)); s.LastSeq() != want {
		t.Errorf("last seq is %d, want %d", s.LastSeq(), want)
	}
	m := s.Metrics()
	t.Logf("%d changes in %d batches", m.Changes, m.Commits)
}

func TestBlobSizes(t *testing.T) {
	s := open(t, vfs.NewMem())
	for _, size := range []int{0, 1, 100, 1 << 16, 5 << 20} {
		for name, source := range map[string][]byte{"noise": noise(uint64(size), size), "zeros": make([]byte, size)} {
			h, err := s.PutBlob(ctx, source)
			must(t, err)
			got, err := s.Blob(h)
			must(t, err)
			if string(got) != string(source) || HashOf(source) != h {
				t.Errorf("%d bytes of %s: another came back", size, name)
			}
		}
	}
	if _, err := s.PutBlob(ctx, make([]byte, MaxBlob+1)); !errors.Is(err, ErrBlobTooLarge) {
		t.Errorf("too large: %v", err)
	}
}
