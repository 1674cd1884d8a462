package store

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Load calls f with every state record, in this order: namespaces, plans, then script by script its
// record, its deployments and its versions, oldest first, then routes, tokens and settings. It
// sees one moment of the store. It stops at the first error, f's own among them.
func (s *Store) Load(f func(Record) error) error {
	for _, table := range []byte(stateTables) {
		if err := s.loadRange(tableBounds(table), f); err != nil {
			return err
		}
	}
	return nil
}

// LoadScript is Load for one script's records.
func (s *Store) LoadScript(namespaceID, id string, f func(Record) error) error {
	prefix := scriptPrefix(namespaceID, id)
	return s.loadRange(&pebble.IterOptions{LowerBound: prefix, UpperBound: rangeEnd(prefix)}, f)
}

// LoadVersion returns one version of a script, by its number; nil when there is none.
func (s *Store) LoadVersion(namespaceID, scriptID string, number int) (v *Version, err error) {
	key := versionKey(namespaceID, scriptID, number)
	err = s.loadRange(&pebble.IterOptions{LowerBound: key, UpperBound: append(key, 0)}, func(r Record) error {
		v = r.Version
		return nil
	})
	return v, err
}

// Changes calls f with the changes of the log from the number from on, in order.
func (s *Store) Changes(from uint64, f func(Change) error) error {
	bounds := &pebble.IterOptions{LowerBound: changeKey(from), UpperBound: []byte{tableChange + 1}}
	return s.each(bounds, func(key, value []byte) error {
		c, err := decodeChange(key, value)
		if err != nil {
			return err
		}
		return f(c)
	})
}

// LastSeq returns the number of the newest durable change; 0 before the first.
func (s *Store) LastSeq() uint64 { return s.writer.seq.Load() }

func decodeChange(key, value []byte) (Change, error) {
	var c Change
	if err := decode(key, value, &c); err != nil {
		return c, err
	}
	if len(key) != 9 || c.Seq != binary.BigEndian.Uint64(key[1:]) {
		return c, fmt.Errorf("%w: %s holds change %d", ErrCorrupt, keyName(key), c.Seq)
	}
	return c, nil
}

// iterate lends f an iterator over bounds, and returns f's error, or else the iterator's.
func (s *Store) iterate(bounds *pebble.IterOptions, f func(it *pebble.Iterator) error) error {
	db, release, err := s.reading()
	if err != nil {
		return err
	}
	defer release()
	it, err := db.NewIter(bounds)
	if err != nil {
		return readError(bounds.LowerBound, err)
	}
	defer it.Close()
	if err := f(it); err != nil {
		return err
	}
	if err := it.Error(); err != nil {
		return readError(bounds.LowerBound, err)
	}
	return nil
}

// each calls f with the keys and values in bounds; both are valid during the call.
func (s *Store) each(bounds *pebble.IterOptions, f func(key, value []byte) error) error {
	return s.iterate(bounds, func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			v, err := value(it)
			if err != nil {
				return err
			}
			if err := f(it.Key(), v); err != nil {
				return err
			}
		}
		return nil
	})
}
