package isolate

import (
	"bytes"
	"slices"
	"sync/atomic"
	"unsafe"
)

const pageSize = 4096

// image is what the memory of a snapshot holds. It lies, read-only, in the Runtime's slabs, and
// lives as long as its snapshot and every memory that maps it.
//
// An image is whole, to be mapped, or a skin: only the pages that differ from a base.
//
//	whole   own: page 0, page 1, … page size/pageSize-1; zero beyond
//	skin    own: page pages[0], page pages[1], …         else as in base
//
// A memory over a base becomes any of its skins by copying, without a mapping or a fault: what
// that costs grows with the pages, so that there are not more than maxSkin.
type image struct {
	size  int // bytes, a multiple of pageSize
	own   extent
	base  *image   // nil: whole
	pages []uint32 // of a skin, ascending
	hot   hotPages
	users atomic.Int32 // its snapshot, skins over it, and memories that map it
}

// maxSkin is the most pages of a skin. From about 150 on, mapping an image of its own and taking its
// hot pages over at once takes less time than copying (BenchmarkBecome), but an image is all of
// the memory: 6.5 MB for a Worker of 160 differing pages that imports one of Node's modules.
const maxSkin = 256

// newImage keeps mem, whose zero tail is left out: as a skin of base, when base is not nil and
// little differs.
func newImage(s *slabs, mem []byte, base *image) (*image, error) {
	im := &image{size: trimZero(mem)}
	im.users.Store(1)
	if base != nil {
		if size := max(im.size, base.size); size <= len(mem) {
			if pages, ok := base.differing(mem[:size]); ok {
				im.size, im.base, im.pages = size, base, pages
			}
		}
	}
	if err := im.fill(s, mem); err != nil {
		return nil, err
	}
	if im.base != nil {
		base.users.Add(1)
	}
	return im, nil
}

// differing lists the pages in which mem, no shorter than the base, is not like it. It is not ok
// when they are too many.
func (im *image) differing(mem []byte) (pages []uint32, ok bool) {
	for at := 0; at < len(mem); at += pageSize {
		page := mem[at : at+pageSize]
		if at < im.size && bytes.Equal(page, im.own.bytes[at:at+pageSize]) || at >= im.size && isZero(page) {
			continue
		}
		if len(pages) == maxSkin {
			return nil, false
		}
		pages = append(pages, uint32(at/pageSize))
	}
	return pages, true
}

// fill stores the pages of mem that are im's own.
func (im *image) fill(s *slabs, mem []byte) (err error) {
	if im.base == nil {
		im.own, err = s.keep(mem[:im.size])
		return err
	}
	packed := make([]byte, 0, len(im.pages)*pageSize)
	for _, n := range im.pages {
		packed = append(packed, mem[int(n)*pageSize:][:pageSize]...)
	}
	im.own, err = s.keep(packed)
	return err
}

// root is the image that a memory of im maps.
func (im *image) root() *image {
	if im.base != nil {
		return im.base
	}
	return im
}

var zeroPage [pageSize]byte

// page is one page of the image, and whether that is its own.
func (im *image) page(n int) (page []byte, own bool) {
	at, root := n*pageSize, im.root()
	if i, ok := slices.BinarySearch(im.pages, uint32(n)); ok {
		return im.own.bytes[i*pageSize:][:pageSize], true
	}
	if at < root.size {
		return root.own.bytes[at:][:pageSize], false
	}
	return zeroPage[:], false
}

// bytes is what the image takes.
func (im *image) bytes() int { return len(im.own.bytes) }

// release gives one use of the image up; with the last one it goes.
func (im *image) release() {
	if im.users.Add(-1) > 0 {
		return
	}
	im.own.free()
	if im.base != nil {
		im.base.release()
	}
}

// painter copies an image over a memory, region by region from low to high.
type painter struct {
	mem  []byte
	im   *image
	next int // index of im.pages: those before it are done
}

// restore makes [from, to) equal the image, and the skin's pages below it.
func (p *painter) restore(from, to int) {
	im := p.im
	for ; p.next < len(im.pages); p.next++ {
		at := int(im.pages[p.next]) * pageSize
		if at >= to {
			break
		}
		if at >= from {
			p.restoreRoot(from, at)
			from = at + pageSize
		}
		copy(p.mem[at:at+pageSize], im.own.bytes[p.next*pageSize:])
	}
	p.restoreRoot(from, to)
}

// restoreRoot copies [from, to) from what the memory maps, zero beyond it.
func (p *painter) restoreRoot(from, to int) {
	root := p.im.root()
	copied := 0
	if from < min(to, root.size) {
		copied = copy(p.mem[from:to], root.own.bytes[from:])
	}
	clear(p.mem[from+copied : to])
}

// finish copies what is left of the skin's pages.
func (p *painter) finish() { p.restore(len(p.mem), len(p.mem)) }

// trimZero returns the length of mem without its zero tail, in whole pages and at least one.
func trimZero(mem []byte) int {
	size := len(mem) &^ (pageSize - 1)
	for size > pageSize && isZero(mem[size-pageSize:size]) {
		size -= pageSize
	}
	return size
}

// isZero reports whether a page holds nothing but zeros.
func isZero(page []byte) bool {
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(page))), len(page)/8)
	for _, w := range words {
		if w != 0 {
			return false
		}
	}
	return true
}

// resetMethod is how the pages are found that a guest wrote.
type resetMethod int

const (
	resetBest  resetMethod = iota // of those below, what the machine can do
	resetScan                     // PAGEMAP_SCAN, Linux 6.7: finds them in a microsecond
	resetRead                     // /proc/self/pagemap, read and looked through
	resetRemap                    // not at all: the kernel drops every page
	resetCopy                     // not at all: every byte is copied
)

func (m resetMethod) String() string {
	return [...]string{"best", "pagemap_scan", "pagemap_read", "remap", "copy"}[m]
}
