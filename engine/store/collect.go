package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Collect removes the blobs that no version of the state and nothing staged refers to, and that
// nobody has put in the last hour, and what was staged more than StagedTime ago. The log is not asked: replaying it needs no blob of a dropped version.
func (s *Store) Collect(ctx context.Context) (removed int, err error) {
	if err := s.dropExpired(ctx, time.Now()); err != nil {
		return 0, err
	}
	unused, err := s.unusedBlobs(ctx)
	if err != nil {
		return 0, err
	}
	s.blobs.mu.Lock()
	s.blobs.unpinLocked(time.Now())
	s.blobs.mu.Unlock()
	for chunk := range slices.Chunk(unused, maxGroup) {
		c := &commit{remove: chunk}
		if err := s.commit(ctx, c); err != nil {
			return removed, err
		}
		removed += c.removed
	}
	return removed, nil
}

// UsedBlobs returns the blobs that a version of the state, something staged, or a pair refers to.
func (s *Store) UsedBlobs(ctx context.Context) (map[Hash]bool, error) {
	used := map[Hash]bool{}
	use := func(h Hash) error {
		used[h] = true
		return ctx.Err()
	}
	err := s.loadRange(tableBounds(tableScript), func(r Record) error {
		switch v := r.Version; {
		case v == nil:
			return ctx.Err()
		case v.Assets != nil && used[v.Assets.Manifest]: // versions share manifests
			return s.eachBlobOf(&Version{Modules: v.Modules}, use)
		default:
			return s.eachBlobOf(v, use)
		}
	})
	if err == nil {
		err = s.eachPairBlob(use)
	}
	if err != nil {
		return nil, err
	}
	return used, s.eachStaged(tableBounds(tableStaged), func(st *Staged) error {
		for _, h := range st.Chunks {
			used[h] = true
		}
		return ctx.Err()
	})
}

// unusedBlobs lists the blobs that were unused when it looked.
func (s *Store) unusedBlobs(ctx context.Context) ([]Hash, error) {
	used, err := s.UsedBlobs(ctx)
	if err != nil {
		return nil, err
	}
	var unused []Hash
	err = s.eachBlob(func(h Hash, _ func() ([]byte, error)) error {
		if !used[h] {
			unused = append(unused, h)
		}
		return ctx.Err()
	})
	return unused, err
}

// remove deletes those of the blobs that are not pinned. It holds the pins meanwhile: PutBlob
// either pins before, and the blob stays, or looks after, and writes it again.
func (w *writer) remove(c *commit) error {
	pins := &w.store.blobs.mu
	pins.Lock()
	defer pins.Unlock()
	batch := w.store.db.NewBatch()
	for _, h := range c.remove {
		if _, pinned := pins.pins[h]; pinned {
			continue
		}
		if err := batch.Delete(blobKey(h), nil); err != nil {
			return err
		}
		c.removed++
	}
	return w.write(batch, pebble.NoSync)
}

// eachBlob calls f with the hash of every blob; value reads its bytes, which most callers need not.
func (s *Store) eachBlob(f func(h Hash, value func() ([]byte, error)) error) error {
	db, release, err := s.reading()
	if err != nil {
		return err
	}
	defer release()
	it, err := db.NewIter(tableBounds(tableBlob))
	if err != nil {
		return readError([]byte{tableBlob}, err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		var h Hash
		if copy(h[:], it.Key()[1:]) != len(h) || len(it.Key()) != 1+len(h) {
			return fmt.Errorf("%w: %s", ErrCorrupt, keyName(it.Key()))
		}
		if err := f(h, it.ValueAndErr); err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return readError([]byte{tableBlob}, err)
	}
	return nil
}
