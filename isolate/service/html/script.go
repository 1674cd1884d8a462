package html

import "bytes"

// scriptState is where in a script the lexer is: in an escaped part, from "<!--" to "-->",
// a "<script" has to be closed before a "</script>" ends the element.
type scriptState uint8

const (
	scriptPlain scriptState = iota
	scriptEscaped
	scriptDoubleEscaped
)

func (l *lexer) cutScript(b []byte, final bool) (token, bool) {
	marks := "<"
	if l.script != scriptPlain {
		marks = "<-"
	}
	if i := bytes.IndexAny(b, marks); i != 0 {
		return l.cutText(b, i, final)
	}
	const scriptTag, endTag = len("<script"), len("</script")
	end, start := tagPrefix(b, "</", "script"), tagPrefix(b, "<", "script")
	open, dashes := prefix(b, "<!--"), prefix(b, "-->")
	switch {
	case !final && (end == prefixShort || start == prefixShort || open == prefixShort || dashes == prefixShort):
		return token{}, false
	case end == prefixYes && l.script == scriptDoubleEscaped:
		l.script = scriptEscaped
		return textOf(b[:endTag]), true
	case end == prefixYes:
		l.raw, l.script = "", scriptPlain
		return l.cutEnd(b)
	case start == prefixYes && l.script == scriptEscaped:
		l.script = scriptDoubleEscaped
		return textOf(b[:scriptTag]), true
	case open == prefixYes && l.script == scriptPlain:
		l.script = scriptEscaped
		return textOf(b[:len("<!")]), true // its dashes may be those of "-->", too
	case dashes == prefixYes:
		l.script = scriptPlain
		return textOf(b[:len("-->")]), true
	}
	return textOf(b[:1]), true
}
