//go:build linux && !plainmemory

package isolate

import (
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
	start := uintptr(m.base)
	found, _, err := scanPrivate(start, start+uintptr(m.image.size), make([]region, hotMax))
	if err != nil {
		return
	}
	hot := joinRegions(found, uint64(start))
	m.image.hot.regions.Store(&hot)
	m.mapped.hot.regions.CompareAndSwap(nil, &hot)
}

// joinRegions makes offsets of the regions and joins those with a small gap between them. Too
// many pages are none.
func joinRegions(found []region, start uint64) []region {
	var joined []region
	pages := 0
	for _, r := range found {
		from, to := r.start-start, r.end-start
		pages += int(to-from) / pageSize
		if n := len(joined); n > 0 && from-joined[n-1].end <= hotGap {
			joined[n-1].end = to
		} else {
			joined = append(joined, region{start: from, end: to})
		}
	}
	if pages > hotMax {
		return nil
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
