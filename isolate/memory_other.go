//go:build !linux

package isolate

import "errors"

// The plain twin of memory_linux.go: images and memories are Go slices, a clone copies the
// image, and there is no reset in place.

const pageSize = 4096

type image struct {
	size int
	view []byte
}

func newImage(mem []byte) (*image, error) {
	size := trimZero(mem)
	return &image{size: size, view: append([]byte(nil), mem[:size]...)}, nil
}

func (im *image) close() {}

type memory struct {
	bytes []byte
	image *image
}

func newMemory(max int, im *image) (*memory, error) {
	m := &memory{bytes: make([]byte, max), image: im}
	if im != nil {
		copy(m.bytes, im.view)
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

func (m *memory) reset(limit int) (pages int, err error) { return 0, errNoReset() }

// learn has nothing to learn: every page is copied.
func (m *memory) learn() {}

func errNoReset() error {
	return errors.New("isolates are cloned anew: reset in place needs Linux 6.7")
}
