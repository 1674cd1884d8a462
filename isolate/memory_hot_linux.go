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
// what the engine writes.
func (m *memory) learn() {
	if m.image.hot.regions.Load() != nil || pagemap.err != nil {
		return
	}
	start := uintptr(m.base)
	found, _, err := scanPrivate(start, start+uintptr(m.image.size), make([]region, hotMax))
	if err != nil {
		return
	}
	hot := joinRegions(found, uint64(start))
	m.image.hot.regions.Store(&hot)
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

// warm makes the hot pages the memory's own.
func (m *memory) warm() {
	hot := m.image.hot.regions.Load()
	if hot == nil {
		return
	}
	for _, r := range *hot {
		unix.Madvise(m.bytes[r.start:r.end], unix.MADV_POPULATE_WRITE) // without it they fault, as ever
	}
}
