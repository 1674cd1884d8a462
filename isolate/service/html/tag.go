package html

import (
	"bytes"
	"strings"
)

// tag is a start or an end tag. Names are in lower case; values are as the document has them,
// with their character references.
type tag struct {
	name        string
	attributes  []attribute
	selfClosing bool
}

type attribute struct{ name, value, raw []byte }

// attribute finds the first attribute of a name that is in lower case.
func (t *tag) attribute(name string) ([]byte, bool) {
	for i := range t.attributes {
		if prefix(t.attributes[i].name, name) == prefixYes && len(t.attributes[i].name) == len(name) {
			return t.attributes[i].value, true
		}
	}
	return nil, false
}

// lowered is b in lower case, as far as it is ASCII.
func lowered(b []byte) []byte {
	l := bytes.Clone(b)
	for i, c := range l {
		if 'A' <= c && c <= 'Z' {
			l[i] = c | 0x20
		}
	}
	return l
}

// parseTag reads a tag whose name begins at byte at, and how long it is; 0: it is not complete.
func parseTag(b []byte, at int) (tag, int) {
	end := skip(b, at, func(c byte) bool { return !isSpace(c) && c != '/' && c != '>' })
	t := tag{name: string(lowered(b[at:end]))}
	for at = end; at < len(b); {
		switch c := b[at]; {
		case c == '>':
			return t, at + 1
		case isSpace(c):
			at++
		case c == '/':
			at++
			t.selfClosing = at < len(b) && b[at] == '>'
		default:
			a, n := parseAttribute(b[at:])
			if n == 0 {
				return t, 0
			}
			t.attributes = append(t.attributes, a)
			at += n
		}
	}
	return t, 0
}

// parseAttribute reads what b begins with, and how long it is; 0: it is not complete.
func parseAttribute(b []byte) (attribute, int) {
	name := skip(b, 1, func(c byte) bool { return !isSpace(c) && c != '/' && c != '>' && c != '=' })
	at := skip(b, name, isSpace)
	if at == len(b) {
		return attribute{}, 0
	}
	if b[at] != '=' {
		return attribute{name: b[:name], raw: b[:name]}, name
	}
	at = skip(b, at+1, isSpace)
	if at == len(b) {
		return attribute{}, 0
	}
	var value []byte
	switch c := b[at]; c {
	case '"', '\'':
		n := bytes.IndexByte(b[at+1:], c)
		if n < 0 {
			return attribute{}, 0
		}
		value = b[at+1 : at+1+n]
		at += n + 2
	default:
		end := skip(b, at, func(c byte) bool { return !isSpace(c) && c != '>' })
		value, at = b[at:end], end
	}
	return attribute{b[:name], value, b[:at]}, at
}

// skip is where, from at on, the first byte that is not one of these stands.
func skip(b []byte, at int, these func(byte) bool) int {
	for at < len(b) && these(b[at]) {
		at++
	}
	return at
}

// doctype is what a DOCTYPE says; nil: nothing.
type doctype struct{ name, publicID, systemID *string }

func parseDoctype(text string) (d doctype) {
	text = strings.TrimLeft(text, spaces)
	end := strings.IndexAny(text, spaces)
	if end < 0 {
		end = len(text)
	}
	if end > 0 {
		name := strings.ToLower(text[:end])
		d.name = &name
	}
	text = strings.TrimLeft(text[end:], spaces)
	if len(text) < len("public") {
		return d
	}
	switch word, rest := strings.ToLower(text[:6]), text[6:]; word {
	case "public":
		d.publicID, rest = quotedID(rest)
		d.systemID, _ = quotedID(rest)
	case "system":
		d.systemID, _ = quotedID(rest)
	}
	return d
}

func quotedID(text string) (*string, string) {
	text = strings.TrimLeft(text, spaces)
	if text == "" || text[0] != '"' && text[0] != '\'' {
		return nil, text
	}
	id, rest, _ := strings.Cut(text[1:], text[:1])
	return &id, rest
}

const spaces = " \n\t\f\r"
