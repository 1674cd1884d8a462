package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// KVPair is one key of a KV namespace and what is kept under it.
type KVPair struct {
	Key        string // 1 to 512 bytes
	Value      []byte // at most 25 MiB; empty in a list
	Metadata   []byte // JSON of at most 1024 bytes; nil: none
	Expiration int64  // seconds since 1970; from then on the pair is not there. 0: never
}

// Ceilings of KV.
const (
	MaxKVKey      = store.MaxPairKey
	MaxKVValue    = store.MaxPairValue
	MaxKVMetadata = store.MaxPairMetadata
	MinKVTTL      = 60   // seconds
	MaxKVList     = 1000 // keys of one page
)

// maxKVWrites is how many writes may wait for the disk at once; more of them wait for their turn, which leaves the
// queue of the store's writer to the control API.
const maxKVWrites = 128

// maxKVReading bounds the values that are in memory for all calls of guests together, in bytes.
const maxKVReading = 256 << 20

// kv is what bindings and the control API do to pairs. Reads see every write that was acknowledged before.
type kv struct {
	store  *store.Store
	table  *kvTable
	turns  chan struct{}
	values budget
}

func newKV(st *store.Store, t *kvTable) *kv {
	k := &kv{store: st, table: t, turns: make(chan struct{}, maxKVWrites)}
	k.values.limit = maxKVReading
	return k
}

// KVGet returns what is kept under a key; nil: nothing.
func (e *Engine) KVGet(namespaceID, key string) (*KVPair, error) { return e.kv.get(namespaceID, key) }

// KVPut keeps pairs, durably. They may be many: some are kept already when it fails midway.
func (e *Engine) KVPut(ctx context.Context, namespaceID string, pairs ...KVPair) error {
	return e.kv.put(ctx, namespaceID, pairs)
}

// KVDelete removes keys, durably; those that are not there are no error.
func (e *Engine) KVDelete(ctx context.Context, namespaceID string, keys ...string) error {
	return e.kv.delete(ctx, namespaceID, keys)
}

// KVList returns up to limit pairs without their values, whose keys begin with prefix and come after the key after, in
// the order of their bytes. more says that others follow.
func (e *Engine) KVList(namespaceID, prefix, after string, limit int) (pairs []KVPair, more bool, err error) {
	return e.kv.list(namespaceID, prefix, after, limit)
}

func (k *kv) get(namespaceID, key string) (*KVPair, error) {
	if _, err := k.table.find(namespaceID); err != nil {
		return nil, err
	}
	p, err := k.store.Pair(namespaceID, key, time.Now())
	return (*KVPair)(p), storeError(err)
}

func (k *kv) put(ctx context.Context, namespaceID string, pairs []KVPair) error {
	rows := make([]store.Pair, len(pairs))
	for i := range pairs {
		if err := checkKVPair(&pairs[i]); err != nil {
			return err
		}
		rows[i] = store.Pair(pairs[i])
	}
	return k.write(ctx, namespaceID, func() error { return k.store.PutPairs(ctx, namespaceID, rows) })
}

func (k *kv) delete(ctx context.Context, namespaceID string, keys []string) error {
	return k.write(ctx, namespaceID, func() error { return k.store.DeletePairs(ctx, namespaceID, keys) })
}

// write waits for a turn and makes a change while the namespace is there.
func (k *kv) write(ctx context.Context, namespaceID string, change func() error) error {
	n, err := k.table.find(namespaceID)
	if err != nil {
		return err
	}
	select {
	case k.turns <- struct{}{}:
		defer func() { <-k.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	n.life.RLock()
	defer n.life.RUnlock()
	if n.life.gone {
		return fmt.Errorf("%w: %q", ErrKVNamespaceNotFound, namespaceID)
	}
	return storeError(change())
}

func (k *kv) list(namespaceID, prefix, after string, limit int) (pairs []KVPair, more bool, err error) {
	if _, err := k.table.find(namespaceID); err != nil {
		return nil, false, err
	}
	pairs = []KVPair{}
	err = k.store.Pairs(namespaceID, prefix, after, time.Now(), func(p store.Pair) bool {
		if more = len(pairs) == limit; more {
			return false
		}
		pairs = append(pairs, KVPair(p))
		return true
	})
	return pairs, more, storeError(err)
}

// budget is memory that is shared by calls that must not have too much of it together.
type budget struct {
	limit int64
	used  atomic.Int64
}

var errBudget = errors.New("too many bytes are being read at once")

func (b *budget) take(n int64) error {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return errBudget
	}
	return nil
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// readValue reads a whole body of at most MaxKVValue bytes; it is nil when there are more. release gives its memory back.
func (k *kv) readValue(ctx context.Context, body *isolate.Body) (value []byte, release func(), err error) {
	if body.Stream == nil {
		if len(body.Bytes) > MaxKVValue {
			return nil, func() {}, nil
		}
		return append([]byte{}, body.Bytes...), func() {}, nil // the guest's own copy has been counted
	}
	stop := context.AfterFunc(ctx, func() { body.Stream.Close() })
	defer stop()
	taken := int64(0)
	release = func() { k.values.give(taken) }
	value = []byte{}
	for {
		if err := k.values.take(readPiece); err != nil {
			return nil, release, err
		}
		taken += readPiece
		piece, err := io.ReadAll(io.LimitReader(body.Stream, readPiece))
		if err != nil {
			return nil, release, err
		}
		if value = append(value, piece...); len(value) > MaxKVValue {
			return nil, release, nil
		}
		if len(piece) < readPiece {
			return value, release, ctx.Err()
		}
	}
}
