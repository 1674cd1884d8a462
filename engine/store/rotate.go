package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
)

// Resealer finds the sealed texts of a version and replaces each by what again makes of it. It
// says whether there were any.
type Resealer func(v *Version, again func(purpose string, sealed []byte) ([]byte, error)) (bool, error)

// RotateKey gives the store in o.Dir, which nobody has open, a new master key, and seals
// everything again under it:
//
//	DIR/key.next written ─► all texts sealed under it ─► key-check too ─► DIR/key.next becomes DIR/key
//	        │                        │                        │
//	        └──── interrupted here: both keys open texts      └── Open renames, all is done
//
// A rotation that was interrupted goes on when it is called again; a server runs meanwhile. In
// the end the files are rewritten, so that nothing under the old key is left in them. Backups
// from before keep opening: each holds its own key.
func RotateKey(ctx context.Context, o Options, reseal Resealer) error {
	return rotateKey(ctx, o, reseal, func(string) error { return nil })
}

// rotateKey calls step between the steps; its error is a crash.
func rotateKey(ctx context.Context, o Options, reseal Resealer, step func(string) error) error {
	if o.Key != nil {
		return errors.New("the master key was given by the caller: it is not this store's to change")
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "db")); err != nil {
		return fmt.Errorf("%s holds no store: %w", o.Dir, err)
	}
	s, err := Open(o)
	if err != nil {
		return err
	}
	r := rotation{store: s, reseal: reseal, step: step}
	return errors.Join(r.run(ctx), s.Close())
}

// rotation is a RotateKey under way.
type rotation struct {
	store  *Store
	reseal Resealer
	step   func(string) error
	next   *sealer
	batch  *pebble.Batch
}

func (r *rotation) run(ctx context.Context) error {
	if err := r.nextKey(); err != nil {
		return err
	}
	if err := r.step("key.next"); err != nil {
		return err
	}
	r.batch = r.store.db.NewBatch()
	for _, table := range []byte{tableScript, tableChange} {
		if err := r.table(ctx, table); err != nil {
			return err
		}
	}
	if err := r.commit("texts"); err != nil {
		return err
	}
	if err := r.keyCheck(); err != nil {
		return err
	}
	if err := r.store.adoptKey(); err != nil {
		return err
	}
	if err := r.step("renamed"); err != nil {
		return err
	}
	return r.store.logger.guard(func() error {
		return r.store.db.Compact(ctx, []byte{0}, []byte{0xff}, true)
	})
}

// nextKey makes the new key, or takes up the one of a rotation that was interrupted.
func (r *rotation) nextKey() error {
	s := r.store
	if s.sealer.next == nil {
		path := filepath.Join(s.options.Dir, nextKeyFile)
		key, err := s.makeKey(path)
		if err != nil {
			return err
		}
		if s.sealer.next, err = newSealer(key); err != nil {
			return err
		}
	}
	r.next = s.sealer.next
	return nil
}

// table seals the texts of one table again.
func (r *rotation) table(ctx context.Context, table byte) error {
	return r.store.each(tableBounds(table), func(key, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, version, err := r.decode(key, value)
		if err != nil || version == nil {
			return err
		}
		changed, err := r.reseal(version, r.again)
		if err != nil || !changed {
			return err
		}
		value, err = encode(key, record)
		if err != nil {
			return err
		}
		if err := r.batch.Set(key, value, nil); err != nil {
			return err
		}
		if r.batch.Len() < maxGroupBytes {
			return nil
		}
		return r.commit("batch")
	})
}

// decode returns the record under key, and the version that is in it, if one is.
func (r *rotation) decode(key, value []byte) (any, *Version, error) {
	if key[0] == tableChange {
		c, err := decodeChange(key, value)
		return &c, c.Version, err
	}
	record, err := decodeRow(key, value)
	return record.Version, record.Version, err
}

// again seals a text under the new key, whichever it is under.
func (r *rotation) again(purpose string, sealed []byte) ([]byte, error) {
	plain, err := r.store.Unseal(purpose, sealed)
	if err != nil {
		return nil, err
	}
	return r.next.seal(purpose, plain)
}

// commit makes the batch durable and begins another.
func (r *rotation) commit(step string) error {
	s := r.store
	if err := s.disk.room(2 * r.batch.Len()); err != nil {
		return err
	}
	if err := s.logger.guard(func() error { return s.db.Apply(r.batch, pebble.Sync) }); err != nil {
		return err
	}
	if err := r.batch.Close(); err != nil {
		return err
	}
	r.batch = s.db.NewBatch()
	return r.step(step)
}

// keyCheck is the point from which on the new key is the store's.
func (r *rotation) keyCheck() error {
	check, err := r.next.seal(keyCheckPurpose, nil)
	if err != nil {
		return err
	}
	value, err := encode(metaKey(metaKeyCheck), check)
	if err != nil {
		return err
	}
	if err := r.batch.Set(metaKey(metaKeyCheck), value, nil); err != nil {
		return err
	}
	return r.commit("key-check")
}

const nextKeyFile = "key.next"

// openNextKey finds the key of a rotation that was interrupted.
func (s *Store) openNextKey() error {
	if s.options.Key != nil {
		return nil
	}
	key, err := readKey(filepath.Join(s.options.Dir, nextKeyFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.sealer.next, err = newSealer(key)
	return err
}

// adoptKey makes the next key the key.
func (s *Store) adoptKey() error {
	from, to := filepath.Join(s.options.Dir, nextKeyFile), filepath.Join(s.options.Dir, "key")
	if err := os.Rename(from, to); err != nil {
		return err
	}
	s.sealer = s.sealer.next
	return syncDir(s.options.FS, s.options.Dir)
}

// settleKey finds out which key is the store's: with a next key beside it, the one that opens
// the key-check.
func (s *Store) settleKey(check []byte) error {
	_, err := s.sealer.unsealAlone(keyCheckPurpose, check)
	if err == nil || s.sealer.next == nil {
		return err
	}
	if _, err := s.sealer.next.unsealAlone(keyCheckPurpose, check); err != nil {
		return err
	}
	return s.adoptKey()
}

// whole refuses what needs all texts under one key.
func (s *Store) whole() error {
	if s.sealer.next != nil {
		return errors.New("the rotation of the master key was interrupted: run rotate-key again first")
	}
	return nil
}
