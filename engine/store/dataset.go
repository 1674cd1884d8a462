package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// DataChunk is some points of a dataset, which were written together. Points are the engine's own JSON. Datasets are no
// state: they are kept outside the log, and made by their first chunk.
type DataChunk struct {
	Dataset string            `json:"-"`
	At      time.Time         `json:"-"` // not before the last of its points; no two chunks of a dataset have the same
	Points  []json.RawMessage `json:"points"`
}

// dataPrefix begins the keys of a dataset, whose name holds no zero byte.
func dataPrefix(dataset string) []byte {
	return append(append([]byte{tableData}, dataset...), 0)
}

func dataKey(dataset string, at time.Time) []byte {
	return binary.BigEndian.AppendUint64(dataPrefix(dataset), uint64(at.UnixNano()))
}

func decodeData(key, value []byte) (DataChunk, error) {
	var c DataChunk
	if err := decode(key, value, &c); err != nil {
		return c, err
	}
	name, at, ok := bytes.Cut(key[1:], []byte{0})
	if !ok || len(name) == 0 || len(at) != 8 {
		return c, fmt.Errorf("%w: %s", ErrCorrupt, keyName(key))
	}
	c.Dataset, c.At = string(name), time.Unix(0, int64(binary.BigEndian.Uint64(at))).UTC()
	return c, nil
}

// PutData keeps chunks, durably and all or none.
func (s *Store) PutData(ctx context.Context, chunks []DataChunk) error {
	var writes []write
	for i := range chunks {
		c := &chunks[i]
		if err := requireIDs("data", field{"dataset", c.Dataset}); err != nil {
			return err
		}
		key := dataKey(c.Dataset, c.At)
		value, err := encode(key, c)
		if err != nil {
			return err
		}
		writes = append(writes, write{key: key, value: value})
	}
	if len(writes) == 0 {
		return nil
	}
	return s.commit(ctx, &commit{synced: writes})
}

// Data calls f with the chunks of a dataset from a time on, in order, until f returns false.
func (s *Store) Data(dataset string, from time.Time, f func(DataChunk) bool) error {
	bounds := &pebble.IterOptions{LowerBound: dataPrefix(dataset), UpperBound: rangeEnd(dataPrefix(dataset))}
	if from.UnixNano() > 0 {
		bounds.LowerBound = dataKey(dataset, from)
	}
	err := s.each(bounds, func(key, value []byte) error {
		c, err := decodeData(key, value)
		if err == nil && !f(c) {
			err = errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// DropData removes a dataset.
func (s *Store) DropData(ctx context.Context, dataset string) error {
	if err := requireIDs("data", field{"dataset", dataset}); err != nil {
		return err
	}
	prefix := dataPrefix(dataset)
	return s.commit(ctx, &commit{synced: []write{{key: prefix, end: rangeEnd(prefix)}}})
}

// DatasetSize is what a dataset takes.
type DatasetSize struct {
	Name  string
	Bytes int64 // before compression
}

// Datasets returns the datasets by name. It reads their keys only.
func (s *Store) Datasets() (all []DatasetSize, err error) {
	err = s.eachDataKey(tableBounds(tableData), func(key []byte, size int) bool {
		name, _, _ := bytes.Cut(key[1:], []byte{0})
		if len(all) == 0 || all[len(all)-1].Name != string(name) {
			all = append(all, DatasetSize{Name: string(name)})
		}
		all[len(all)-1].Bytes += int64(size)
		return true
	})
	return all, err
}

// TrimData removes the chunks before a time, and of what has more than most bytes the oldest.
func (s *Store) TrimData(ctx context.Context, before time.Time, most int64) error {
	all, err := s.Datasets()
	if err != nil {
		return err
	}
	var writes []write
	for _, d := range all {
		prefix, end := dataPrefix(d.Name), dataKey(d.Name, before)
		if d.Bytes > most {
			newer, err := s.dataEnd(d.Name, d.Bytes-most)
			if err != nil {
				return err
			}
			if bytes.Compare(newer, end) > 0 {
				end = newer
			}
		}
		writes = append(writes, write{key: prefix, end: end})
	}
	if len(writes) == 0 {
		return nil
	}
	return s.commit(ctx, &commit{synced: writes})
}

// dataEnd returns the key up to which a dataset's oldest chunks have at least so many bytes.
func (s *Store) dataEnd(dataset string, size int64) (end []byte, err error) {
	bounds := &pebble.IterOptions{LowerBound: dataPrefix(dataset), UpperBound: rangeEnd(dataPrefix(dataset))}
	err = s.eachDataKey(bounds, func(key []byte, n int) bool {
		size -= int64(n)
		end = append(append(end[:0], key...), 0)
		return size > 0
	})
	return end, err
}

// eachDataKey calls f with the keys of chunks and the sizes of their values, which stay on the disk, until it returns false.
func (s *Store) eachDataKey(bounds *pebble.IterOptions, f func(key []byte, size int) bool) error {
	return s.iterate(bounds, func(it *pebble.Iterator) error {
		for ok := it.First(); ok; ok = it.Next() {
			lazy := it.LazyValue()
			if !f(it.Key(), lazy.Len()) {
				break
			}
		}
		return nil
	})
}
