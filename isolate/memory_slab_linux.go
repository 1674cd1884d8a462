//go:build linux && !plainmemory

package isolate

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// slabs keep images in a few memfds, because a file for each would run into RLIMIT_NOFILE.
//
//	slab   0         at                  at+len                 slabSize
//	       ├─ image ─┼─ image ───────────┼─ free, a hole ────────┤
//
// A memory maps its image from here privately; nothing maps a slab writable and shared. What is
// freed becomes a hole. A slab without an image is closed.
type slabs struct {
	mu struct {
		sync.Mutex
		list []*slab
		used int64 // bytes of images
	}
}

// slabSize is of address space: a slab takes as much memory as its images.
const slabSize = 256 << 20

type slab struct {
	fd   int
	view []byte // all of it, read-only
	free []span // ascending, never adjacent
}

type span struct{ at, size int }

// extent is one image's place in a slab.
type extent struct {
	slabs *slabs
	slab  *slab
	at    int
	bytes []byte
}

// keep stores data, whole pages. Pages of zeros stay holes.
func (s *slabs) keep(data []byte) (extent, error) { return s.keepOver(data, len(data), nil, nil) }

// keepOver stores size bytes: base, zeros behind it, and over both data, which are these pages, in
// rising order.
func (s *slabs) keepOver(base []byte, size int, pages []uint32, data []byte) (extent, error) {
	if size == 0 {
		return extent{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.placeLocked(size)
	if err != nil {
		return extent{}, err
	}
	if err := e.overlay(base[:min(size, len(base))], pages, data); err != nil {
		s.freeLocked(e)
		return extent{}, err
	}
	return e, nil
}

// placeLocked takes the first span that is large enough, or makes another slab.
func (s *slabs) placeLocked(size int) (extent, error) {
	for _, sl := range s.mu.list {
		if at, ok := sl.take(size); ok {
			return s.extentLocked(sl, at, size), nil
		}
	}
	sl, err := newSlab(max(size, slabSize))
	if err != nil {
		return extent{}, err
	}
	s.mu.list = append(s.mu.list, sl)
	at, _ := sl.take(size)
	return s.extentLocked(sl, at, size), nil
}

func (s *slabs) extentLocked(sl *slab, at, size int) extent {
	s.mu.used += int64(size)
	return extent{slabs: s, slab: sl, at: at, bytes: sl.view[at : at+size : at+size]}
}

// used is the size of all images, in bytes.
func (s *slabs) used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.used
}

func (s *slabs) freeLocked(e extent) {
	s.mu.used -= int64(len(e.bytes))
	e.slab.give(span{e.at, len(e.bytes)})
	if e.slab.empty() {
		e.slab.close()
		s.mu.list = slices.DeleteFunc(s.mu.list, func(sl *slab) bool { return sl == e.slab })
	}
}

// newSlab makes a slab of which nothing is taken. Its size is sealed: that a mapping of it could
// be cut off under a guest is nothing to think about.
func newSlab(size int) (*slab, error) {
	fd, err := unix.MemfdCreate("switchyard-images", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("ftruncate of images: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("seal of images: %w", err)
	}
	view, err := unix.Mmap(fd, 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("mmap of images: %w", err)
	}
	unix.Madvise(view, unix.MADV_DONTDUMP) // guests' secrets stay out of core dumps
	return &slab{fd: fd, view: view, free: []span{{0, size}}}, nil
}

func (sl *slab) close() {
	unix.Munmap(sl.view)
	unix.Close(sl.fd)
}

func (sl *slab) empty() bool { return len(sl.free) == 1 && sl.free[0].size == len(sl.view) }

// take finds room for size bytes.
func (sl *slab) take(size int) (at int, ok bool) {
	for i, f := range sl.free {
		if f.size < size {
			continue
		}
		if f.size == size {
			sl.free = slices.Delete(sl.free, i, i+1)
		} else {
			sl.free[i] = span{f.at + size, f.size - size}
		}
		return f.at, true
	}
	return 0, false
}

// give takes a span back, as a hole, and joins it with its neighbours.
func (sl *slab) give(s span) {
	const hole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	if err := unix.Fallocate(sl.fd, hole, int64(s.at), int64(s.size)); err != nil {
		panic(fmt.Sprint("BUG: an image does not become a hole: ", err)) // the next one there would keep its pages
	}
	i, _ := slices.BinarySearchFunc(sl.free, s, func(a, b span) int { return a.at - b.at })
	if i < len(sl.free) && s.at+s.size == sl.free[i].at {
		s.size += sl.free[i].size
		sl.free = slices.Delete(sl.free, i, i+1)
	}
	if i > 0 && sl.free[i-1].at+sl.free[i-1].size == s.at {
		sl.free[i-1].size += s.size
		return
	}
	sl.free = slices.Insert(sl.free, i, s)
}

// overlay fills the extent, run by run of pages that come from the same of the two.
func (e extent) overlay(base []byte, pages []uint32, data []byte) error {
	next := 0 // bytes are written
	for len(pages) > 0 {
		at := int(pages[0]) * pageSize
		if at >= len(e.bytes) {
			break
		}
		if next < min(at, len(base)) {
			if err := e.write(base[next:min(at, len(base))], next); err != nil {
				return err
			}
		}
		n := 1
		for n < len(pages) && pages[n] == pages[0]+uint32(n) && at+n*pageSize < len(e.bytes) {
			n++
		}
		if err := e.write(data[:n*pageSize], at); err != nil {
			return err
		}
		next = at + n*pageSize
		pages, data = pages[n:], data[n*pageSize:]
	}
	if next < len(base) {
		return e.write(base[next:], next)
	}
	return nil
}

// write puts data at a page of the extent, run by run of pages that are not zero.
func (e extent) write(data []byte, at int) error {
	for from := 0; from < len(data); {
		to := from
		for to < len(data) && !isZero(data[to:to+pageSize]) {
			to += pageSize
		}
		if to == from {
			from += pageSize
			continue
		}
		for from < to {
			n, err := unix.Pwrite(e.slab.fd, data[from:to], int64(e.at+at+from))
			if err != nil {
				return fmt.Errorf("write of image: %w", err)
			}
			from += n
		}
	}
	return nil
}

// free gives the place back. Nothing may look at bytes, or map them, any more.
func (e extent) free() {
	if e.slabs == nil {
		return
	}
	e.slabs.mu.Lock()
	defer e.slabs.mu.Unlock()
	e.slabs.freeLocked(e)
}
