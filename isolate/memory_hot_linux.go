//go:build linux && !plainmemory

package isolate

import (
	"bytes"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// hotPages are the pages of an image that a request writes, learned from the first one: nil until
// then. A clone takes them over in a few system calls, where its own first request would fault
// for each.
type hotPages struct{ regions atomic.Pointer[[]region] }

const (
	hotGap = 2 * pageSize // of cold pages between two hot ones, which cost less than another call
	hotMax = 256          // pages: a first request that writes more is no example
)

// learn looks at what a request has written. It is for JavaScript, whose requests are alike in
// what the engine writes: what the first one of any version wrote is what those of a new one will.
func (m *memory) learn() {
	if m.image.hot.regions.Load() != nil || m.method != resetScan {
		return
	}
	list := regionLists.Get().(*[128]region)
	defer regionLists.Put(list)
	start := uintptr(m.base)
	found, _, err := scanPrivate(start, start+uintptr(m.image.size), list[:])
	if err != nil {
		return
	}
	hot := joinPages(m.hotPages(found))
	m.image.hot.regions.Store(&hot)
	m.mapped.hot.regions.CompareAndSwap(nil, &hot)
}

// hotPages lists those of the memory's own pages that differ from its image, or are the image's
// own. What an isolate of many owners has from others is not among them.
func (m *memory) hotPages(found []region) (pages []int) {
	start := uint64(uintptr(m.base))
	for _, r := range found {
		for at := int(r.start - start); at < int(r.end-start); at += pageSize {
			page, own := m.image.page(at / pageSize)
			if own || !bytes.Equal(page, m.bytes[at:at+pageSize]) {
				pages = append(pages, at/pageSize)
			}
		}
	}
	return pages
}

// joinPages makes regions of offsets, with a small gap between two pages or none. Too many pages
// are none.
func joinPages(pages []int) []region {
	if len(pages) > hotMax {
		return nil
	}
	var joined []region
	for _, n := range pages {
		from := uint64(n) * pageSize
		if last := len(joined) - 1; last >= 0 && from-joined[last].end <= hotGap {
			joined[last].end = from + pageSize
		} else {
			joined = append(joined, region{start: from, end: from + pageSize})
		}
	}
	return joined
}

// hotRegions are offsets of the image's hot pages; the base's, for a skin that has not run yet.
func (im *image) hotRegions() []region {
	hot := im.hot.regions.Load()
	if hot == nil {
		if hot = im.root().hot.regions.Load(); hot == nil {
			return nil
		}
	}
	return *hot
}

// warm makes the hot pages the memory's own.
func (m *memory) warm() {
	for _, r := range m.image.hotRegions() {
		m.populate(int(r.start), int(r.end))
	}
}

// populate makes [from, to) the memory's own. Where it fails, pages fault one by one, as ever.
func (m *memory) populate(from, to int) {
	unix.Madvise(m.bytes[from:to], unix.MADV_POPULATE_WRITE)
}
