package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Pair is one key of a KV namespace and what is kept under it.
type Pair struct {
	Key        string // any bytes but none
	Value      []byte // empty in a list
	Metadata   []byte // JSON, kept byte for byte; nil: none
	Expiration int64  // seconds since 1970; from then on the pair is not there. 0: never
}

// Ceilings of a pair, in bytes.
const (
	MaxPairKey      = 512
	MaxPairMetadata = 1024
	MaxPairValue    = 25 << 20
)

// maxInline is the size of the largest value that stands in its row. Larger ones are blobs: equal ones are kept once,
// compressed, and a list does not read past them.
const maxInline = 64 << 10

// A pair's value in the database:
//
//	┌────────┬─────────────────────────────┬───────┬────────────┬─────────────────┬──────────┬───────────────────────┐
//	│ format │ CRC-32C of key and the rest │ flags │ expiration │ metadata length │ metadata │ value,                │
//	│   1    │ 4, little-endian            │   1   │ uvarint    │ uvarint         │          │ or its blob's hash 32 │
//	└────────┴─────────────────────────────┴───────┴────────────┴─────────────────┴──────────┴───────────────────────┘
//	                                          bit 0: the value is a blob
//	                                          bit 1: there is metadata
const (
	pairFormat   = 1
	pairHeader   = 5
	flagBlob     = 1
	flagMetadata = 2
)

// pairRow is a pair as the database has it.
type pairRow struct {
	pair Pair
	blob Hash // of the value, when inBlob
	in   bool // the value is a blob
}

func encodePair(key []byte, p *Pair, blob *Hash) []byte {
	row := make([]byte, pairHeader, pairHeader+1+2*binary.MaxVarintLen64+len(p.Metadata)+len(p.Value))
	row[0] = pairFormat
	flags, value := byte(0), p.Value
	if blob != nil {
		flags, value = flagBlob, blob[:]
	}
	if p.Metadata != nil {
		flags |= flagMetadata
	}
	row = append(row, flags)
	row = binary.AppendUvarint(row, uint64(p.Expiration))
	row = binary.AppendUvarint(row, uint64(len(p.Metadata)))
	row = append(append(row, p.Metadata...), value...)
	binary.LittleEndian.PutUint32(row[1:], pairChecksum(key, row))
	return row
}

func pairChecksum(key, row []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, row[pairHeader:])
}

// decodePair reads a row. What it returns shares row's bytes.
func decodePair(key, row []byte) (r pairRow, err error) {
	damaged := func(what string) (pairRow, error) {
		return r, fmt.Errorf("%w: %s: %s", ErrCorrupt, keyName(key), what)
	}
	_, name, ok := splitPairKey(key)
	switch {
	case !ok:
		return damaged("not the key of a pair")
	case len(row) <= pairHeader:
		return damaged("too short")
	case row[0] > pairFormat:
		return r, fmt.Errorf("%w: %s has pair format %d, this version knows up to %d", ErrNewer, keyName(key), row[0], pairFormat)
	case row[0] != pairFormat || binary.LittleEndian.Uint32(row[1:]) != pairChecksum(key, row):
		return damaged("its checksum is another")
	}
	flags, rest := row[pairHeader], row[pairHeader+1:]
	expiration, n := binary.Uvarint(rest)
	if n <= 0 || expiration > math.MaxInt64 {
		return damaged("expiration")
	}
	rest = rest[n:]
	length, n := binary.Uvarint(rest)
	if n <= 0 || length > uint64(len(rest)-n) {
		return damaged("metadata")
	}
	rest = rest[n:]
	r.pair = Pair{Key: name, Expiration: int64(expiration), Value: rest[length:]}
	if flags&flagMetadata != 0 {
		r.pair.Metadata = rest[:length:length]
	}
	if r.in = flags&flagBlob != 0; r.in {
		if len(r.pair.Value) != len(r.blob) {
			return damaged("hash")
		}
		copy(r.blob[:], r.pair.Value)
		r.pair.Value = nil
	}
	return r, nil
}

func (p *Pair) validate() error {
	switch {
	case p.Key == "" || len(p.Key) > MaxPairKey:
		return invalid("pair: its key has %d bytes, not 1 to %d", len(p.Key), MaxPairKey)
	case len(p.Metadata) > MaxPairMetadata:
		return invalid("pair %q: %d bytes of metadata, the limit is %d", p.Key, len(p.Metadata), MaxPairMetadata)
	case len(p.Value) > MaxPairValue:
		return invalid("pair %q: %d bytes, the limit is %d", p.Key, len(p.Value), MaxPairValue)
	case p.Expiration < 0:
		return invalid("pair %q: expiration %d", p.Key, p.Expiration)
	}
	return nil
}

// expired says that the pair is not there any more.
func (p *Pair) expired(now int64) bool { return p.Expiration != 0 && p.Expiration <= now }
