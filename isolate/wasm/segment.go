package wasm

// Element segments have eight forms, told apart by three bits:
//
//	bit 0  passive or declared, else active
//	bit 1  active: with a table index; else: declared
//	bit 2  items are constant expressions, else function indices
func (m *module) elementSection(r *reader) {
	m.nElements = r.count("element segments", "Elements", m.limits.Elements)
	m.elements.from = r.p
	room := 10 * m.limits.Elements
	for i := 0; i < m.nElements && r.err == nil; i++ {
		room -= m.elementSegment(r, room)
	}
	m.elements.to = r.p
}

// elementSegment reads one segment of at most room items and returns how many it has. An
// active one must lie inside its table: otherwise instantiation would have failed.
func (m *module) elementSegment(r *reader, room int) (n int) {
	at := r.p
	flags := r.u32()
	if flags > 7 {
		r.fail(at, "element segment has unknown flags 0x%x", flags)
		return 0
	}
	active, expressions := flags&1 == 0, flags&4 != 0
	var t table
	var offset uint32
	if active {
		t, offset = m.activeElements(r, flags&2 != 0)
	}
	switch {
	case flags&3 == 0: // no type: functions
	case expressions:
		r.referenceType()
	default:
		if at := r.p; r.byte() != 0 {
			r.fail(at, "element kind is not that of functions")
		}
	}
	n = m.elementItems(r, expressions, room)
	if active && uint64(offset)+uint64(n) > uint64(t.min) {
		r.fail(at, "element segment at %d with %d items is out of bounds of a table of %d", offset, n, t.min)
	}
	return n
}

// activeElements reads which table a segment is for, and its offset there.
func (m *module) activeElements(r *reader, named bool) (t table, offset uint32) {
	at, i := r.p, uint32(0)
	if named {
		i = r.u32()
	}
	if r.err == nil && int64(i) >= int64(len(m.tables)) {
		r.fail(at, "table index %d of an element segment is out of range: there are %d tables", i, len(m.tables))
		return table{}, 0
	}
	offset = m.offset(r)
	if r.err == nil {
		t = m.tables[i]
	}
	return t, offset
}

func (m *module) elementItems(r *reader, expressions bool, room int) int {
	n := r.count("items of element segments", "Elements (ten times)", room)
	for i := 0; i < n && r.err == nil; i++ {
		if expressions {
			m.constant(r, &m.elementRefs)
			continue
		}
		ref := m.functionIndex(r)
		m.elementRefs = append(m.elementRefs, ref)
		if r.err == nil {
			m.add(&m.taken, ref.index)
		}
	}
	return n
}

func (m *module) dataSection(r *reader) {
	n := r.count("data segments", "Data", m.limits.Data)
	m.data = make([]dataSegment, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		m.dataSegment(r)
	}
}

// dataSegment reads one data segment. An active one must lie inside the memory: otherwise
// instantiation would have failed.
func (m *module) dataSegment(r *reader) {
	at := r.p
	var offset uint32
	d := m.dataSegmentWith(r, func() { offset = m.offset(r) })
	if d.offset = offset; r.err != nil {
		return
	}
	if d.active && uint64(d.offset)+uint64(len(d.bytes)) > uint64(m.memory.min)<<16 {
		r.fail(at, "data segment at %d with %d bytes is out of bounds of a memory of %d pages", d.offset, len(d.bytes), m.memory.min)
	}
	m.data = append(m.data, d)
}

// dataSegmentWith reads a data segment, an active one's offset by offset.
func (m *module) dataSegmentWith(r *reader, offset func()) dataSegment {
	at := r.p
	flags := r.u32()
	d := dataSegment{active: flags != 1}
	switch {
	case flags > 2:
		r.fail(at, "data segment has unknown flags 0x%x", flags)
	case flags == 2 && r.u32() != 0:
		r.fail(at, "a data segment of another memory (multi-memory) is not supported")
	case d.active && m.memory == nil:
		r.fail(at, "an active data segment needs a memory")
	case d.active:
		offset()
	}
	d.bytes = r.bytes(int(r.u32()))
	return d
}

// passive is what memory.init may read of a segment: nothing of an active one, which counts
// as dropped once it has been applied.
func (m *module) passive(segment uint32) []byte {
	if m.data[segment].active {
		return nil
	}
	return m.data[segment].bytes
}
