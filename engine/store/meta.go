package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// schema is what the database says about itself. log-first is the number of the oldest change
// that the log keeps: 1 until a release drops old ones.
type schema struct {
	Version int `json:"version"`
}

type logStart struct {
	First uint64 `json:"first"`
}

// checkSchema refuses a database of a newer version, and one that does not say.
func (s *Store) checkSchema() error {
	var found schema
	if err := s.meta(metaSchema, &found); err != nil {
		return err
	}
	if found.Version > schemaVersion {
		return fmt.Errorf("%w: schema %d, this version knows up to %d", ErrNewer, found.Version, schemaVersion)
	}
	return nil
}

// raiseSchema notes that what is written from now on needs a program of this version.
func (s *Store) raiseSchema() error {
	var found schema
	if err := s.meta(metaSchema, &found); err != nil || found.Version == schemaVersion {
		return err
	}
	key := metaKey(metaSchema)
	value, err := encode(key, schema{schemaVersion})
	if err != nil {
		return err
	}
	return s.logger.guard(func() error { return s.db.Set(key, value, pebble.Sync) })
}

// checkKey refuses a master key that is not the one the store was made with.
func (s *Store) checkKey() error {
	var check []byte
	if err := s.meta(metaKeyCheck, &check); err != nil {
		return err
	}
	if err := s.settleKey(check); err != nil {
		return fmt.Errorf("the master key is not the one this store was made with: %w", err)
	}
	return nil
}

// writeSchema makes a new database ours, in one synced batch.
func (s *Store) writeSchema(db *pebble.DB) error {
	check, err := s.Seal(keyCheckPurpose, nil)
	if err != nil {
		return err
	}
	batch := db.NewBatch()
	for name, value := range map[string]any{
		metaSchema:   schema{schemaVersion},
		metaLogFirst: logStart{1},
		metaKeyCheck: check,
	} {
		v, err := encode(metaKey(name), value)
		if err != nil {
			return err
		}
		if err := batch.Set(metaKey(name), v, nil); err != nil {
			return err
		}
	}
	return s.logger.guard(func() error { return db.Apply(batch, pebble.Sync) })
}

// meta reads a value of the meta table. Each is there from the beginning.
func (s *Store) meta(name string, into any) error {
	value, closer, err := s.db.Get(metaKey(name))
	if errors.Is(err, pebble.ErrNotFound) {
		return fmt.Errorf("%w: %s is missing", ErrCorrupt, keyName(metaKey(name)))
	}
	if err != nil {
		return readError(metaKey(name), err)
	}
	defer closer.Close()
	return decode(metaKey(name), value, into)
}

// lastSeq returns the number of the newest change in the log; 0 when there never was one.
func (s *Store) lastSeq() (uint64, error) {
	var start logStart
	if err := s.meta(metaLogFirst, &start); err != nil {
		return 0, err
	}
	it, err := s.db.NewIter(tableBounds(tableChange))
	if err != nil {
		return 0, readError([]byte{tableChange}, err)
	}
	defer it.Close()
	if it.Last() {
		return binary.BigEndian.Uint64(it.Key()[1:]), nil
	}
	return start.First - 1, it.Error()
}

func tableBounds(table byte) *pebble.IterOptions {
	return &pebble.IterOptions{LowerBound: []byte{table}, UpperBound: []byte{table + 1}}
}
