package html

import (
	"bytes"
	"unicode/utf8"
)

// lexer cuts a document into tokens as it comes in (WHATWG HTML 13.2.5), for a rewriter: a
// token's raw bytes are what the document has, and all tokens' raw bytes together are the
// document. golang.org/x/net/html pulls from a reader, keeps a text until its end and decodes
// what it reads, so that it can do neither.
//
// A token that is not complete is cut again from its start when more has come; text is given as
// soon as it is there.
type lexer struct {
	buf     []byte
	at      int
	charset charset
	foreign bool   // in SVG or MathML, where there is CDATA
	raw     string // the element whose content is text up to its end tag; "": none
	script  scriptState
	cdata   bool
}

type tokenKind uint8

const (
	markupToken tokenKind = iota // nothing that has handlers
	startToken
	endToken
	textToken
	commentToken
	doctypeToken
)

// token is valid until the lexer is fed.
type token struct {
	kind tokenKind
	raw  []byte
	text []byte // of a text or a comment
	tag  tag
}

// feed adds to what the lexer has to cut.
func (l *lexer) feed(data []byte) {
	l.buf = append(append(l.buf[:0], l.buf[l.at:]...), data...)
	l.at = 0
}

// waiting is how many bytes have not been cut yet.
func (l *lexer) waiting() int { return len(l.buf) - l.at }

// next cuts one token; false: more must come first. final says that nothing more comes.
func (l *lexer) next(final bool) (token, bool) {
	b := l.buf[l.at:]
	if len(b) == 0 {
		return token{}, false
	}
	t, ok := l.cut(b, final)
	if !ok && !final {
		return token{}, false
	}
	if !ok {
		t = token{raw: b} // a tag that the document's end cuts is nothing
	}
	l.at += len(t.raw)
	return t, true
}

func (l *lexer) cut(b []byte, final bool) (token, bool) {
	switch {
	case l.cdata:
		return l.cutCDATA(b, final)
	case l.raw == "plaintext":
		return l.cutText(b, len(b), final)
	case l.raw == "script":
		return l.cutScript(b, final)
	case l.raw != "":
		return l.cutRaw(b, final)
	}
	return l.cutData(b, final)
}

func (l *lexer) cutData(b []byte, final bool) (token, bool) {
	if i := bytes.IndexByte(b, '<'); i != 0 {
		return l.cutText(b, i, final)
	}
	switch {
	case len(b) == 1:
		return textOf(b), final
	case isLetter(b[1]):
		return cutTag(b, startToken, 1)
	case b[1] == '!':
		return l.cutDeclaration(b, final)
	case b[1] == '?':
		return cutBogus(b, 1, final)
	case b[1] != '/':
		return textOf(b[:1]), true
	case len(b) == 2:
		return textOf(b), final
	case isLetter(b[2]):
		return cutTag(b, endToken, 2)
	case b[2] == '>':
		return token{raw: b[:3]}, true
	}
	return cutBogus(b, 2, final)
}

// cutText gives the text up to end, −1 for all there is, but for a character that is not whole.
func (l *lexer) cutText(b []byte, end int, final bool) (token, bool) {
	if end < 0 {
		end = len(b)
	}
	if end == len(b) && !final {
		end = l.charset.whole(b)
	}
	return textOf(b[:end]), end > 0
}

func textOf(b []byte) token { return token{kind: textToken, raw: b, text: b} }

func cutTag(b []byte, kind tokenKind, name int) (token, bool) {
	t, n := parseTag(b, name)
	return token{kind: kind, raw: b[:n], tag: t}, n > 0
}

