package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// maxChanges is how many changes one Apply may carry.
const maxChanges = 10_000

// Apply makes the changes durable and visible, all or none: when it returns nil they are
// synced. It gives each its Seq, set in changes then. An error means that nothing was kept,
// unless it is ErrInDoubt. ctx counts until the commit begins; after that the outcome does.
func (s *Store) Apply(ctx context.Context, changes ...Change) error {
	return s.apply(ctx, changes, false)
}

// Replay applies changes that carry their Seq, from the log of another store: each must be
// the next one. Those the log already has are skipped; they must be the same. Blobs may come
// later, by their hash.
func (s *Store) Replay(ctx context.Context, changes ...Change) error {
	return s.apply(ctx, changes, true)
}

func (s *Store) apply(ctx context.Context, changes []Change, replay bool) error {
	if len(changes) == 0 {
		return nil
	}
	if len(changes) > maxChanges {
		return invalid("%d changes at once, the limit is %d", len(changes), maxChanges)
	}
	c := &commit{changes: slices.Clone(changes), replay: replay}
	if err := s.commit(ctx, c); err != nil {
		return err
	}
	copy(changes, c.changes)
	return nil
}

// write is one thing that a change does to the database.
type write struct {
	key, value []byte // set; without a value: delete
	end        []byte // delete from key to here
}

func (w write) to(batch *pebble.Batch) error {
	switch {
	case w.end != nil:
		return batch.DeleteRange(w.key, w.end, nil)
	case w.value != nil:
		return batch.Set(w.key, w.value, nil)
	}
	return batch.Delete(w.key, nil)
}

// plan numbers the changes that follow seq and returns what they write, and the last number.
func (w *writer) plan(c *commit, seq uint64) ([]write, uint64, error) {
	var writes []write
	for i := range c.changes {
		change := &c.changes[i]
		if c.replay && change.Seq <= seq {
			if err := w.store.sameChange(change); err != nil {
				return nil, 0, err
			}
			continue
		}
		seq++
		if !c.replay {
			change.Seq = seq
		}
		if change.Seq != seq {
			return nil, 0, invalid("change %d does not follow %d", change.Seq, seq-1)
		}
		ws, err := w.store.planOne(change, c.replay)
		if err != nil {
			return nil, 0, fmt.Errorf("change %d of %d (%s): %w", i+1, len(c.changes), change.Kind, err)
		}
		writes = append(writes, ws...)
	}
	return writes, seq, nil
}

func (s *Store) planOne(c *Change, replay bool) ([]write, error) {
	writes, err := c.writes()
	if err != nil {
		return nil, err
	}
	if c.Version != nil && !replay {
		if err := s.requireBlobs(c.Version); err != nil {
			return nil, err
		}
	}
	if c.Audit != nil {
		entry, err := c.Audit.write()
		if err != nil {
			return nil, err
		}
		writes = append(writes, entry)
	}
	value, err := encode(changeKey(c.Seq), c)
	return append(writes, write{key: changeKey(c.Seq), value: value}), err
}

// writes returns what the change does to the state.
func (c *Change) writes() ([]write, error) {
	put, kind := c.Record.row()
	switch {
	case c.Drop != nil && c.Record == (Record{}):
		return c.drops()
	case c.Drop != nil || put == nil:
		return nil, invalid("needs exactly one record, or one target to drop")
	case kind != c.Kind:
		return nil, invalid("carries the record of %s", kind)
	}
	if err := put.validate(); err != nil {
		return nil, err
	}
	value, err := encode(put.key(), put)
	return []write{{key: put.key(), value: value}}, err
}

// drops expands a drop to the ranges of everything that goes with it.
func (c *Change) drops() ([]write, error) {
	id, owner := c.Drop.ID, c.Drop.NamespaceID
	if err := requireOwned("drop", owner, field{"id", id}); err != nil {
		return nil, err
	}
	switch c.Kind {
	case KindDropNamespace:
		scripts := namespacePrefix(id)
		return []write{{key: namespaceKey(id)}, {key: scripts, end: rangeEnd(scripts)}}, nil
	case KindDropScript:
		rows := scriptPrefix(owner, id)
		return []write{{key: rows, end: rangeEnd(rows)}}, nil
	case KindDropKV:
		pairs := pairPrefix(id)
		return []write{{key: kvNamespaceKey(id)}, {key: pairs, end: rangeEnd(pairs)}}, nil
	case KindDropRoute:
		return []write{{key: routeKey(id)}}, nil
	case KindDropPlan:
		return []write{{key: planKey(id)}}, nil
	case KindDropToken:
		return []write{{key: tokenKey(id)}}, nil
	}
	return nil, invalid("drops nothing")
}

// requireBlobs refuses a version whose source is not here. Pinning comes first: from then on
// Collect leaves the blobs alone, and once committed the version itself protects them.
// The chunks of assets were looked for when their manifest was put, outside the writer.
func (s *Store) requireBlobs(v *Version) error {
	for _, m := range v.Modules {
		if err := s.requireBlob(m.Hash); err != nil {
			return fmt.Errorf("%w: module %q of version %s: %w", ErrInvalid, m.Name, v.ID, err)
		}
	}
	if v.Assets == nil {
		return nil
	}
	if err := s.requireBlob(v.Assets.Manifest); err != nil {
		return fmt.Errorf("%w: assets of version %s: %w", ErrInvalid, v.ID, err)
	}
	return nil
}

func (s *Store) requireBlob(h Hash) error {
	if err := s.blobs.pin(h, time.Now()); err != nil {
		return err
	}
	exists, err := s.hasBlob(h)
	if err == nil && !exists {
		err = fmt.Errorf("%w: %s", ErrBlobNotFound, h)
	}
	return err
}

// sameChange refuses a replayed change that is not the one the log has under its number.
func (s *Store) sameChange(c *Change) error {
	key := changeKey(c.Seq)
	want, err := encode(key, c)
	if err != nil {
		return err
	}
	got, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil // older than what the log keeps
	}
	if err != nil {
		return readError(key, err)
	}
	defer closer.Close()
	if !bytes.Equal(got, want) {
		return invalid("change %d is not the one in the log", c.Seq)
	}
	return nil
}
