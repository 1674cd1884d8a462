package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/klauspost/compress/zstd"
)

// MaxBlob is the size of the largest blob, in bytes of source.
const MaxBlob = 64 << 20

// A blob's value; what guards its bytes is the hash in its key:
//
//	┌────────┬───────────┬──────────────────┬─────────────┐
//	│ format │ codec     │ length of source │ data        │
//	│   1    │ 0 raw     │ uvarint          │             │
//	│        │ 1 zstd    │                  │             │
//	└────────┴───────────┴──────────────────┴─────────────┘
const (
	blobFormat = 1
	codecRaw   = 0
	codecZstd  = 1
)

// pinTime is how long a blob that nothing refers to is safe from Collect: between PutBlob and
// the Apply of the version that names it. maxPins bounds what an hour of uploads may hold.
const (
	pinTime = time.Hour
	maxPins = 1 << 20
)

// blobs is what the store knows of module bytes beside the database.
type blobs struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder

	mu struct {
		sync.Mutex
		pins map[Hash]time.Time
	}
}

func newBlobs() (*blobs, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(MaxBlob), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	b := &blobs{encoder: enc, decoder: dec}
	b.mu.pins = map[Hash]time.Time{}
	return b, nil
}

func (b *blobs) close() {
	b.encoder.Close()
	b.decoder.Close()
}

// pin keeps Collect away from a blob that is about to be referred to.
func (b *blobs) pin(h Hash, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mu.pins) >= maxPins {
		b.unpinLocked(now)
	}
	if len(b.mu.pins) >= maxPins {
		return fmt.Errorf("%w: %d blobs were put within %s", ErrUnavailable, maxPins, pinTime)
	}
	b.mu.pins[h] = now
	return nil
}

// unpinLocked forgets the pins that have run out.
func (b *blobs) unpinLocked(now time.Time) {
	for h, at := range b.mu.pins {
		if now.Sub(at) > pinTime {
			delete(b.mu.pins, h)
		}
	}
}

// PutBlob keeps source under its SHA-256. It costs no fsync: the log of the database is
// written in order, so the synced Apply of the change that names the blob makes both durable.
// What no change names is removed by Collect, an hour later at the earliest.
func (s *Store) PutBlob(ctx context.Context, source []byte) (Hash, error) {
	if len(source) > MaxBlob {
		return Hash{}, fmt.Errorf("%w: %d bytes, the limit is %d", ErrBlobTooLarge, len(source), MaxBlob)
	}
	h := HashOf(source)
	if err := s.blobs.pin(h, time.Now()); err != nil {
		return Hash{}, err
	}
	if exists, err := s.hasBlob(h); err != nil || exists {
		return h, err
	}
	return h, s.commit(ctx, &commit{key: blobKey(h), value: s.blobs.encode(source)})
}

// Blob returns the source with the given hash, and has checked that it is. The error is
// ErrBlobNotFound or ErrCorrupt.
func (s *Store) Blob(h Hash) ([]byte, error) {
	db, release, err := s.reading()
	if err != nil {
		return nil, err
	}
	defer release()
	value, closer, err := get(db, blobKey(h))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, fmt.Errorf("%w: %s", ErrBlobNotFound, h)
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return s.blobs.decode(h, value)
}

// hasBlob looks at the keys only: the bytes stay where they are.
func (s *Store) hasBlob(h Hash) (found bool, err error) {
	key := blobKey(h)
	err = s.iterate(&pebble.IterOptions{LowerBound: key, UpperBound: append(key, 0)}, func(it *pebble.Iterator) error {
		found = it.First()
		return nil
	})
	return found, err
}

func (b *blobs) encode(source []byte) []byte {
	head := binary.AppendUvarint([]byte{blobFormat, codecZstd}, uint64(len(source)))
	value := b.encoder.EncodeAll(source, head)
	if len(value)-len(head) < len(source) {
		return value
	}
	head[1] = codecRaw
	return append(head, source...)
}

// decode returns the source, in memory of its own.
func (b *blobs) decode(h Hash, value []byte) ([]byte, error) {
	corrupt := func(format string, args ...any) error {
		return fmt.Errorf("%w: blob %s: %s", ErrCorrupt, h, fmt.Sprintf(format, args...))
	}
	if len(value) < 3 {
		return nil, corrupt("%d bytes is too short", len(value))
	}
	if value[0] > blobFormat {
		return nil, fmt.Errorf("%w: blob %s has format %d, this version knows up to %d", ErrNewer, h, value[0], blobFormat)
	}
	size, n := binary.Uvarint(value[2:])
	if n <= 0 || size > MaxBlob {
		return nil, corrupt("length %d", size)
	}
	source, err := b.unpack(value[1], value[2+n:], int(size))
	if err != nil {
		return nil, corrupt("%v", err)
	}
	if got := HashOf(source); got != h {
		return nil, corrupt("its bytes have hash %s", got)
	}
	return source, nil
}

func (b *blobs) unpack(codec byte, data []byte, size int) ([]byte, error) {
	switch codec {
	case codecRaw:
		return append(make([]byte, 0, len(data)), data...), nil
	case codecZstd:
		return b.decoder.DecodeAll(data, make([]byte, 0, size))
	}
	return nil, fmt.Errorf("codec %d", codec)
}
