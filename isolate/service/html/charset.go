package html

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"switchyard/isolate/service"
)

// charset is a document's encoding. Tags are found by their ASCII bytes, so it must have those.
type charset struct{ encoding encoding.Encoding } // nil: UTF-8

var (
	errCharset  = service.Fail("TypeError", "Parser error: Unknown character encoding has been provided.")
	errNotASCII = service.Fail("TypeError", "Parser error: Expected ASCII-compatible encoding.")
)

func charsetOf(label string) (charset, error) {
	if label == "" {
		return charset{}, nil
	}
	e, err := htmlindex.Get(label)
	if err != nil {
		return charset{}, errCharset
	}
	switch name, _ := htmlindex.Name(e); name {
	case "utf-8":
		return charset{}, nil
	case "utf-16be", "utf-16le", "iso-2022-jp", "replacement":
		return charset{}, errNotASCII
	}
	return charset{e}, nil
}

// whole is how much of b is whole characters.
func (c charset) whole(b []byte) int {
	if c.encoding == nil {
		return wholeUTF8(b)
	}
	var piece [4096]byte
	d := c.encoding.NewDecoder()
	for at := 0; ; {
		_, n, err := d.Transform(piece[:], b[at:], false)
		at += n
		if err != transform.ErrShortDst {
			return at
		}
	}
}

// decode gives valid UTF-8.
func (c charset) decode(b []byte) []byte {
	if c.encoding == nil && utf8.Valid(b) {
		return b
	}
	e := c.encoding
	if e == nil {
		e = unicode.UTF8
	}
	text, _ := e.NewDecoder().Bytes(b)
	return text
}

// encode writes what the encoding does not have as character references.
func (c charset) encode(text []byte) []byte {
	if c.encoding == nil {
		return text
	}
	b, _ := encoding.HTMLEscapeUnsupported(c.encoding.NewEncoder()).Bytes(text)
	return b
}
