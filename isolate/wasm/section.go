package wasm

// Section ids.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
	secTag       = 13
)

// sectionRank is the order in which sections must come, by id.
var sectionRank = [...]int{
	secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6,
	secExport: 7, secStart: 8, secElement: 9, secDataCount: 10, secCode: 11, secData: 12,
}

const header = "\x00asm\x01\x00\x00\x00"

// decode reads the whole binary into a module. Function bodies are only delimited: scan.go
// reads their instructions.
func decode(binary []byte, o *Options) (*module, *Error) {
	m := &module{binary: binary, o: o, limits: o.Limits.withDefaults(), start: noFunction}
	return m, m.sectionsBy(m.contents)
}

// sectionsBy reads all sections, the contents of each by read.
func (m *module) sectionsBy(read func(id byte, body *reader)) *Error {
	binary := m.binary
	if len(binary) > m.limits.ModuleBytes {
		return &Error{Offset: m.limits.ModuleBytes, Msg: refuseSize(len(binary), m.limits.ModuleBytes)}
	}
	r := reader{b: binary}
	if len(binary) < len(header) || string(binary[:4]) != header[:4] {
		r.fail(0, "not a wasm module: it does not start with \\0asm")
	} else if string(binary[6:8]) == "\x01\x00" {
		r.fail(4, "a component (component model) is not supported")
	} else if string(binary[:8]) != header {
		r.fail(4, "binary version % x is not that of a core module", binary[4:8])
	}
	r.p = min(len(header), len(binary))
	for rank := 0; r.more() && r.err == nil; {
		rank = m.section(&r, rank, read)
	}
	m.finish(&r)
	return r.err
}

// section reads one section and returns its rank.
func (m *module) section(r *reader, last int, read func(id byte, body *reader)) int {
	at := r.p
	id := r.byte()
	body := r.span(int(r.u32()))
	switch {
	case r.err != nil:
		return last
	case id == secCustom:
		read(id, &body)
		r.adopt(body.err)
		return last
	case id == secTag:
		r.fail(at, "a tag section (exceptions) is not supported")
		return last
	case int(id) >= len(sectionRank):
		r.fail(at, "section id %d is unknown", id)
		return last
	case sectionRank[id] <= last:
		r.fail(at, "section id %d is repeated or out of order", id)
		return last
	}
	m.sections[id] = true
	read(id, &body)
	if body.err == nil && body.more() {
		body.fail(body.p, "section id %d has %d bytes too many", id, body.left())
	}
	r.adopt(body.err)
	return sectionRank[id]
}

// adopt makes a fault of an inner reader the outer one's.
func (r *reader) adopt(err *Error) {
	if err != nil && r.err == nil {
		r.err, r.p = err, len(r.b)
	}
}

func (m *module) contents(id byte, r *reader) {
	switch id {
	case secCustom:
		m.custom(r)
	case secType:
		m.typeSection(r)
	case secImport:
		m.importSection(r)
	case secFunction:
		m.functionSection(r)
	case secTable:
		m.tableSection(r)
	case secMemory:
		m.memorySection(r)
	case secGlobal:
		m.globalSection(r)
	case secExport:
		m.exportSection(r)
	case secStart:
		m.startSection(r)
	case secElement:
		m.elementSection(r)
	case secDataCount:
		m.dataCount = int(r.u32())
	case secCode:
		m.codeSection(r)
	case secData:
		m.dataSection(r)
	}
}

// finish checks what ties sections together.
func (m *module) finish(r *reader) {
	end := len(m.binary)
	switch {
	case r.err != nil:
	case len(m.bodies) != len(m.functions):
		r.fail(end, "%d functions are declared but %d have a body", len(m.functions), len(m.bodies))
	case m.sections[secDataCount] && m.dataCount != len(m.data):
		r.fail(end, "%d data segments are announced but there are %d", m.dataCount, len(m.data))
	}
}
