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

// checkSchema refuses a database of a newer version, and tells whether this one is new.
func (s *Store) checkSchema() (fresh bool, err error) {
	var found schema
	err = s.meta(metaSchema, &found)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return true, s.requireEmpty()
	case err != nil:
		return false, err
	case found.Version > schemaVersion:
		return false, fmt.Errorf("%w: schema %d, this version knows up to %d", ErrNewer, found.Version, schemaVersion)
	}
	return false, nil
}

// requireEmpty refuses a database that has records but says not of which schema.
func (s *Store) requireEmpty() error {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return readError(metaKey(metaSchema), err)
	}
	defer it.Close()
	if it.First() {
		return fmt.Errorf("%w: there is %s but no schema version", ErrCorrupt, keyName(it.Key()))
	}
	return it.Error()
}

// writeSchema makes a new database ours, in one synced batch.
func (s *Store) writeSchema() error {
	check, err := s.sealer.seal(keyCheckPurpose, nil)
	if err != nil {
		return err
	}
	batch := s.db.NewBatch()
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
	return s.logger.guard(func() error { return s.db.Apply(batch, pebble.Sync) })
}

// meta reads a value of the meta table; pebble.ErrNotFound when there is none.
func (s *Store) meta(name string, into any) error {
	value, closer, err := s.db.Get(metaKey(name))
	if errors.Is(err, pebble.ErrNotFound) {
		return err
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
		return 0, fmt.Errorf("%s: %w", keyName(metaKey(metaLogFirst)), err)
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
