package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The file Dir/seq holds a number that the log is known to have reached. Pebble takes a damaged
// record of its MANIFEST for the end of it and opens as of an earlier moment, whole and without
// a word; only a witness outside can tell. It is written at Close and every witnessEvery
// changes, so it may lag, never lead.
const witnessEvery = 512

// hearWitness refuses a store whose log ends before where it once was.
func (s *Store) hearWitness(seq uint64) error {
	f, err := s.options.FS.Open(s.witness())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return err
	}
	reached, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s: %v", ErrCorrupt, s.witness(), err)
	}
	if seq < reached {
		return fmt.Errorf("%w: the log ends at change %d, by %s it had reached %d: restore a backup, or remove that file to go on without them",
			ErrCorrupt, seq, s.witness(), reached)
	}
	return nil
}

// testify records that the log has reached seq. Where it cannot, the older number stays.
func (s *Store) testify(seq uint64) {
	if err := writeFile(s.options.FS, s.witness(), fmt.Sprintln(seq)); err != nil {
		s.options.Logger.Warn("store: "+s.witness()+" stays behind", "error", err)
	}
}

func (s *Store) witness() string { return s.options.FS.PathJoin(s.options.Dir, "seq") }

// writeFile replaces a file, durably and whole.
func writeFile(fs vfs.FS, name, text string) error {
	aside := name + ".new"
	f, err := fs.Create(aside, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(aside, name); err != nil {
		return err
	}
	return syncDir(fs, fs.PathDir(name))
}
