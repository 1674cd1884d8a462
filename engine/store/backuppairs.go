package store

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// pairLine is a pair in a backup. Large values are files of their own before it, as blobs.
type pairLine struct {
	Namespace  string `json:"namespace"`
	Key        []byte `json:"key"`
	Value      []byte `json:"value,omitempty"`
	Blob       string `json:"blob,omitempty"`
	Metadata   []byte `json:"metadata,omitempty"`
	Expiration int64  `json:"expiration,omitempty"`
}

const maxPairLines = 2 << 20 // bytes after which a file of a backup ends

// pairBackup writes the pairs. Their blobs come first, each once.
type pairBackup struct {
	store   *Store
	tar     *tar.Writer
	written map[Hash]bool
	buf     bytes.Buffer
	files   int
}

func (s *Store) backupPairs(t *tar.Writer) error {
	b := &pairBackup{store: s, tar: t, written: map[Hash]bool{}}
	err := s.each(tableBounds(tablePair), func(key, value []byte) error {
		row, err := decodePair(key, value)
		if err != nil {
			return err
		}
		return b.add(key, &row)
	})
	return errors.Join(err, b.flush())
}

// add writes a pair as it was when the backup began, or where its value was replaced and collected since, as it is now.
func (b *pairBackup) add(key []byte, row *pairRow) error {
	for row.in && !b.written[row.blob] {
		blob, err := b.store.Blob(row.blob)
		if err == nil {
			b.written[row.blob] = true
			err = addFile(b.tar, backupBlobs+row.blob.String(), blob)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, ErrBlobNotFound) {
			return err
		}
		now, err := b.store.pairRow(key)
		if err != nil || now == nil {
			return err
		}
		if now.in && now.blob == row.blob {
			return fmt.Errorf("%w: %s: %w", ErrCorrupt, keyName(key), ErrBlobNotFound)
		}
		row = now
	}
	return b.line(key, row)
}

func (b *pairBackup) line(key []byte, row *pairRow) error {
	namespace, name, _ := splitPairKey(key)
	l := pairLine{Namespace: namespace, Key: []byte(name), Value: row.pair.Value, Metadata: row.pair.Metadata, Expiration: row.pair.Expiration}
	if row.in {
		l.Blob = row.blob.String()
	}
	if err := json.NewEncoder(&b.buf).Encode(l); err != nil {
		return err
	}
	if b.buf.Len() < maxPairLines {
		return nil
	}
	return b.flush()
}

func (b *pairBackup) flush() error {
	if b.buf.Len() == 0 {
		return nil
	}
	b.files++
	err := addFile(b.tar, fmt.Sprintf("%s%08d", backupPairs, b.files), b.buf.Bytes())
	b.buf.Reset()
	return err
}

// maxRestored bounds the values that are in memory while pairs are restored.
const maxRestored = 64 << 20

// pairRestore puts the pairs of one file back, those of one namespace that follow each other together.
type pairRestore struct {
	*restore
	namespace string
	pairs     []Pair
	size      int
}

// pairs reads a file of pairs. Those of a namespace that was made after the log had been read are left out, and so is what
// has expired.
func (r *restore) pairs(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	p := pairRestore{restore: r}
	for {
		var l pairLine
		if err := dec.Decode(&l); err == io.EOF {
			return p.flush()
		} else if err != nil {
			return err
		}
		if err := p.add(&l); err != nil {
			return fmt.Errorf("pair %q of KV namespace %s: %w", l.Key, l.Namespace, err)
		}
	}
}

func (r *pairRestore) add(l *pairLine) error {
	p := Pair{Key: string(l.Key), Value: l.Value, Metadata: l.Metadata, Expiration: l.Expiration}
	if p.expired(time.Now().Unix()) {
		return nil
	}
	if l.Namespace != r.namespace || r.size > maxRestored {
		if err := r.flush(); err != nil {
			return err
		}
		r.namespace = l.Namespace
	}
	if l.Blob != "" {
		h, err := ParseHash(l.Blob)
		if err != nil {
			return err
		}
		if p.Value, err = r.store.Blob(h); err != nil {
			return err
		}
	}
	r.pairs, r.size = append(r.pairs, p), r.size+len(p.Value)
	return nil
}

func (r *pairRestore) flush() error {
	pairs := r.pairs
	r.pairs, r.size = nil, 0
	if len(pairs) == 0 {
		return nil
	}
	there, err := r.store.hasKVNamespace(r.namespace)
	if err != nil || !there {
		return err
	}
	return r.store.PutPairs(r.ctx, r.namespace, pairs)
}
