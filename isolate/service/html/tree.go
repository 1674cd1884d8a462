package html

import "switchyard/isolate/service"

// tree knows as much of a tree builder as the lexer needs: whether content is HTML or foreign
// (WHATWG HTML 13.2.6.5), and whether an element's content is text.
type tree struct {
	namespaces []namespace // entered and not left; HTML is below them all
	guard      guard
}

type namespace uint8

const (
	inHTML namespace = iota
	inSVG
	inMathML
)

func set(names ...string) map[string]bool {
	s := make(map[string]bool, len(names))
	for _, n := range names {
		s[n] = true
	}
	return s
}

var (
	voidElements = set("area", "base", "basefont", "bgsound", "br", "col", "embed", "hr", "img", "input", "keygen",
		"link", "meta", "param", "source", "track", "wbr")
	textElements = set("iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp")
	breakouts    = set("b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed",
		"h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p",
		"pre", "ruby", "s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var")
	svgIntegration  = set("desc", "title", "foreignobject")
	mathIntegration = set("mi", "mo", "mn", "ms", "mtext")
)

func (t *tree) current() namespace {
	if len(t.namespaces) == 0 {
		return inHTML
	}
	return t.namespaces[len(t.namespaces)-1]
}

func (t *tree) enter(n namespace) { t.namespaces = append(t.namespaces, n) }

func (t *tree) leave() { t.namespaces = t.namespaces[:len(t.namespaces)-1] }

// start is a start tag; it returns the element whose content is text, "" for none.
func (t *tree) start(g *tag) (raw string, err error) {
	if err := t.guard.start(g.name); err != nil {
		return "", err
	}
	ns := t.current()
	switch {
	case g.name == "svg" || g.name == "math":
		if !g.selfClosing {
			t.enter(map[string]namespace{"svg": inSVG, "math": inMathML}[g.name])
		}
	case ns != inHTML:
		t.startForeign(g, ns)
	case textElements[g.name]:
		return g.name, nil
	}
	return "", nil
}

func (t *tree) startForeign(g *tag, ns namespace) {
	switch {
	case breakouts[g.name] || g.name == "font" && isHTMLFont(g):
		t.leave()
	case g.selfClosing:
	case ns == inSVG && svgIntegration[g.name], ns == inMathML && (mathIntegration[g.name] || isHTMLAnnotation(g)):
		t.enter(inHTML)
	}
}

func isHTMLFont(g *tag) bool {
	for _, name := range [...]string{"color", "face", "size"} {
		if _, ok := g.attribute(name); ok {
			return true
		}
	}
	return false
}

func isHTMLAnnotation(g *tag) bool {
	encoding, _ := g.attribute("encoding")
	return g.name == "annotation-xml" && (prefix(encoding, "text/html") == prefixYes || prefix(encoding, "application/xhtml+xml") == prefixYes)
}

func (t *tree) end(name string) {
	t.guard.end(name)
	switch ns := t.current(); {
	case ns == inSVG && name == "svg", ns == inMathML && name == "math":
		t.leave()
	case ns != inHTML && (name == "p" || name == "br"):
		t.leave()
	case ns == inHTML && len(t.namespaces) > 1:
		outer := t.namespaces[len(t.namespaces)-2]
		if outer == inSVG && svgIntegration[name] || outer == inMathML && (mathIntegration[name] || name == "annotation-xml") {
			t.leave()
		}
	}
}

// guard refuses an element with text content where only a whole tree builder could say whether
// its tag counts: a lexer that guesses wrong takes text for markup, which is how scripts are
// injected.
type guard struct {
	place     place
	templates int // open in a select
}

type place uint8

const (
	anywhere place = iota
	inSelect
	inSelectTemplate
	inFrameset
)

func (g *guard) start(name string) error {
	switch {
	case g.place == anywhere && name == "select":
		g.place = inSelect
	case g.place == anywhere && name == "frameset":
		g.place = inFrameset
	case g.place == inSelect && (name == "select" || name == "textarea" || name == "input" || name == "keygen"):
		g.place = anywhere
	case (g.place == inSelect || g.place == inSelectTemplate) && name == "template":
		g.place = inSelectTemplate
		g.templates++
	case g.place == inSelect && name != "script" && textElements[name], g.place == inFrameset && name != "noframes" && textElements[name]:
		return service.Fail("TypeError", "Parser error: The parser has encountered a text content tag (`<"+name+">`) in the context where it is ambiguous whether this tag should be ignored or not. And, thus, is is unclear is consequent content should be parsed as raw text or HTML markup.\n\nThis error occurs due to the limited capabilities of the streaming parsing. However, almost all of the cases of this error are caused by a non-conforming markup (e.g. a `<script>` element in `<select>` element).")
	}
	return nil
}

func (g *guard) end(name string) {
	switch {
	case g.place == inSelect && name == "select":
		g.place = anywhere
	case g.place == inSelectTemplate && name == "template":
		if g.templates--; g.templates == 0 {
			g.place = inSelect
		}
	}
}
