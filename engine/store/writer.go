package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Ceilings of the writer: commits that may wait, and what is put into one batch.
const (
	maxWaiting    = 256
	maxGroup      = 64
	maxGroupBytes = 4 << 20
)

// commit is a request to the writer: changes, or what is not in the log (a blob, an asset or an
// audit entry under its key, without a value to delete it, with an end a whole range), or blobs to remove.
//
//	waiting ──► committing ──► done          the writer's way
//	   │             └───────► late          the caller gave up, the writer tells Options.Late
//	   └─────► abandoned                     the caller gave up before it began: never happens
type commit struct {
	changes    []Change // the writer's own copy
	replay     bool     // they come numbered, from another log
	key, value []byte
	end        []byte
	sync       bool     // nothing but to make durable what was written before
	synced     []write  // what is synced, and no part of the log: usage, pairs
	due        [][]byte // notes of pairs that have expired, to remove with them
	remove     []Hash
	removed    int // out
	state      atomic.Int32
	done       chan error // of capacity 1: the outcome
}

const (
	waiting = iota
	committing
	done
	abandoned
	late
)

func (c *commit) move(from, to int32) bool { return c.state.CompareAndSwap(from, to) }

// writer is the one goroutine that writes. Store.Open starts it, Store.Close stops it and
// waits. Because it alone numbers changes, the order in the log is the order on the disk.
type writer struct {
	store   *Store
	seq     atomic.Uint64 // of the last durable change; only the writer stores it
	stopped chan struct{}
	ended   chan struct{}

	mu struct {
		sync.RWMutex // senders hold it for reading, stop for writing
		closed       bool
		queue        chan *commit
	}
}

func newWriter(s *Store, seq uint64) *writer {
	w := &writer{store: s, stopped: make(chan struct{}), ended: make(chan struct{})}
	w.seq.Store(seq)
	w.mu.queue = make(chan *commit, maxWaiting)
	return w
}

// stop refuses what comes later and waits for what is queued, but not for a disk without space.
func (w *writer) stop() {
	w.mu.Lock()
	if !w.mu.closed {
		w.mu.closed = true
		close(w.mu.queue)
	}
	w.mu.Unlock()
	select {
	case <-w.ended:
	case <-time.After(w.store.options.Patience):
		w.store.disk.stop()
		<-w.ended
	}
}

func (w *writer) enqueue(c *commit) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.mu.closed {
		return fmt.Errorf("%w: it is closed", ErrUnavailable)
	}
	select {
	case w.mu.queue <- c:
		return nil
	default:
		return fmt.Errorf("%w: %d changes are waiting", ErrUnavailable, maxWaiting)
	}
}

// commit hands c to the writer and waits for the outcome.
func (s *Store) commit(ctx context.Context, c *commit) error {
	err := s.handOver(ctx, c)
	if errors.Is(err, ErrUnavailable) {
		s.counts.refused.Add(1)
	}
	return err
}

func (s *Store) handOver(ctx context.Context, c *commit) error {
	c.done = make(chan error, 1)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.writer.enqueue(c); err != nil {
		return err
	}
	patience := time.NewTimer(s.options.Patience)
	defer patience.Stop()
	for cancelled := ctx.Done(); ; {
		select {
		case err := <-c.done:
			return err
		case <-cancelled:
			if c.move(waiting, abandoned) {
				return ctx.Err()
			}
			cancelled = nil // it has begun: its outcome is what counts
		case <-patience.C:
			return s.giveUp(c)
		}
	}
}

// giveUp ends the waiting for a commit that the disk holds up.
func (s *Store) giveUp(c *commit) error {
	switch {
	case c.move(waiting, abandoned):
		return fmt.Errorf("%w: the disk did not answer for %s", ErrUnavailable, s.options.Patience)
	case c.move(committing, late):
		return fmt.Errorf("%w: the disk did not answer for %s: %w", ErrUnavailable, s.options.Patience, ErrInDoubt)
	}
	return <-c.done
}

func (w *writer) run() {
	defer close(w.ended)
	for c := range w.mu.queue {
		w.commitGroup(w.gather(c))
	}
}

// gather takes what waits behind the first commit, up to the ceilings.
func (w *writer) gather(first *commit) []*commit {
	group, size := []*commit{first}, len(first.value)
	for len(group) < maxGroup && size < maxGroupBytes {
		select {
		case c, ok := <-w.mu.queue:
			if !ok {
				return group
			}
			group, size = append(group, c), size+len(c.value)
		default:
			return group
		}
	}
	return group
}

// commitGroup writes one batch for the whole group, then does its removals. Each commit has
// its own outcome.
func (w *writer) commitGroup(group []*commit) {
	group = slices.DeleteFunc(group, func(c *commit) bool { return !c.move(waiting, committing) })
	batch, seq, sync := w.store.db.NewBatch(), w.seq.Load(), pebble.NoSync
	var staged []*commit
	for _, c := range group {
		if c.remove != nil || c.due != nil {
			continue
		}
		if err := w.stage(batch, c, &seq); err != nil {
			w.finish(c, err)
			continue
		}
		staged = append(staged, c)
		if c.sync || len(c.changes) > 0 || len(c.synced) > 0 { // blobs alone need no sync, see PutBlob
			sync = pebble.Sync
		}
	}
	err := w.write(batch, sync)
	if err == nil {
		w.reached(seq)
	}
	for _, c := range staged {
		w.finish(c, err)
	}
	for _, c := range group {
		switch {
		case c.remove != nil:
			w.finish(c, w.remove(c))
		case c.due != nil:
			w.finish(c, w.expire(c))
		}
	}
}

// reached publishes the number of the last durable change.
func (w *writer) reached(seq uint64) {
	if before := w.seq.Swap(seq); before/witnessEvery != seq/witnessEvery {
		w.store.testify(seq)
	}
}

func (w *writer) write(batch *pebble.Batch, sync *pebble.WriteOptions) error {
	if batch.Empty() {
		return batch.Close()
	}
	if err := w.store.disk.room(2 * batch.Len()); err != nil {
		return err
	}
	if err := w.store.logger.fatal(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err := w.store.logger.guard(func() error { return w.store.db.Apply(batch, sync) }); err != nil {
		return fmt.Errorf("%w: %w: %w", ErrUnavailable, err, ErrInDoubt)
	}
	w.store.counts.commits.Add(1)
	return batch.Close() // not one that failed: it may stand in a broken database's queue
}

// stage puts a whole commit into the batch, or nothing of it.
func (w *writer) stage(batch *pebble.Batch, c *commit, seq *uint64) error {
	if c.sync {
		return batch.LogData(nil, nil)
	}
	if c.key != nil {
		return write{c.key, c.value, c.end}.to(batch)
	}
	writes, next, err := c.synced, *seq, error(nil)
	if writes == nil {
		writes, next, err = w.plan(c, *seq)
	}
	if err != nil {
		return err
	}
	*seq = next
	for _, write := range writes {
		if err := write.to(batch); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) finish(c *commit, err error) {
	if err == nil {
		w.store.counts.changes.Add(uint64(len(c.changes)))
	}
	if err == nil && c.key != nil && c.key[0] == tableBlob {
		w.store.counts.puts.Add(1)
	}
	if c.move(committing, done) {
		c.done <- err
		return
	}
	if err == nil && len(c.changes) > 0 { // late: Apply has returned ErrInDoubt
		w.store.counts.late.Add(1)
		w.store.options.Late(c.changes)
	}
}
