package store

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is the file system under Pebble, made patient: an operation that finds no space waits
// until there is some, then goes on where it stopped. Pebble gives up for good when its log or
// its MANIFEST cannot be written; this way it never learns of a full disk, and nothing has to
// be restarted or repaired when space returns.
//
// It is the last line: the writer asks room before each commit, so that only work already
// accepted ever waits here. A failed fsync is passed on: after one, nobody knows what the
// kernel still holds, and trying again would call lost data safe.
type disk struct {
	vfs.FS
	dir     string
	reserve uint64
	patient atomic.Bool // false while opening: no space is an error then
	fenced  atomic.Bool // every change of the disk is refused: another store may be open

	fullSince atomic.Int64 // unix nanoseconds of the first failure; 0: there was space
	stopOnce  sync.Once
	stopped   chan struct{}
}

// How long a waiting operation sleeps between attempts.
const (
	firstRetry = time.Millisecond
	lastRetry  = 250 * time.Millisecond
)

var errFenced = errors.New("the store was closed")

func newDisk(fs vfs.FS, dir string, reserve uint64) *disk {
	return &disk{FS: fs, dir: dir, reserve: reserve, stopped: make(chan struct{})}
}

// stop ends the waiting: operations that find no space fail from now on.
func (d *disk) stop() { d.stopOnce.Do(func() { close(d.stopped) }) }

// fence refuses every change of the disk from now on.
func (d *disk) fence() { d.fenced.Store(true) }

// room says whether size more bytes may be written and the reserve stay.
func (d *disk) room(size int) error {
	if since := d.fullSince.Load(); since != 0 {
		return fmt.Errorf("%w: no space on the disk of %s since %s", ErrUnavailable, d.dir, time.Unix(0, since).UTC().Format(time.RFC3339))
	}
	usage, err := d.FS.GetDiskUsage(d.dir)
	if err != nil {
		return nil // a file system that cannot tell: the write will
	}
	if need := d.reserve + uint64(size); usage.AvailBytes < need {
		return fmt.Errorf("%w: %d KiB free on the disk of %s, %d KiB needed", ErrUnavailable, usage.AvailBytes>>10, d.dir, need>>10)
	}
	return nil
}

func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// try runs op until it ends otherwise than for want of space.
func (d *disk) try(op func() error) error {
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		if d.fenced.Load() {
			return errFenced
		}
		err := op()
		if !noSpace(err) {
			if err == nil && d.fullSince.Load() != 0 {
				d.fullSince.Store(0)
			}
			return err
		}
		if !d.patient.Load() {
			return err
		}
		d.fullSince.CompareAndSwap(0, time.Now().UnixNano())
		select {
		case <-time.After(pause):
		case <-d.stopped:
			return err
		}
	}
}

// open wraps the file that op opens.
func (d *disk) open(op func() (vfs.File, error)) (f vfs.File, err error) {
	err = d.try(func() (err error) {
		f, err = op()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f, disk: d}, nil
}

func (d *disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.open(func() (vfs.File, error) { return d.FS.Create(name, c) })
}

func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.open(func() (vfs.File, error) { return d.FS.OpenReadWrite(name, c, opts...) })
}

func (d *disk) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.open(func() (vfs.File, error) { return d.FS.ReuseForWrite(oldname, newname, c) })
}

func (d *disk) Link(oldname, newname string) error {
	return d.try(func() error { return d.FS.Link(oldname, newname) })
}

func (d *disk) Rename(oldname, newname string) error {
	return d.try(func() error { return d.FS.Rename(oldname, newname) })
}

func (d *disk) Remove(name string) error {
	return d.try(func() error { return d.FS.Remove(name) })
}

func (d *disk) RemoveAll(name string) error {
	return d.try(func() error { return d.FS.RemoveAll(name) })
}

func (d *disk) MkdirAll(dir string, perm os.FileMode) error {
	return d.try(func() error { return d.FS.MkdirAll(dir, perm) })
}

// syncDir makes what is in dir, by name, durable.
func (d *disk) syncDir(dir string) error {
	f, err := d.FS.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *disk) Unwrap() vfs.FS { return d.FS }

// diskFile is an open file of a disk.
type diskFile struct {
	vfs.File
	disk *disk
}

func (f *diskFile) Write(p []byte) (n int, err error) {
	err = f.disk.try(func() error {
		m, err := f.File.Write(p[n:])
		n += m
		return err
	})
	return n, err
}

func (f *diskFile) WriteAt(p []byte, offset int64) (n int, err error) {
	err = f.disk.try(func() error {
		m, err := f.File.WriteAt(p[n:], offset+int64(n))
		n += m
		return err
	})
	return n, err
}

// Preallocate is advice. Where there is no space for it, writing may still do.
func (f *diskFile) Preallocate(offset, length int64) error {
	if err := f.File.Preallocate(offset, length); !noSpace(err) {
		return err
	}
	return nil
}
