// Package store keeps what the platform must not lose: namespaces, scripts, versions,
// deployments, routes, tokens, settings, the log of changes that made them, who made them, and
// module bytes.
// It is the only importer of Pebble. Nothing on the way of a request reads it: the engine
// loads the state once and serves from memory.
//
// All writes go through one goroutine (writer.go), which gives every change its number, puts
// what waits into one batch and syncs it: that is group commit. Reads go to Pebble directly.
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// schemaVersion is the version of everything in keys.go and of the records' fields. A program
// opens directories of its own version and older ones.
const schemaVersion = 2

// Options says where a store is and how it behaves.
type Options struct {
	Dir string // created when missing; the database is in Dir/db
	// FS is the file system; with one of the caller's own, Key is needed too. Default: the disk.
	FS vfs.FS
	// Key is the 32-byte master key of secrets. Default: the file Dir/key (64 hex digits, mode
	// 0600), made when the store is made.
	Key []byte
	// Reserve is the free space, in bytes, below which changes are refused, so that work which
	// cannot be refused (flushes, compactions, the log's tail) still fits. Default: 32 MiB.
	Reserve uint64
	// Patience is how long Apply and PutBlob wait for a commit that the disk holds up, before
	// they return ErrInDoubt. Default: 10 s.
	Patience time.Duration
	// Late is called, before any later change is accepted, with changes whose Apply had
	// returned ErrInDoubt and which became durable after all. It must not call the store.
	// Default: nothing.
	Late func([]Change)
	// Logger hears of trouble on the disk. Default: slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Reserve == 0 {
		o.Reserve = 32 << 20
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	if o.Late == nil {
		o.Late = func([]Change) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Store is an open data directory. Its methods may be called from many goroutines.
type Store struct {
	options Options
	disk    *disk
	logger  *logger
	db      *pebble.DB
	blobs   *blobs
	sealer  *sealer
	writer  *writer
	counts  counters

	mu struct {
		sync.Mutex
		closed bool
	}
	readers sync.WaitGroup // inside Pebble; Add only under mu while not closed, Close waits
}

type counters struct {
	commits, changes, puts, refused, late atomic.Uint64
}

// Open opens or makes the store in o.Dir. Errors name the directory or the record; see
// ErrLocked, ErrNewer, ErrCorrupt, ErrSealed (a wrong key).
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	s := &Store{options: o, logger: newLogger(o.Logger)}
	s.disk = newDisk(o, s.logger)
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", o.Dir, err), s.release())
	}
	s.disk.patient.Store(true)
	go s.writer.run()
	return s, nil
}

func (s *Store) open() (err error) {
	if s.blobs, err = newBlobs(); err != nil {
		return err
	}
	if err := s.openDB(); err != nil {
		return err
	}
	if err := s.checkSchema(); err != nil {
		return err
	}
	if err := s.checkKey(); err != nil {
		return err
	}
	seq, err := s.lastSeq()
	if err != nil {
		return err
	}
	if err := s.hearWitness(seq); err != nil {
		return err
	}
	s.writer = newWriter(s, seq)
	return s.raiseSchema()
}

// Close waits for what was accepted and for readers, then closes. What comes later gets
// ErrUnavailable.
func (s *Store) Close() error {
	s.writer.stop()
	s.mu.Lock()
	closed := s.mu.closed
	s.mu.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.readers.Wait()
	if s.logger.fatal() == nil {
		s.testify(s.LastSeq())
	}
	return s.release()
}

// release gives back what open took, as far as it got. A database that gave up is left as it
// is, shut off from the disk.
func (s *Store) release() error {
	var err error
	if s.db != nil && s.logger.fatal() == nil {
		err = s.logger.guard(func() error { return closeDatabase(s.db) })
	}
	s.disk.stop()
	err = errors.Join(err, s.disk.unlock())
	if s.blobs != nil {
		s.blobs.close()
	}
	return err
}

// reading returns the database and what to call when done with it. A reader may read again
// inside: unlike a read lock, that never waits for a Close that waits for the reader.
func (s *Store) reading() (*pebble.DB, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return nil, nil, fmt.Errorf("%w: it is closed", ErrUnavailable)
	}
	s.readers.Add(1)
	return s.db, s.readers.Done, nil
}
