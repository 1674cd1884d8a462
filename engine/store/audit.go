package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Audit is one entry of the audit log: who changed what, or tried to. That of a change that
// was made travels with it (Change.Audit) and is written in the same batch: there is no change
// without its entry and no entry of a change that was not made.
type Audit struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Actor     string    `json:"actor"`                // id of the token
	ActorName string    `json:"actor_name,omitempty"` // its name then
	Address   string    `json:"address,omitempty"`    // where the request came from
	Action    string    `json:"action"`               // such as "PUT /scripts/{script}"
	Resource  string    `json:"resource,omitempty"`   // the path's own
	Namespace string    `json:"namespace,omitempty"`  // id, of what belongs to one
	Before    string    `json:"before,omitempty"`     // digest of what there was; "" of nothing
	After     string    `json:"after,omitempty"`      // digest of what there is then
	Status    int       `json:"status"`               // the answer's, such as 200
	Error     string    `json:"error,omitempty"`      // of what was refused
}

// write is the entry's row. It does not move: replaying the change writes it again.
func (a *Audit) write() (write, error) {
	if err := requireIDs("audit entry", field{"id", a.ID}); err != nil {
		return write{}, err
	}
	key := auditKey(a.At, a.ID)
	value, err := encode(key, a)
	return write{key: key, value: value}, err
}

// PutAudit writes an entry that goes with no change: an attempt that was refused. It is
// durable with the next change, not by itself.
func (s *Store) PutAudit(ctx context.Context, a Audit) error {
	w, err := a.write()
	if err != nil {
		return err
	}
	return s.commit(ctx, &commit{key: w.key, value: w.value})
}

// Audits calls f with the entries from since (included) to before (excluded), oldest first or
// newest first. A zero time is no bound. f ends it early by returning false.
func (s *Store) Audits(since, before time.Time, newestFirst bool, f func(Audit) bool) error {
	return s.iterate(auditBounds(since, before), func(it *pebble.Iterator) error {
		first, next := it.First, it.Next
		if newestFirst {
			first, next = it.Last, it.Prev
		}
		for ok := first(); ok; ok = next() {
			a, err := readAudit(it)
			if err != nil {
				return err
			}
			if !f(a) {
				return nil
			}
		}
		return nil
	})
}

func auditBounds(since, before time.Time) *pebble.IterOptions {
	bounds := tableBounds(tableAudit)
	if !since.IsZero() {
		bounds.LowerBound = auditKey(since, "")
	}
	if !before.IsZero() {
		bounds.UpperBound = auditKey(before, "")
	}
	if bytes.Compare(bounds.LowerBound, bounds.UpperBound) > 0 {
		bounds.LowerBound = bounds.UpperBound
	}
	return bounds
}

func readAudit(it *pebble.Iterator) (a Audit, err error) {
	v, err := value(it)
	if err == nil {
		err = decode(it.Key(), v, &a)
	}
	return a, err
}

func checkAudit(key, value []byte) error {
	var a Audit
	if err := decode(key, value, &a); err != nil {
		return err
	}
	if !bytes.Equal(key, auditKey(a.At, a.ID)) {
		return fmt.Errorf("%w: %s holds audit entry %s", ErrCorrupt, keyName(key), a.ID)
	}
	return nil
}

// TrimAudits removes the entries before a time, and of the rest the oldest beyond the newest
// keep.
func (s *Store) TrimAudits(ctx context.Context, before time.Time, keep int) error {
	until := before
	n := 0
	err := s.each(auditBounds(before, time.Time{}), func([]byte, []byte) error { n++; return nil })
	if err != nil {
		return err
	}
	if n > keep {
		if until, err = s.auditTime(before, n-keep); err != nil {
			return err
		}
	}
	return s.commit(ctx, &commit{key: []byte{tableAudit}, end: auditKey(until, "")})
}

// auditTime is the time of the entry after the first n from since on.
func (s *Store) auditTime(since time.Time, n int) (at time.Time, err error) {
	err = s.each(auditBounds(since, time.Time{}), func(key, _ []byte) error {
		if n == 0 {
			at = time.Unix(0, int64(binary.BigEndian.Uint64(key[1:])))
		}
		n--
		return nil
	})
	return at, err
}
