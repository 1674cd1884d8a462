package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// databaseFormat is the newest on-disk format of the Pebble that go.mod pins.
const databaseFormat = pebble.FormatValueSeparation

// pebbleOptions fits a control plane: little memory, few files, one compaction at a time.
//
// Values from 2 KiB are separated: module bytes go once into Pebble's blob files, and
// compactions move keys only. The figures that led here are in bench_test.go.
func (s *Store) pebbleOptions() *pebble.Options {
	events := s.logger.events()
	o := &pebble.Options{
		FS:                          s.disk,
		Logger:                      s.logger,
		EventListener:               &events,
		FormatMajorVersion:          databaseFormat,
		CacheSize:                   4 << 20,
		MemTableSize:                4 << 20,
		MemTableStopWritesThreshold: 4,
		MaxOpenFiles:                128,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 1 },
	}
	o.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
		return pebble.ValueSeparationPolicy{
			Enabled:               true,
			MinimumSize:           2 << 10,
			MaxBlobReferenceDepth: 10,
			RewriteMinimumAge:     15 * time.Minute,
			TargetGarbageRatio:    0.3,
		}
	}
	return o
}

// openDB takes the lock and opens the database; it makes one where there is none.
func (s *Store) openDB() error {
	if err := s.makeDir(); err != nil {
		return err
	}
	if _, err := s.disk.Lock(s.options.FS.PathJoin(s.options.Dir, "LOCK")); err != nil {
		return lockError(err)
	}
	dir := s.options.FS.PathJoin(s.options.Dir, "db")
	if _, err := s.options.FS.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		err = s.create(dir)
		if err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
	} else if err != nil {
		return err
	}
	if s.sealer == nil {
		if err := s.openSealer(false); err != nil {
			return err
		}
	}
	var err error
	s.db, err = s.openPebble(dir)
	return err
}

// create makes the database beside its place and moves it there when it is whole: a Pebble
// whose making was interrupted by a power loss may not open again.
func (s *Store) create(dir string) error {
	if err := s.openSealer(true); err != nil {
		return err
	}
	aside := dir + ".new"
	if err := s.options.FS.RemoveAll(aside); err != nil {
		return err
	}
	if err := s.options.FS.MkdirAll(aside, 0o700); err != nil {
		return err
	}
	db, err := s.openPebble(aside)
	if err != nil {
		return err
	}
	if err := errors.Join(s.writeSchema(db), s.logger.guard(db.Close)); err != nil {
		return err
	}
	if err := s.options.FS.Rename(aside, dir); err != nil {
		return err
	}
	return syncDir(s.options.FS, s.options.Dir)
}

// syncDir makes durable what is in dir, by name.
func syncDir(fs vfs.FS, dir string) error {
	f, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (s *Store) openPebble(dir string) (db *pebble.DB, err error) {
	err = s.logger.guard(func() (err error) {
		db, err = pebble.Open(dir, s.pebbleOptions())
		return err
	})
	return db, openError(err)
}

// makeDir makes the data directory, and makes sure that it stays. On a disk it is for its
// owner only: it holds the key.
func (s *Store) makeDir() error {
	if err := s.options.FS.MkdirAll(s.options.Dir, 0o700); err != nil {
		return err
	}
	if _, err := s.options.FS.List(s.options.Dir); err != nil {
		return err
	}
	return syncDir(s.options.FS, s.options.FS.PathDir(s.options.Dir))
}

// openError tells apart what the operator can act on.
func openError(err error) error {
	switch {
	case err == nil:
		return nil
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	case strings.Contains(err.Error(), "unknown format major version"):
		return fmt.Errorf("%w: %w", ErrNewer, err)
	}
	return err
}

func lockError(err error) error {
	if errors.Is(err, fs.ErrPermission) || noSpace(err) {
		return err
	}
	return fmt.Errorf("%w: %v", ErrLocked, err)
}

// readError names the record that could not be read.
func readError(key []byte, err error) error {
	if pebble.IsCorruptionError(err) && !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%w: %s: %w", ErrCorrupt, keyName(key), err)
	}
	return fmt.Errorf("%s: %w", keyName(key), err)
}
