package store

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// masterKey returns Options.Key, or what Dir/key holds. The file is made with a new store only:
// a new key beside old secrets would make them unreadable without a word.
func (s *Store) masterKey(fresh bool) ([]byte, error) {
	if s.options.Key != nil {
		return s.options.Key, nil
	}
	if s.options.FS != vfs.Default {
		return nil, errors.New("options: FS needs Key")
	}
	path := filepath.Join(s.options.Dir, "key")
	key, err := readKey(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && fresh:
		return s.makeKey(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: without it no secret of this store opens, put it back", path)
	}
	return key, err
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, others can read it: chmod 600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%s does not hold %d hex digits", path, 2*keySize)
	}
	return key, nil
}

// makeKey writes a new key and syncs it and its directory: the store must never be older than
// its key.
func (s *Store) makeKey(path string) ([]byte, error) {
	key := make([]byte, keySize)
	rand.Read(key)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return key, syncDir(s.options.FS, filepath.Dir(path))
}
