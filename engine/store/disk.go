package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is the file system under Pebble, made patient: an operation that finds no space (or no
// file descriptor) waits until there is some, then goes on where it stopped. Pebble never
// learns of a full disk, and nothing has to be restarted or repaired when space returns. It is
// the last line: the writer asks room before each commit, so that only work already accepted
// ever waits here.
//
// Other failures, and any of an fsync, stop the database: after a failed fsync nobody knows
// what the kernel still holds, and trying again would call lost data safe. See logger for why
// such an operation does not return. Only Pebble works through disk; the store itself uses the
// FS beneath.
type disk struct {
	vfs.FS
	dir     string
	reserve uint64
	logger  *logger
	patient atomic.Bool // false while opening: no space stops the database then

	fullSince atomic.Int64 // unix nanoseconds of the first failure; 0: there was space
	stopOnce  sync.Once
	stopped   chan struct{}

	mu struct {
		sync.Mutex
		locks []io.Closer // that are held, by us and by Pebble
	}
}

// How long a waiting operation sleeps between attempts.
const (
	firstRetry = time.Millisecond
	lastRetry  = 250 * time.Millisecond
)

var errClosed = errors.New("the store was closed")

func newDisk(o Options, l *logger) *disk {
	return &disk{FS: o.FS, dir: o.Dir, reserve: o.Reserve, logger: l, stopped: make(chan struct{})}
}

// stop refuses every change of the disk from now on: another store may be open.
func (d *disk) stop() { d.stopOnce.Do(func() { close(d.stopped) }) }

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

// passing says whether waiting may help.
func passing(err error) bool {
	return noSpace(err) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// try runs op until it ends otherwise than for want of space.
func (d *disk) try(op func() error) error {
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		select {
		case <-d.stopped:
			d.give(errClosed)
		default:
		}
		err := op()
		switch {
		case err == nil:
			if d.fullSince.Load() != 0 {
				d.fullSince.Store(0)
			}
			return nil
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
			return err // an answer, not a failure
		case !passing(err), !d.patient.Load():
			d.give(err)
		}
		d.fullSince.CompareAndSwap(0, time.Now().UnixNano())
		select {
		case <-time.After(pause):
		case <-d.stopped:
		}
	}
}

// give up: never returns.
func (d *disk) give(err error) {
	d.logger.fail(err)
	park()
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
	if strings.HasPrefix(d.PathBase(name), markerPrefix) {
		if err := d.try(func() error { return d.syncDirOf(name) }); err != nil {
			return nil, err
		}
	}
	return d.open(func() (vfs.File, error) { return d.FS.Create(name, c) })
}

// markerPrefix begins the names of the files by which Pebble says what is current, such as the
// MANIFEST. Pebble syncs the directory once, after making a marker: a power loss before that
// may keep the marker's entry and lose that of what it points to.
const markerPrefix = "marker."

func (d *disk) syncDirOf(name string) error {
	dir, err := d.FS.OpenDir(d.PathDir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
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

func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f, disk: d}, nil
}

// Lock keeps hold of the lock: a database that gave up never closes its own.
func (d *disk) Lock(name string) (io.Closer, error) {
	l, err := d.FS.Lock(name)
	if err != nil {
		return nil, err
	}
	once := closerFunc(sync.OnceValue(l.Close))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.locks = append(d.mu.locks, once)
	return once, nil
}

// unlock releases every lock that is still held.
func (d *disk) unlock() (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.mu.locks {
		err = errors.Join(err, l.Close())
	}
	return err
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

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

func (f *diskFile) Sync() error { return f.synced(f.File.Sync()) }

func (f *diskFile) SyncData() error { return f.synced(f.File.SyncData()) }

func (f *diskFile) SyncTo(length int64) (full bool, err error) {
	full, err = f.File.SyncTo(length)
	return full, f.synced(err)
}

func (f *diskFile) synced(err error) error {
	if err != nil {
		f.disk.give(err)
	}
	return nil
}

// Preallocate is advice. Where there is no space for it, writing may still do.
func (f *diskFile) Preallocate(offset, length int64) error {
	if err := f.File.Preallocate(offset, length); !noSpace(err) {
		return err
	}
	return nil
}
