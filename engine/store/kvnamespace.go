package store

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// KVNamespace is a container of pairs. It is state; its pairs are not: they change with every request and are kept
// outside the log (pairs.go).
type KVNamespace struct {
	ID      string    `json:"id"`
	Title   string    `json:"title"`
	Created time.Time `json:"created"`
}

func (n *KVNamespace) key() []byte { return kvNamespaceKey(n.ID) }

func (n *KVNamespace) validate() error {
	if n.Title == "" {
		return invalid("KV namespace %s: it has no title", n.ID)
	}
	return requireIDs("KV namespace", field{"id", n.ID})
}

// PutKVNamespace makes or replaces a KV namespace; its pairs stay.
func PutKVNamespace(at time.Time, n KVNamespace) Change {
	return Change{At: at, Kind: KindPutKV, Record: Record{KVNamespace: &n}}
}

// DropKVNamespace removes a KV namespace and its pairs.
func DropKVNamespace(at time.Time, id string) Change {
	return Change{At: at, Kind: KindDropKV, Drop: &Target{ID: id}}
}

func (s *Store) hasKVNamespace(id string) (bool, error) {
	db, release, err := s.reading()
	if err != nil {
		return false, err
	}
	defer release()
	_, closer, err := get(db, kvNamespaceKey(id))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, closer.Close()
}
