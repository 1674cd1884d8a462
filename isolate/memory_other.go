//go:build !linux || plainmemory

package isolate

// The plain twin of memory_linux.go and its neighbours: images and memories are Go slices, a clone
// and a reset copy the image and clear the rest. The build tag plainmemory gives it to Linux, for
// the tests.

import "sync/atomic"

// slabs count what images take.
type slabs struct{ bytes atomic.Int64 }

func (s *slabs) used() int64 { return s.bytes.Load() }

func (s *slabs) keep(data []byte) (extent, error) { return s.keepOver(data, len(data), nil, nil) }

// keepOver stores size bytes: base, zeros behind it, and over both data, which are these pages.
func (s *slabs) keepOver(base []byte, size int, pages []uint32, data []byte) (extent, error) {
	s.bytes.Add(int64(size))
	mem := make([]byte, size)
	copy(mem, base)
	for i, n := range pages {
		if at := int(n) * pageSize; at < size {
			copy(mem[at:], data[i*pageSize:][:pageSize])
		}
	}
	return extent{s, mem}, nil
}

type extent struct {
	slabs *slabs
	bytes []byte
}

func (e extent) free() { e.slabs.bytes.Add(-int64(len(e.bytes))) }

// hotPages there are none: every page is copied.
type hotPages struct{}

type memory struct {
	bytes []byte
	image *image
}

func newMemory(max int, im *image, _ resetMethod) (*memory, error) {
	m := &memory{bytes: make([]byte, max), image: im}
	if im != nil {
		m.become(im)
	}
	return m, nil
}

func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.bytes)) {
		return nil
	}
	return m.bytes[:size]
}

func (m *memory) Free() { m.bytes = nil }

func (m *memory) become(im *image) (pages int, err error) {
	paint := painter{mem: m.bytes, im: im}
	paint.restore(0, len(m.bytes))
	m.image = im
	return 0, nil
}

func (m *memory) learn() {}

func bestReset() (resetMethod, error) { return resetCopy, nil }
