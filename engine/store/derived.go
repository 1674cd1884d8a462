package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Derived is a directory of what can be made again from the store and the program, such as
// native code: one file an entry, written without a sync and never part of a backup. A file
// that is torn, damaged, moved from another name or from another directory is no entry, since
// its MAC is wrong. The MAC keeps accidents out, and who can write some files of the directory
// but not read its key; who can do both can run code.
//
//	DIR/key          the key of the MACs, 32 bytes, mode 0600; another one makes all entries void
//	DIR/FOLDER/NAME  ┌───────┬──────────────────────────────────────────────┐
//	                 │ value │ HMAC-SHA-256 (RFC 2104) of format, name, value │
//	                 └───────┴──────────────────────────────────────────────┘
type Derived struct {
	dir    string
	key    []byte
	logger *slog.Logger
}

const (
	derivedFormat  = "switchyard/derived/1"
	maxDerived     = 1 << 30 // bytes of one entry
	derivedReserve = 64 << 20
	derivedAge     = time.Hour // that Collect spares an entry for, used or not
)

// OpenDerived opens the directory, which is made when it is missing.
func OpenDerived(dir string, logger *slog.Logger) (*Derived, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	d := &Derived{dir: dir, logger: logger}
	path := filepath.Join(dir, "key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(key) != keySize {
		key = make([]byte, keySize)
		rand.Read(key)
		err = d.write(path, key)
	}
	if err != nil {
		return nil, fmt.Errorf("derived data: %w", err)
	}
	d.key = key
	return d, nil
}

// Get returns the entry that Put has put under this name.
func (d *Derived) Get(name string) (value []byte, ok bool) {
	path := d.path(name)
	file, err := readBounded(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			d.logger.Warn("store: derived data cannot be read and is made again", "file", path, "reason", err)
		}
		return nil, false
	}
	at := len(file) - sha256.Size
	if at < 0 || !hmac.Equal(file[at:], d.mac(name, file[:at])) {
		d.logger.Warn("store: derived data is damaged and is made again", "file", path)
		return nil, false
	}
	return file[:at:at], true
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxDerived {
		return nil, fmt.Errorf("it has %d bytes", info.Size())
	}
	return os.ReadFile(path)
}

// Put keeps value under a name of one folder and one word, each of [a-z0-9-]+. Where there is
// no room for it, it is not kept, and the log says so.
func (d *Derived) Put(name string, value []byte) {
	path := d.path(name)
	err := d.room(len(value))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = d.write(path, value, d.mac(name, value))
	}
	if err != nil {
		d.logger.Warn("store: derived data is not kept", "file", path, "reason", err)
	}
}

// room says whether size more bytes leave enough for what cannot be made again.
func (d *Derived) room(size int) error {
	usage, err := vfs.Default.GetDiskUsage(d.dir)
	switch {
	case size > maxDerived:
		return fmt.Errorf("it has %d bytes", size)
	case err == nil && usage.AvailBytes < derivedReserve+uint64(size):
		return fmt.Errorf("%d MiB are free on the disk", usage.AvailBytes>>20)
	}
	return nil
}

// write replaces a file in one step: readers see the old one or the new one.
func (d *Derived) write(path string, parts ...[]byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new-*") // mode 0600
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err == nil {
			_, err = f.Write(p)
		}
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (d *Derived) mac(name string, value []byte) []byte {
	h := hmac.New(sha256.New, d.key)
	fmt.Fprintf(h, "%s\x00%s\x00", derivedFormat, name)
	h.Write(value)
	return h.Sum(nil)
}

func (d *Derived) path(name string) string {
	folder, word, ok := strings.Cut(name, "/")
	if !ok || !isWord(folder) || !isWord(word) {
		panic(fmt.Sprintf("BUG: derived data by the name of %q", name))
	}
	return filepath.Join(d.dir, folder, word)
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// Remove drops an entry, if there is one.
func (d *Derived) Remove(name string) { os.Remove(d.path(name)) }

// Collect removes the entries that used does not want, and that were put more than an hour ago:
// who puts an entry may be about to make it used.
func (d *Derived) Collect(used func(name string) bool) (removed int, err error) {
	err = filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Dir(path) == d.dir {
			return err
		}
		name := filepath.Base(filepath.Dir(path)) + "/" + e.Name()
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && (time.Since(info.ModTime()) < derivedAge || used(name)) {
			return nil
		}
		if err == nil {
			err = os.Remove(path)
		}
		removed++
		return err
	})
	return removed, err
}
