package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// maxPairBatch bounds what one commit of pairs holds, so that a large bulk write lets others in between.
const maxPairBatch = 1 << 20

// PutPairs keeps pairs durably: when it returns nil they are synced. Large bulks are several commits, in order; each is
// all or none. The caller sees to it that the namespace stays until PutPairs returns.
func (s *Store) PutPairs(ctx context.Context, namespaceID string, pairs []Pair) error {
	if err := requireIDs("pairs", field{"KV namespace", namespaceID}); err != nil {
		return err
	}
	for i := range pairs {
		if err := pairs[i].validate(); err != nil {
			return err
		}
	}
	b := pairBatch{store: s, ctx: ctx}
	for i := range pairs {
		if err := b.put(namespaceID, &pairs[i]); err != nil {
			return err
		}
	}
	return b.flush()
}

// DeletePairs removes pairs, durably. Those that are not there are no error.
func (s *Store) DeletePairs(ctx context.Context, namespaceID string, keys []string) error {
	if err := requireIDs("pairs", field{"KV namespace", namespaceID}); err != nil {
		return err
	}
	b := pairBatch{store: s, ctx: ctx}
	for _, name := range keys {
		if name == "" || len(name) > MaxPairKey {
			continue // there is none
		}
		key := pairKey(namespaceID, name)
		if err := b.forget(key); err != nil {
			return err
		}
		if err := b.add(write{key: key}); err != nil {
			return err
		}
	}
	return b.flush()
}

// pairBatch gathers writes into commits.
type pairBatch struct {
	store  *Store
	ctx    context.Context
	writes []write
	size   int
}

func (b *pairBatch) put(namespaceID string, p *Pair) error {
	key := pairKey(namespaceID, p.Key)
	if err := b.forget(key); err != nil {
		return err
	}
	var blob *Hash
	if len(p.Value) > maxInline {
		h, err := b.store.PutBlob(b.ctx, p.Value)
		if err != nil {
			return err
		}
		blob = &h
	}
	if p.Expiration != 0 {
		b.writes = append(b.writes, write{key: dueKey(p.Expiration, key), value: []byte{}})
	}
	return b.add(write{key: key, value: encodePair(key, p, blob)})
}

// forget removes the note of when the pair that is there now expires. Of two writers of one key one may miss the
// other's: expire finds such a note without meaning, and removes it.
func (b *pairBatch) forget(key []byte) error {
	old, err := b.store.pairRow(key)
	if err != nil || old == nil || old.pair.Expiration == 0 {
		return err
	}
	return b.add(write{key: dueKey(old.pair.Expiration, key)})
}

func (b *pairBatch) add(w write) error {
	b.writes = append(b.writes, w)
	b.size += len(w.key) + len(w.value)
	if b.size < maxPairBatch {
		return nil
	}
	return b.flush()
}

func (b *pairBatch) flush() error {
	if len(b.writes) == 0 {
		return nil
	}
	err := b.store.commit(b.ctx, &commit{synced: b.writes})
	b.writes, b.size = nil, 0
	return err
}

// pairRow reads the row under key; nil: there is none. Its value and metadata are its own.
func (s *Store) pairRow(key []byte) (*pairRow, error) {
	db, release, err := s.reading()
	if err != nil {
		return nil, err
	}
	defer release()
	value, closer, err := get(db, key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	row, err := decodePair(key, append([]byte(nil), value...))
	return &row, err
}

// Pair returns what is kept under a key at the moment now, with its value; nil: nothing.
func (s *Store) Pair(namespaceID, name string, now time.Time) (*Pair, error) {
	if name == "" || len(name) > MaxPairKey {
		return nil, nil
	}
	key := pairKey(namespaceID, name)
	for {
		row, err := s.pairRow(key)
		if err != nil || row == nil || row.pair.expired(now.Unix()) {
			return nil, err
		}
		if !row.in {
			return &row.pair, nil
		}
		row.pair.Value, err = s.Blob(row.blob)
		if err == nil {
			return &row.pair, nil
		}
		if !errors.Is(err, ErrBlobNotFound) {
			return nil, err
		}
		again, err := s.pairRow(key)
		if err != nil {
			return nil, err
		}
		if again != nil && again.blob == row.blob { // not one that was replaced and collected meanwhile
			return nil, fmt.Errorf("%w: %s: %w: %s", ErrCorrupt, keyName(key), ErrBlobNotFound, row.blob)
		}
	}
}

// Pairs calls f with the pairs of a namespace whose keys begin with prefix and come after the key after, in the order
// of their bytes, without their values, until f returns false. What has expired is not there.
func (s *Store) Pairs(namespaceID, prefix, after string, now time.Time, f func(Pair) bool) error {
	bounds := &pebble.IterOptions{LowerBound: pairKey(namespaceID, prefix), UpperBound: pairKeyEnd(namespaceID, prefix)}
	if after >= prefix && after != "" {
		if prefix != "" && !strings.HasPrefix(after, prefix) {
			return nil // it comes after all of them
		}
		bounds.LowerBound = append(pairKey(namespaceID, after), 0)
	}
	err := s.each(bounds, func(key, value []byte) error {
		row, err := decodePair(key, value)
		if err != nil || row.pair.expired(now.Unix()) {
			return err
		}
		row.pair.Value = nil
		row.pair.Metadata = append([]byte(nil), row.pair.Metadata...)
		if !f(row.pair) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// eachPairBlob calls f with the blobs of all pairs.
func (s *Store) eachPairBlob(f func(Hash) error) error {
	return s.each(tableBounds(tablePair), func(key, value []byte) error {
		row, err := decodePair(key, value)
		if err != nil || !row.in {
			return err
		}
		return f(row.blob)
	})
}
