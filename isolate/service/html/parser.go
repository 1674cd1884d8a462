package html

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"switchyard/isolate/service"
)

// Ceilings of one selector.
const (
	maxSelector = 4096 // bytes
	maxNesting  = 8    // :not() in :not()
)

func refuse(why string) error { return service.Fail("TypeError", "Parser error: "+why) }

var (
	errEmpty       = refuse("The selector is empty.")
	errEnd         = refuse("Unexpected end of selector.")
	errToken       = refuse("Unexpected token in selector.")
	errAttribute   = refuse("Unexpected token in the attribute selector.")
	errDangling    = refuse("Dangling combinator in selector.")
	errPseudo      = refuse("Unsupported pseudo-class or pseudo-element in selector.")
	errNamespace   = refuse("Selectors with explicit namespaces are not supported.")
	errLong        = refuse("The selector is too long.")
	errCombination = refuse("Unsupported combinator in a negation of a selector.")
)

// parser reads what Selectors Level 4 calls a selector list, as far as a stream of tags can be
// matched against it.
type parser struct {
	text    string
	at      int
	nesting int
}

func parseSelectors(text string) ([]selector, error) {
	if len(text) > maxSelector {
		return nil, errLong
	}
	p := &parser{text: text}
	var list []selector
	for {
		s, err := p.selector()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
		if p.at == len(p.text) {
			return list, nil
		}
		if !p.take(",") {
			return nil, errToken
		}
	}
}

// selector reads up to a comma, a closing parenthesis or the end.
func (p *parser) selector() (selector, error) {
	p.space()
	var s selector
	for child := false; ; {
		c, err := p.compound()
		if err == errEmpty && len(s) > 0 {
			err = errDangling
		}
		if err != nil {
			return nil, err
		}
		c.child = child
		s = append(s, c)
		spaced := p.space()
		next := p.peek()
		switch {
		case next == 0 || next == ',' || next == ')':
			return s, nil
		case next == '+' || next == '~':
			return nil, refuse("Unsupported combinator `" + string(next) + "` in selector.")
		case next == '>':
			p.at++
			p.space()
			child = true
		case spaced:
			child = false
		default:
			return nil, errToken
		}
	}
}

func (p *parser) compound() (compound, error) {
	c, start := compound{selected: -1}, p.at
	if err := p.typeName(&c); err != nil {
		return c, err
	}
	for {
		t, err := p.test()
		if err != nil {
			return c, err
		}
		if t == nil {
			break
		}
		c.tests = append(c.tests, t)
	}
	if p.at == start {
		return c, errEmpty
	}
	return c, nil
}

func (p *parser) typeName(c *compound) error {
	if p.take("*|") {
		if !p.take("*") {
			c.name = strings.ToLower(p.ident())
		}
		return nil
	}
	if !p.take("*") {
		c.name = strings.ToLower(p.ident())
	}
	if p.peek() == '|' {
		return errNamespace
	}
	return nil
}

// test reads one simple selector behind the type; nil: there is none.
func (p *parser) test() (test, error) {
	switch {
	case p.take("#"):
		return p.named("id", "=")
	case p.take("."):
		return p.named("class", "~=")
	case p.take("["):
		return p.attribute()
	case p.take(":"):
		return p.pseudo()
	}
	return nil, nil
}

func (p *parser) named(attribute, operator string) (test, error) {
	name := p.ident()
	if name == "" {
		return nil, errEmpty
	}
	return attributeTest(attribute, operator, name, false), nil
}

func (p *parser) attribute() (test, error) {
	p.space()
	name := p.ident()
	p.space()
	switch {
	case p.at == len(p.text):
		return nil, errEnd
	case name == "":
		return nil, errAttribute
	case p.take("]"):
		return attributeTest(name, "", "", false), nil
	}
	operator := p.operator()
	p.space()
	value, ok := p.value()
	if operator == "" || !ok {
		return nil, errAttribute
	}
	p.space()
	flag := strings.ToLower(p.ident())
	p.space()
	if flag != "" && flag != "i" && flag != "s" || !p.take("]") {
		return nil, errAttribute
	}
	return attributeTest(name, operator, value, flag == "i" || flag == "" && caseless[name]), nil
}

func (p *parser) operator() string {
	for _, o := range [...]string{"=", "~=", "|=", "^=", "$=", "*="} {
		if p.take(o) {
			return o
		}
	}
	return ""
}

