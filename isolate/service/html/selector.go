package html

import (
	"bytes"
	"strings"
)

// selector is one alternative of a selector list: compounds from the outermost element to the one
// that it selects.
type selector []compound

// compound is what one element must be.
type compound struct {
	child    bool // it must be a child of the one before, not any descendant
	name     string
	tests    []test
	node     int // the number of this compound in its program
	selected int // the number of the registration that it selects for, −1: a part on the way
}

// test is one condition of an element that has index-th place among its siblings, and among those
// of its name.
type test func(e *candidate) bool

type candidate struct {
	tag           *tag
	index, ofType int
}

func (c *compound) matches(e *candidate) bool {
	if c.name != "" && c.name != e.tag.name {
		return false
	}
	for _, t := range c.tests {
		if !t(e) {
			return false
		}
	}
	return true
}

// caseless are the attributes whose values HTML compares without case.
var caseless = set("accept", "accept-charset", "align", "alink", "axis", "bgcolor", "charset", "checked", "clear", "codetype",
	"color", "compact", "declare", "defer", "dir", "direction", "disabled", "enctype", "face", "frame", "hreflang", "http-equiv",
	"lang", "language", "link", "media", "method", "multiple", "nohref", "noresize", "noshade", "nowrap", "readonly", "rel",
	"rev", "rules", "scope", "scrolling", "selected", "shape", "target", "text", "type", "valign", "valuetype", "vlink")

// attributeTest compares an attribute; the operator is "" for its mere presence. The name counts
// as it is written: documents' names are in lower case.
func attributeTest(name, operator, want string, ignoreCase bool) test {
	if name != strings.ToLower(name) {
		return func(*candidate) bool { return false }
	}
	return func(e *candidate) bool {
		value, ok := e.tag.attribute(name)
		if !ok || operator == "" {
			return ok
		}
		v, w := value, []byte(want)
		if ignoreCase {
			v, w = bytes.ToLower(v), bytes.ToLower(w)
		}
		return compare(operator, v, w)
	}
}

func compare(operator string, value, want []byte) bool {
	switch operator {
	case "=":
		return bytes.Equal(value, want)
	case "~=":
		return hasWord(value, want)
	case "|=":
		return bytes.HasPrefix(value, want) && (len(value) == len(want) || value[len(want)] == '-')
	case "^=":
		return bytes.HasPrefix(value, want)
	case "$=":
		return bytes.HasSuffix(value, want)
	}
	return len(want) > 0 && bytes.Contains(value, want)
}

func hasWord(value, word []byte) bool {
	for w := range bytes.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(spaces, r) }) {
		if bytes.Equal(w, word) {
			return true
		}
	}
	return false
}

// nthTest is An+B, of siblings or of siblings of the same name.
func nthTest(a, b int, ofType bool) test {
	return func(e *candidate) bool {
		n := e.index
		if ofType {
			n = e.ofType
		}
		if n -= b; a == 0 {
			return n == 0
		}
		return n%a == 0 && n/a >= 0
	}
}

// notTest is :not() of a list of compounds.
func notTest(none []compound) test {
	return func(e *candidate) bool {
		for i := range none {
			if none[i].matches(e) {
				return false
			}
		}
		return true
	}
}
