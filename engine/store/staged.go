package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Staged is an asset that was uploaded for a script, which need not be there yet, until a version
// takes it up. It is no part of the state: no change makes it, no backup holds it, and what is
// lost with a machine is uploaded again.
type Staged struct {
	NamespaceID string    `json:"namespace,omitempty"`
	Script      string    `json:"script"` // its name: it may have no id yet
	Key         string    `json:"key"`    // the client's name for the content
	Type        string    `json:"type,omitempty"`
	Size        int64     `json:"size"`
	Chunks      []Hash    `json:"chunks,omitempty"`
	At          time.Time `json:"at"`
}

// StagedTime is how long Collect leaves what is staged.
const StagedTime = 2 * time.Hour

func (st *Staged) key() []byte { return stagedKey(st.NamespaceID, st.Script, st.Key) }

func (st *Staged) validate() error {
	return requireOwned("staged asset", st.NamespaceID, field{"script", st.Script}, field{"key", st.Key})
}

// PutStaged keeps st in the place of what had its key. Its chunks must have been put before. As
// PutBlob it is not synced.
func (s *Store) PutStaged(ctx context.Context, st Staged) error {
	if err := st.validate(); err != nil {
		return err
	}
	value, err := encode(st.key(), &st)
	if err != nil {
		return err
	}
	return s.commit(ctx, &commit{key: st.key(), value: value})
}

// Sync makes durable what was put without a sync: blobs, and what is staged.
func (s *Store) Sync(ctx context.Context) error { return s.commit(ctx, &commit{sync: true}) }

// Staged returns what is staged under a key; nil when nothing is.
func (s *Store) Staged(namespaceID, script, key string) (st *Staged, err error) {
	db, release, err := s.reading()
	if err != nil {
		return nil, err
	}
	defer release()
	k := stagedKey(namespaceID, script, key)
	value, closer, err := get(db, k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return decodeStaged(k, value)
}

// EachStaged calls f with all that is staged for a script.
func (s *Store) EachStaged(namespaceID, script string, f func(*Staged) error) error {
	prefix := stagedPrefix(namespaceID, script)
	return s.eachStaged(&pebble.IterOptions{LowerBound: prefix, UpperBound: rangeEnd(prefix)}, f)
}

// DropStaged forgets all that is staged for a script.
func (s *Store) DropStaged(ctx context.Context, namespaceID, script string) error {
	prefix := stagedPrefix(namespaceID, script)
	return s.commit(ctx, &commit{key: prefix, end: rangeEnd(prefix)})
}

func (s *Store) eachStaged(bounds *pebble.IterOptions, f func(*Staged) error) error {
	return s.each(bounds, func(key, value []byte) error {
		st, err := decodeStaged(key, value)
		if err != nil {
			return err
		}
		return f(st)
	})
}

func decodeStaged(key, value []byte) (*Staged, error) {
	st := new(Staged)
	if err := decode(key, value, st); err != nil {
		return nil, err
	}
	if string(st.key()) != string(key) {
		return nil, fmt.Errorf("%w: %s holds %s", ErrCorrupt, keyName(key), keyName(st.key()))
	}
	return st, nil
}

// dropExpired forgets what has been staged for too long.
func (s *Store) dropExpired(ctx context.Context, now time.Time) error {
	var expired [][]byte
	err := s.eachStaged(tableBounds(tableStaged), func(st *Staged) error {
		if now.Sub(st.At) > StagedTime {
			expired = append(expired, st.key())
		}
		return ctx.Err()
	})
	for _, key := range expired {
		if err == nil {
			err = s.commit(ctx, &commit{key: key})
		}
	}
	return err
}
