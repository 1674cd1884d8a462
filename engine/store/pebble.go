package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		Lock:                        s.lock,
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

func (s *Store) openDB() error {
	if err := s.makeDir(); err != nil {
		return err
	}
	dir := s.disk.PathJoin(s.options.Dir, "db")
	if err := s.disk.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var err error
	if s.lock, err = pebble.LockDirectory(dir, s.disk); err != nil {
		return fmt.Errorf("%w by another process: %v", ErrLocked, err)
	}
	err = s.logger.guard(func() (err error) {
		s.db, err = pebble.Open(dir, s.pebbleOptions())
		return err
	})
	return openError(err)
}

// makeDir makes the data directory for its owner only: it holds the key.
func (s *Store) makeDir() error {
	if s.options.FS != vfs.Default {
		return s.disk.MkdirAll(s.options.Dir, 0o700)
	}
	if err := os.MkdirAll(filepath.Clean(s.options.Dir), 0o700); err != nil {
		return err
	}
	_, err := os.ReadDir(s.options.Dir)
	return err
}

// openError tells apart what the operator can act on.
func openError(err error) error {
	switch {
	case err == nil:
		return nil
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	case strings.Contains(err.Error(), "unknown format major version"), strings.Contains(err.Error(), "format major version too new"):
		return fmt.Errorf("%w: %w", ErrNewer, err)
	}
	return err
}

// readError names the record that could not be read.
func readError(key []byte, err error) error {
	if pebble.IsCorruptionError(err) && !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%w: %s: %w", ErrCorrupt, keyName(key), err)
	}
	return fmt.Errorf("%s: %w", keyName(key), err)
}
