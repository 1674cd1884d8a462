package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const maxExpire = 1000 // pairs of one commit

// ExpirePairs removes what has expired by now from the disk. Nobody sees it before that either.
func (s *Store) ExpirePairs(ctx context.Context, now time.Time) (removed int, err error) {
	bounds := &pebble.IterOptions{LowerBound: []byte{tableDue}, UpperBound: dueKey(now.Unix()+1, []byte{tablePair})}
	for {
		var due [][]byte
		err := s.each(bounds, func(key, _ []byte) error {
			if due = append(due, append([]byte(nil), key...)); len(due) == maxExpire {
				return errEnough
			}
			return ctx.Err()
		})
		if err != nil && !errors.Is(err, errEnough) {
			return removed, err
		}
		if len(due) == 0 {
			return removed, nil
		}
		c := &commit{due: due}
		if err := s.commit(ctx, c); err != nil {
			return removed, err
		}
		removed += c.removed
	}
}

// expire deletes the pairs that are due, and the notes. It runs where nobody else writes: a pair that was put again
// meanwhile has another expiration, and stays.
func (w *writer) expire(c *commit) error {
	batch := w.store.db.NewBatch()
	for _, key := range c.due {
		expiration, pair, ok := splitDueKey(key)
		if !ok {
			return fmt.Errorf("%w: %s", ErrCorrupt, keyName(key))
		}
		row, err := w.store.pairRow(pair)
		if err != nil {
			return err
		}
		if err := batch.Delete(key, nil); err != nil {
			return err
		}
		if row == nil || row.pair.Expiration != expiration {
			continue
		}
		if err := batch.Delete(pair, nil); err != nil {
			return err
		}
		c.removed++
	}
	return w.write(batch, pebble.NoSync)
}
