package isolate

// snapshot is what an isolate's guest is after its initialisation: memory and globals. Every
// isolate of a version is a clone of one.
type snapshot struct {
	module  *module
	image   *image
	globals []uint64 // in the order of module.rewritten.Globals
	entry   string   // exported function that an isolate is entered by
	io      uint32   // JavaScript: address of the I/O buffer
	nested  *nestedImage
}

// capture takes is's state, as pages that differ from base's where base is not nil and they are
// few. The isolate must be at rest.
func (is *Isolate) capture(entry string, base *snapshot) (*snapshot, error) {
	var root *image
	if base != nil {
		root = base.image
	}
	im, err := newImage(&is.module.rt.slabs, is.memory.bytes[:max(is.size(), pageSize)], root) // a memory may begin without a page
	if err != nil {
		return nil, err
	}
	s := &snapshot{module: is.module, image: im, entry: entry, io: is.io}
	for _, g := range is.globals {
		s.globals = append(s.globals, g.Get())
	}
	return s, nil
}

func (s *snapshot) close() { s.image.release() }
