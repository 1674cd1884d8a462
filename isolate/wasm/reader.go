package wasm

import (
	"fmt"
	"unicode/utf8"
)

// reader walks one span of a binary. The first fault sticks and moves the reader to the end
// of its span, so that callers check err once per item instead of once per byte: after a
// fault every read returns zero, and every loop below ends because counts are bounded by the
// bytes that are left.
type reader struct {
	b   []byte // the binary, cut off at the end of the span
	p   int    // offset of the next byte from the start of the binary
	err *Error
}

func (r *reader) left() int { return len(r.b) - r.p }

// more reports whether there is anything left to read.
func (r *reader) more() bool { return r.p < len(r.b) }

// fail records the fault at offset at, unless there was one before.
func (r *reader) fail(at int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: at, Msg: fmt.Sprintf(format, args...)}
	}
	r.p = len(r.b)
}

func (r *reader) byte() byte {
	if r.p >= len(r.b) {
		r.fail(len(r.b), "unexpected end")
		return 0
	}
	c := r.b[r.p]
	r.p++
	return c
}

// bytes returns the next n bytes, which alias the binary.
func (r *reader) bytes(n int) []byte {
	if n > r.left() {
		r.fail(r.p, "unexpected end: %d bytes announced, %d left", n, r.left())
		return nil
	}
	v := r.b[r.p : r.p+n : r.p+n]
	r.p += n
	return v
}

// name reads a length and that many bytes of UTF-8.
func (r *reader) name(what string) string {
	n := int(r.u32())
	at := r.p
	v := r.bytes(n)
	if !utf8.Valid(v) {
		r.fail(at, "%s is not valid UTF-8", what)
	}
	return string(v)
}

// shortName reads a name of at most limit bytes.
func (r *reader) shortName(what string, limit int) string {
	at := r.p
	ahead := *r
	if n := int(ahead.u32()); n > limit {
		r.fail(at, "%d bytes of an %s exceed the limit Name of %d", n, what, limit)
		return ""
	}
	return r.name(what)
}

// count reads the number of items that follow. It may exceed neither limit, whose name is
// field, nor the bytes that are left, since each item takes at least one.
func (r *reader) count(what, field string, limit int) int {
	at := r.p
	n := int(r.u32())
	switch {
	case n > limit:
		r.fail(at, "%d %s exceed the limit %s of %d", n, what, field, limit)
		return 0
	case n > r.left():
		r.fail(at, "unexpected end: %d %s announced in %d bytes", n, what, r.left())
		return 0
	}
	return n
}

// span returns a reader of the next n bytes and moves past them.
func (r *reader) span(n int) reader {
	if n > r.left() {
		r.fail(r.p, "unexpected end: %d bytes announced, %d left", n, r.left())
		return reader{b: r.b, p: len(r.b), err: r.err}
	}
	r.p += n
	return reader{b: r.b[:r.p], p: r.p - n}
}
