package html

import (
	"encoding/binary"
	"strconv"
)

// events is an answer: what the guest is told of a piece of the document, and its bytes.
//
//	u32 length of JSON │ JSON: [more, event, …] │ the raw bytes of all events, in order
//
//	length                                                    bytes that pass
//	[1, length, id, registrations, name, [[name, value, raw]…], namespace, self-closing, has content]
//	[2, length, ids that end, name]
//	[3, length, registrations, text, is last]
//	[4, length, registrations, text]
//	[5, length, name, public id, system id]
type events struct {
	charset charset
	json    []byte
	raw     []byte
	passing int // bytes at the end of raw that no event has yet
}

func (e *events) reset() { e.json, e.raw, e.passing = e.json[:0], e.raw[:0], 0 }

func (e *events) size() int { return len(e.json) + len(e.raw) }

func (e *events) answer(more bool) []byte {
	e.flush()
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(e.json)+len("[0]")))
	b = append(b, '[', '0')
	if more {
		b[len(b)-1] = '1'
	}
	b = append(append(b, e.json...), ']')
	return append(b, e.raw...)
}

func (e *events) pass(raw []byte) {
	e.raw = append(e.raw, raw...)
	e.passing += len(raw)
}

func (e *events) flush() {
	if e.passing > 0 {
		e.number(e.passing)
		e.passing = 0
	}
}

// open begins an event of a kind, whose bytes are raw.
func (e *events) open(kind int, raw []byte) {
	e.flush()
	e.raw = append(e.raw, raw...)
	e.list()
	e.json = strconv.AppendInt(e.json, int64(kind), 10)
	e.number(len(raw))
}

func (e *events) close() { e.json = append(e.json, ']') }

func (e *events) list() {
	e.comma()
	e.json = append(e.json, '[')
}

func (e *events) comma() {
	if n := len(e.json); n == 0 || e.json[n-1] != '[' {
		e.json = append(e.json, ',')
	}
}

func (e *events) number(n int) {
	e.comma()
	e.json = strconv.AppendInt(e.json, int64(n), 10)
}

func (e *events) numbers(list []int) {
	e.list()
	for _, n := range list {
		e.number(n)
	}
	e.close()
}

func (e *events) flag(yes bool) { e.json = strconv.AppendBool(append(e.json, ','), yes) }

func (e *events) quoted(s []byte) {
	e.comma()
	e.json = appendQuoted(e.json, e.charset.decode(s))
}

// appendQuoted writes valid UTF-8 as a JSON string.
func appendQuoted(b, s []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func (e *events) start(t *token, id int, handlers []int, ns namespace, content bool) {
	e.open(1, t.raw)
	e.number(id)
	e.numbers(handlers)
	e.quoted([]byte(t.tag.name))
	e.list()
	for _, a := range t.tag.attributes {
		e.list()
		e.quoted(lowered(a.name))
		e.quoted(a.value)
		e.quoted(a.raw)
		e.close()
	}
	e.close()
	e.number(int(ns))
	e.flag(t.tag.selfClosing)
	e.flag(content)
	e.close()
}

func (e *events) end(t *token, closed []int) {
	e.open(2, t.raw)
	e.numbers(closed)
	e.quoted([]byte(t.tag.name))
	e.close()
}

func (e *events) text(raw []byte, handlers []int, last bool) {
	e.open(3, raw)
	e.numbers(handlers)
	e.quoted(raw)
	e.flag(last)
	e.close()
}

func (e *events) comment(t *token, handlers []int) {
	e.open(4, t.raw)
	e.numbers(handlers)
	e.quoted(t.text)
	e.close()
}

func (e *events) doctype(raw []byte, d doctype) {
	e.open(5, raw)
	for _, s := range [...]*string{d.name, d.publicID, d.systemID} {
		if s == nil {
			e.json = append(e.json, ",null"...)
			continue
		}
		e.json = appendQuoted(append(e.json, ','), []byte(*s))
	}
	e.close()
}
