//go:build linux && !plainmemory

package isolate

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// memory is one guest's linear memory: one reservation of its maximum, so that its base never
// moves. It implements wazero's experimental.LinearMemory.
//
//	0                mapped.size                                          max
//	├─ mapped, private ─┼──────────────── anonymous, zero ─────────────────┤
//
// The lower part maps an image privately: a page costs nothing until it is written, and a page
// that was written is anonymous ever after. That is what a reset looks for.
type memory struct {
	base   unsafe.Pointer
	bytes  []byte // the whole reservation
	mapped *image // nil: anonymous from the start
	image  *image // what it is a clone of: mapped, or a skin over it
	method resetMethod
}

// newMemory reserves max bytes as a clone of im, which may be nil.
func newMemory(max int, im *image, method resetMethod) (*memory, error) {
	const anon = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE
	base, err := unix.MmapPtr(-1, 0, nil, uintptr(max), unix.PROT_READ|unix.PROT_WRITE, anon)
	if err != nil {
		return nil, fmt.Errorf("mmap of %d bytes of guest memory: %w", max, err)
	}
	m := &memory{base: base, bytes: unsafe.Slice((*byte)(base), max), method: method}
	m.advise(0, max)
	if im == nil {
		return m, nil
	}
	if err := m.mapImage(im); err != nil {
		m.Free()
		return nil, err
	}
	return m, nil
}

// advise tells the kernel what a new mapping is for: a huge page would make one touched byte
// cost 2 MiB, and guests' secrets stay out of core dumps.
func (m *memory) advise(from, to int) {
	unix.Madvise(m.bytes[from:to], unix.MADV_NOHUGEPAGE)
	unix.Madvise(m.bytes[from:to], unix.MADV_DONTDUMP)
}

// mapImage makes the memory, none of whose pages is written, a clone of im.
func (m *memory) mapImage(im *image) error {
	root := im.root()
	if m.mapped != root {
		const private = unix.MAP_PRIVATE | unix.MAP_NORESERVE | unix.MAP_FIXED
		_, err := unix.MmapPtr(root.own.slab.fd, int64(root.own.at), m.base, uintptr(root.size), unix.PROT_READ|unix.PROT_WRITE, private)
		if err != nil {
			return fmt.Errorf("mmap of image: %w", err)
		}
		m.advise(0, root.size)
		root.users.Add(1)
		if m.mapped != nil {
			m.mapped.release()
		}
	}
	m.mapped, m.image = root, im
	m.warm()
	p := painter{mem: m.bytes, im: im}
	p.finish()
	return nil
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
	if m.base == nil {
		return
	}
	unix.MunmapPtr(m.base, uintptr(len(m.bytes)))
	if m.mapped != nil {
		m.mapped.release()
	}
	m.base, m.bytes, m.mapped, m.image = nil, nil, nil, nil
}

// maxKept is how many pages of its own a reset leaves a memory. What a request needs as a rule
// stays mapped, so that the next one faults none in; what one greedy request had goes back to
// the kernel, or every later reset would clear it again.
const maxKept = 1024

var regionLists = sync.Pool{New: func() any { return new([128]region) }}

// become makes the memory equal im, of which it is a clone already or not, and returns how many
// pages were its own. All of the reservation is looked at: a guest reaches what lies behind its
// size, and would find there after a memory.grow what an earlier request, or tenant, hid.
func (m *memory) become(im *image) (pages int, err error) {
	if m.mapped != im.root() || m.method == resetRemap || m.method == resetRead && len(m.bytes) > maxRead {
		return 0, m.remap(im)
	}
	list := regionLists.Get().(*[128]region)
	defer regionLists.Put(list)
	start := uintptr(m.base)
	paint := painter{mem: m.bytes, im: im}
	for at, end := start, start+uintptr(len(m.bytes)); at < end; {
		found, next, err := m.private(at, end, list[:])
		if err != nil {
			return pages, err
		}
		if m.image != im {
			m.cover(im, found, at == start && next == end)
		}
		for _, r := range found {
			from, to := int(r.start-uint64(start)), int(r.end-uint64(start))
			if pages += (to - from) / pageSize; pages <= maxKept {
				paint.restore(from, to)
			} else if err := m.giveBack(from, to); err != nil {
				return pages, err
			}
		}
		at = next
	}
	paint.finish()
	m.image = im
	return pages, nil
}

// private finds pages that the guest wrote.
func (m *memory) private(at, end uintptr, vec []region) (found []region, next uintptr, err error) {
	if m.method == resetRead {
		return readPrivate(at, end, vec)
	}
	return scanPrivate(at, end, vec)
}

// cover takes over the hot pages of im that are not the memory's own yet. found are those that
// are, if it is known that they are all.
func (m *memory) cover(im *image, found []region, all bool) {
	if !all {
		return
	}
	start := uint64(uintptr(m.base))
	for _, r := range im.hotRegions() {
		for len(found) > 0 && found[0].end-start <= r.start {
			found = found[1:]
		}
		if len(found) == 0 || found[0].start-start > r.start || found[0].end-start < r.end {
			m.populate(int(r.start), int(r.end))
		}
	}
}

// giveBack makes [from, to) what it was when it was mapped.
func (m *memory) giveBack(from, to int) error {
	if err := unix.Madvise(m.bytes[from:to], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("madvise of guest memory: %w", err)
	}
	return nil
}

// remap drops every page and makes the memory a clone of im, as a new one would be.
func (m *memory) remap(im *image) error {
	if err := m.giveBack(0, len(m.bytes)); err != nil {
		return err
	}
	if size := im.root().size; m.mapped.size > size { // the old image would show behind the new one
		const anon = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE | unix.MAP_FIXED
		rest := unsafe.Pointer(&m.bytes[size])
		if _, err := unix.MmapPtr(-1, 0, rest, uintptr(m.mapped.size-size), unix.PROT_READ|unix.PROT_WRITE, anon); err != nil {
			return fmt.Errorf("mmap of guest memory: %w", err)
		}
		m.advise(size, m.mapped.size)
	}
	return m.mapImage(im)
}