// value is an identifier or a string.
func (p *parser) value() (string, bool) {
	quote := p.peek()
	if quote != '"' && quote != '\'' {
		v := p.ident()
		return v, v != ""
	}
	p.at++
	var v strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			return v.String(), true
		case c == '\\':
			v.WriteString(p.escape())
		default:
			v.WriteByte(c)
			p.at++
		}
	}
	return "", false
}

func (p *parser) pseudo() (test, error) {
	name := strings.ToLower(p.ident())
	ofType := strings.HasSuffix(name, "-of-type")
	switch name {
	case "first-child", "first-of-type":
		return nthTest(0, 1, ofType), nil
	case "nth-child", "nth-of-type":
		arg, ok := p.argument()
		a, b, valid := parseNth(arg)
		if !ok || !valid {
			return nil, errToken
		}
		return nthTest(a, b, ofType), nil
	case "not":
		if p.take("(") {
			return p.not()
		}
	}
	return nil, errPseudo
}

func (p *parser) argument() (string, bool) {
	if !p.take("(") {
		return "", false
	}
	arg, _, ok := strings.Cut(p.text[p.at:], ")")
	p.at += len(arg) + 1
	return arg, ok
}

func (p *parser) not() (test, error) {
	if p.nesting++; p.nesting > maxNesting {
		return nil, errLong
	}
	defer func() { p.nesting-- }()
	var none []compound
	for {
		s, err := p.selector()
		if err != nil {
			return nil, err
		}
		if len(s) != 1 {
			return nil, errCombination
		}
		none = append(none, s[0])
		switch {
		case p.take(")"):
			return notTest(none), nil
		case !p.take(","):
			return nil, errEnd
		}
	}
}

// parseNth reads An+B (CSS Syntax 6): odd, even, a number, or with n.
func parseNth(text string) (a, b int, ok bool) {
	text = strings.ToLower(strings.Join(strings.Fields(text), ""))
	switch text {
	case "odd":
		return 2, 1, true
	case "even":
		return 2, 0, true
	}
	before, after, hasN := strings.Cut(text, "n")
	if !hasN {
		b, err := strconv.ParseInt(text, 10, 32)
		return 0, int(b), err == nil
	}
	switch before {
	case "", "+", "-":
		before += "1"
	}
	x, err := strconv.ParseInt(before, 10, 32)
	if err != nil {
		return 0, 0, false
	}
	if after == "" {
		return int(x), 0, true
	}
	y, err := strconv.ParseInt(after, 10, 32)
	return int(x), int(y), err == nil && (after[0] == '+' || after[0] == '-')
}

// ident reads an identifier (CSS Syntax 4.3.11); "": there is none.
func (p *parser) ident() string {
	rest := strings.TrimLeft(p.text[p.at:], "-")
	if dashes := len(p.text) - p.at - len(rest); dashes < 2 && (rest == "" || !isNameStart(rest[0])) {
		return ""
	}
	var name strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '\\':
			name.WriteString(p.escape())
		case isNameStart(c) || c == '-' || '0' <= c && c <= '9':
			name.WriteByte(c)
			p.at++
		default:
			return name.String()
		}
	}
	return name.String()
}

func isNameStart(c byte) bool { return isLetter(c) || c == '_' || c == '\\' || c >= utf8.RuneSelf }

// escape reads a backslash and what it stands for: a character, or its number in hexadecimal.
func (p *parser) escape() string {
	p.at++
	end := p.at
	for end < min(len(p.text), p.at+6) && strings.IndexByte("0123456789abcdefABCDEF", p.text[end]) >= 0 {
		end++
	}
	if end > p.at {
		r, _ := strconv.ParseUint(p.text[p.at:end], 16, 32)
		p.at = end
		if p.at < len(p.text) && isSpace(p.text[p.at]) {
			p.at++
		}
		return string(rune(r))
	}
	_, n := utf8.DecodeRuneInString(p.text[p.at:])
	p.at += n
	return p.text[end : end+n]
}

// space skips white space and comments.
func (p *parser) space() bool {
	start := p.at
	for {
		switch {
		case p.at < len(p.text) && isSpace(p.text[p.at]):
			p.at++
		case strings.HasPrefix(p.text[p.at:], "/*"):
			_, rest, _ := strings.Cut(p.text[p.at+2:], "*/")
			p.at = len(p.text) - len(rest)
		default:
			return p.at > start
		}
	}
}

func (p *parser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) take(what string) bool {
	if !strings.HasPrefix(p.text[p.at:], what) {
		return false
	}
	p.at += len(what)
	return true
}
