package store

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// A backup is a tar of what cannot be derived, compressed with zstd:
//
//	key             the master key, without which no secret opens: keep the file safe
//	blobs/HASH      module sources, manifests and chunks of assets
//	changes/SEQ     the log, one change a file, in order
//	usage/N         rows of usage, up to 1,000 lines of JSON a file
//	pairs/N         pairs of KV namespaces, lines of JSON
//	data/N          points of datasets, a chunk a file
//
// Restoring it replays the log, so that a backup also moves a store to another layout.
const (
	backupKey     = "key"
	backupBlobs   = "blobs/"
	backupChanges = "changes/"
	backupUsage   = "usage/"
	backupPairs   = "pairs/"
	backupData    = "data/"
)

// Backup writes everything to w.
func (s *Store) Backup(w io.Writer) error {
	if err := s.whole(); err != nil {
		return err
	}
	z, err := zstd.NewWriter(w)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	key, err := s.masterKey(false)
	if err == nil {
		err = addFile(t, backupKey, []byte(hex.EncodeToString(key)+"\n"))
	}
	if err == nil {
		err = s.backupBlobs(t)
	}
	if err == nil {
		err = s.Changes(0, func(c Change) error {
			body, err := json.Marshal(c)
			if err != nil {
				return err
			}
			return addFile(t, fmt.Sprintf("%s%020d", backupChanges, c.Seq), body)
		})
	}
	if err == nil {
		err = s.backupUsage(t)
	}
	if err == nil {
		err = s.backupPairs(t)
	}
	if err == nil {
		err = s.backupData(t)
	}
	return errors.Join(err, t.Close(), z.Close())
}

// backupBlobs adds each blob that a change of the log needs, once.
func (s *Store) backupBlobs(t *tar.Writer) error {
	written := map[Hash]bool{}
	return s.Changes(0, func(c Change) error {
		if c.Version == nil {
			return nil
		}
		err := s.eachBlobOf(c.Version, func(h Hash) error {
			if written[h] {
				return nil
			}
			written[h] = true
			return s.backupBlob(t, h)
		})
		if errors.Is(err, ErrBlobNotFound) { // the manifest of a version that was dropped since
			return nil
		}
		return err
	})
}

// backupBlob leaves out a blob of a version that was dropped since, and collected.
func (s *Store) backupBlob(t *tar.Writer, h Hash) error {
	blob, err := s.Blob(h)
	if errors.Is(err, ErrBlobNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return addFile(t, backupBlobs+h.String(), blob)
}

func addFile(t *tar.Writer, name string, body []byte) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(body))}); err != nil {
		return err
	}
	_, err := t.Write(body)
	return err
}

// maxBackupFile bounds one file of a backup: no blob or change is larger.
const maxBackupFile = 128 << 20

// Restore makes a store in o.Dir, which must not hold one, from a backup.
func Restore(ctx context.Context, o Options, r io.Reader) error {
	if entries, err := os.ReadDir(o.Dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: a backup is restored into a new directory", o.Dir)
	}
	z, err := zstd.NewReader(r)
	if err != nil {
		return err
	}
	defer z.Close()
	restored := &restore{ctx: ctx, options: o}
	err = restored.files(tar.NewReader(z))
	if restored.store != nil {
		err = errors.Join(err, restored.store.Close())
	}
	return err
}

// restore is a Restore under way.
type restore struct {
	ctx     context.Context
	options Options
	store   *Store // nil until the key is there
}

func (r *restore) files(t *tar.Reader) error {
	for {
		h, err := t.Next()
		if err == io.EOF {
			return r.complete()
		}
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		if h.Size > maxBackupFile {
			return fmt.Errorf("backup: %s has %d bytes, more than any record", h.Name, h.Size)
		}
		body, err := io.ReadAll(t)
		if err == nil {
			err = r.file(h.Name, body)
		}
		if err != nil {
			return fmt.Errorf("backup: %s: %w", h.Name, err)
		}
	}
}

func (r *restore) complete() error {
	if r.store == nil {
		return errors.New("backup: it holds no key: this is not a backup")
	}
	return nil
}

func (r *restore) file(name string, body []byte) error {
	if name == backupKey {
		return r.open(body)
	}
	if r.store == nil {
		return errors.New("stands before the key")
	}
	if text, ok := strings.CutPrefix(name, backupBlobs); ok {
		hash, err := r.store.PutBlob(r.ctx, body)
		if err == nil && hash.String() != text {
			err = ErrCorrupt
		}
		return err
	}
	if strings.HasPrefix(name, backupUsage) {
		return r.usage(body)
	}
	if strings.HasPrefix(name, backupPairs) {
		return r.pairs(body)
	}
	if strings.HasPrefix(name, backupData) {
		return r.data(body)
	}
	if !strings.HasPrefix(name, backupChanges) {
		return errors.New("is not part of a backup")
	}
	var c Change
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return err
	}
	return r.store.Replay(r.ctx, c)
}

// open puts the key in place and makes the store.
func (r *restore) open(key []byte) error {
	if r.store != nil {
		return errors.New("stands there twice")
	}
	if err := os.MkdirAll(r.options.Dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.options.Dir, "key"), key, 0o600); err != nil {
		return err
	}
	var err error
	r.store, err = Open(r.options)
	return err
}
