package isolate

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A guest's memory is one reservation of its maximum, so that its base never moves:
//
//	0                 image.size                                          max
//	├─ image, private ─┼──────────────── anonymous, zero ──────────────────┤
//
// The lower part maps the snapshot's memfd privately: a page costs nothing until it is
// written, and a page that was written is anonymous ever after. That is what reset looks for.

const pageSize = 4096

// image is the memory of a snapshot in a sealed memfd. It is shared, read-only, by every
// memory cloned from it, and lives as long as its Snapshot.
type image struct {
	fd   int
	size int    // bytes, a multiple of pageSize
	view []byte // the memfd mapped read-only: the source of what reset copies back
	hot  hotPages
}

// newImage copies mem, whose zero tail is left out, into a memfd.
func newImage(mem []byte) (*image, error) {
	size := trimZero(mem)
	fd, err := unix.MemfdCreate("switchyard-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	if err := fillImage(fd, mem[:size]); err != nil {
		unix.Close(fd)
		return nil, err
	}
	view, err := unix.Mmap(fd, 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("mmap of image: %w", err)
	}
	return &image{fd: fd, size: size, view: view}, nil
}

// fillImage writes mem's non-zero pages, so that zero pages stay holes, and seals the file.
func fillImage(fd int, mem []byte) error {
	if err := unix.Ftruncate(fd, int64(len(mem))); err != nil {
		return fmt.Errorf("ftruncate of image: %w", err)
	}
	for at := 0; at < len(mem); at += pageSize {
		page := mem[at : at+pageSize]
		if isZero(page) {
			continue
		}
		if _, err := unix.Pwrite(fd, page, int64(at)); err != nil {
			return fmt.Errorf("write of image: %w", err)
		}
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal of image: %w", err)
	}
	return nil
}

// close gives the image back. Memories cloned from it keep their pages.
func (im *image) close() {
	unix.Munmap(im.view)
	unix.Close(im.fd)
}

// memory is one guest's linear memory. It implements wazero's experimental.LinearMemory.
type memory struct {
	base  unsafe.Pointer
	bytes []byte // the whole reservation
	image *image // nil: anonymous from the start
	dirty []region
}

// newMemory reserves max bytes over im, which may be nil.
func newMemory(max int, im *image) (*memory, error) {
	const anon = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE
	base, err := unix.MmapPtr(-1, 0, nil, uintptr(max), unix.PROT_READ|unix.PROT_WRITE, anon)
	if err != nil {
		return nil, fmt.Errorf("mmap of %d bytes of guest memory: %w", max, err)
	}
	m := &memory{base: base, bytes: unsafe.Slice((*byte)(base), max), image: im}
	unix.Madvise(m.bytes, unix.MADV_NOHUGEPAGE) // a huge page would make one touched byte cost 2 MiB
	unix.Madvise(m.bytes, unix.MADV_DONTDUMP)   // guests' secrets stay out of core dumps
	if im == nil {
		return m, nil
	}
	const private = unix.MAP_PRIVATE | unix.MAP_NORESERVE | unix.MAP_FIXED
	if _, err := unix.MmapPtr(im.fd, 0, base, uintptr(im.size), unix.PROT_READ|unix.PROT_WRITE, private); err != nil {
		m.Free()
		return nil, fmt.Errorf("mmap of image: %w", err)
	}
	unix.Madvise(m.bytes[:im.size], unix.MADV_DONTDUMP)
	m.warm()
	return m, nil
}

// Reallocate implements experimental.LinearMemory; the rewriter fixed the size, so it is
// asked once.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.bytes)) {
		return nil
	}
	return m.bytes[:size]
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() {
	if m.base != nil {
		unix.MunmapPtr(m.base, uintptr(len(m.bytes)))
		m.base, m.bytes = nil, nil
	}
}

// maxKept is how many pages of its own a reset leaves a memory. What a request needs as a rule
// stays mapped, so that the next one faults none in; what one greedy request had goes back to
// the kernel, or every later reset would clear it again.
const maxKept = 1024