// cutDeclaration is for what begins with "<!".
func (l *lexer) cutDeclaration(b []byte, final bool) (token, bool) {
	const open, doctype, cdata = "<!--", "<!doctype", "<![cdata["
	short := false
	for _, s := range [...]string{open, doctype, cdata} {
		if s == cdata && !l.foreign {
			continue
		}
		switch p := prefix(b, s); {
		case p == prefixShort && !final:
			short = true
		case p != prefixYes:
		case s == open:
			return cutComment(b, final)
		case s == doctype:
			n := bytes.IndexByte(b, '>') + 1
			return token{kind: doctypeToken, raw: b[:n], text: b[len(doctype):max(n-1, len(doctype))]}, n > 0
		case string(b[3:8]) == "CDATA":
			l.cdata = true
			return token{raw: b[:len(cdata)]}, true
		}
	}
	if short {
		return token{}, false
	}
	return cutBogus(b, 2, final)
}

func cutComment(b []byte, final bool) (token, bool) {
	const open = len("<!--")
	for _, abrupt := range [...]string{">", "->"} {
		if bytes.HasPrefix(b[open:], []byte(abrupt)) {
			return token{kind: commentToken, raw: b[:open+len(abrupt)]}, true
		}
	}
	for i := open; ; i++ {
		n := bytes.Index(b[i:], []byte("--"))
		if n < 0 {
			return token{kind: commentToken, raw: b, text: b[open:]}, final
		}
		i += n
		for _, end := range [...]string{"-->", "--!>"} {
			if bytes.HasPrefix(b[i:], []byte(end)) {
				return token{kind: commentToken, raw: b[:i+len(end)], text: b[open:i]}, true
			}
		}
	}
}

// cutBogus gives what the standard makes a comment, its text from byte skip on.
func cutBogus(b []byte, skip int, final bool) (token, bool) {
	i := bytes.IndexByte(b, '>')
	if i < 0 {
		return token{kind: commentToken, raw: b, text: b[skip:]}, final
	}
	return token{kind: commentToken, raw: b[:i+1], text: b[skip:i]}, true
}

func (l *lexer) cutCDATA(b []byte, final bool) (token, bool) {
	const end = "]]>"
	i := bytes.Index(b, []byte(end))
	switch {
	case i == 0:
		l.cdata = false
		return token{raw: b[:len(end)]}, true
	case i > 0 || final:
		return l.cutText(b, i, final)
	}
	text := bytes.TrimRight(b, "]")
	text = b[:max(len(text), len(b)-2)]
	n := l.charset.whole(text)
	return textOf(text[:n]), n > 0
}

// cutRaw is the content of an element like textarea or style.
func (l *lexer) cutRaw(b []byte, final bool) (token, bool) {
	if i := bytes.IndexByte(b, '<'); i != 0 {
		return l.cutText(b, i, final)
	}
	switch p := tagPrefix(b, "</", l.raw); {
	case p == prefixShort && !final:
		return token{}, false
	case p == prefixYes:
		l.raw = ""
		return l.cutEnd(b)
	}
	return textOf(b[:1]), true
}

// cutEnd is the end tag of raw text; it may not be complete.
func (l *lexer) cutEnd(b []byte) (token, bool) { return l.cutData(b, false) }

type prefixing uint8

const (
	prefixNo prefixing = iota
	prefixYes
	prefixShort // there are too few bytes to tell
)

// prefix says whether b begins with s, which is in lower case, in any case.
func prefix(b []byte, s string) prefixing {
	n := min(len(b), len(s))
	if !bytes.EqualFold(b[:n], []byte(s[:n])) {
		return prefixNo
	}
	if n < len(s) {
		return prefixShort
	}
	return prefixYes
}

// tagPrefix says whether b begins with a whole tag name.
func tagPrefix(b []byte, open, name string) prefixing {
	p := prefix(b, open+name)
	if n := len(open) + len(name); p == prefixYes && len(b) == n {
		return prefixShort
	} else if p == prefixYes && !isSpace(b[n]) && b[n] != '/' && b[n] != '>' {
		return prefixNo
	}
	return p
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r' }

// wholeUTF8 is how much of b is whole characters.
func wholeUTF8(b []byte) int {
	for i := 1; i <= min(utf8.UTFMax-1, len(b)); i++ {
		last := b[len(b)-i:]
		if utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return len(b) - i
			}
			break
		}
	}
	return len(b)
}