// reset makes the first limit bytes equal the image again and returns how many pages differed,
// or might have.
func (m *memory) reset(limit int) (pages int, err error) {
	if m.dirty == nil {
		m.dirty = make([]region, 128)
	}
	start := uintptr(m.base)
	for at, end := start, start+uintptr(limit); at < end; {
		found, next, err := scanPrivate(at, end, m.dirty)
		if err != nil {
			return pages, err
		}
		for _, r := range found {
			from, to := int(r.start-uint64(start)), int(r.end-uint64(start))
			if pages += (to - from) / pageSize; pages <= maxKept {
				m.restore(from, to)
			} else if err := m.giveBack(from, to); err != nil {
				return pages, err
			}
		}
		at = next
	}
	return pages, nil
}

// giveBack makes [from, to) what it was when it was mapped: the image, zero beyond it.
func (m *memory) giveBack(from, to int) error {
	if err := unix.Madvise(m.bytes[from:to], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("madvise of guest memory: %w", err)
	}
	return nil
}

// restore copies [from, to) back from the image, zero beyond it.
func (m *memory) restore(from, to int) {
	copied := 0
	if from < m.image.size {
		copied = copy(m.bytes[from:to], m.image.view[from:])
	}
	clear(m.bytes[from+copied : to])
}

// region is the kernel's struct page_region.
type region struct{ start, end, categories uint64 }

// scanArg is the kernel's struct pm_scan_arg (linux/fs.h, since 6.7).
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages         uint64
	categoryInverted, categoryMask, categoryAnyOf, returnCategories uint64
}

const (
	pagemapScan   = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsZero    = 1 << 5 // the kernel's one page of zeros: anonymous memory that was only read
)

// scanPrivate finds the pages of [at, end) that the guest wrote: (present or swapped) and neither
// file-backed nor the kernel's page of zeros, which clearing would turn into a page of our own.
// "Present" alone would miss pages that are swapped out or being migrated, and so leak them to
// the next request. It returns where to go on.
func scanPrivate(at, end uintptr, vec []region) (found []region, next uintptr, err error) {
	arg := scanArg{
		size: uint64(unsafe.Sizeof(scanArg{})), start: uint64(at), end: uint64(end),
		vec: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(vec)))), vecLen: uint64(len(vec)),
		categoryInverted: pageIsFile | pageIsZero, categoryMask: pageIsFile | pageIsZero,
		categoryAnyOf: pageIsPresent | pageIsSwapped, returnCategories: pageIsPresent,
	}
	n, _, errno := unix.RawSyscall(unix.SYS_IOCTL, pagemap.fd, pagemapScan, uintptr(unsafe.Pointer(&arg)))
	if errno != 0 {
		return nil, 0, fmt.Errorf("PAGEMAP_SCAN: %w", errno)
	}
	if uintptr(arg.walkEnd) <= at {
		return nil, 0, errors.New("PAGEMAP_SCAN does not get on")
	}
	return vec[:n], uintptr(arg.walkEnd), nil
}

// pagemap is /proc/self/pagemap, and whether this kernel can scan it: containers and binaries
// with file capabilities may not open it, kernels before 6.7 lack the ioctl.
var pagemap = func() (p struct {
	fd  uintptr
	err error
}) {
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		p.err = fmt.Errorf("/proc/self/pagemap: %w", err)
		return p
	}
	p.fd = uintptr(fd)
	probe := make([]region, 1)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(probe))) &^ (pageSize - 1)
	if n, _, errno := unix.RawSyscall(unix.SYS_IOCTL, p.fd, pagemapScan, uintptr(unsafe.Pointer(&scanArg{
		size: uint64(unsafe.Sizeof(scanArg{})), start: uint64(at), end: uint64(at + pageSize),
	}))); errno != 0 {
		p.err = fmt.Errorf("PAGEMAP_SCAN (needs Linux 6.7): %w (%d)", errno, n)
	}
	return p
}()

// errNoReset says why memory cannot be reset in place here; nil when it can.
func errNoReset() error {
	if pagemap.err != nil {
		return errors.Join(errors.New("isolates are cloned anew instead of reset in place"), pagemap.err)
	}
	return nil
}
