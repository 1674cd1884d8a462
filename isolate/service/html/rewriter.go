package html

import (
	"encoding/json"
	"strings"
)

// rewriter turns a document into events, which the guest's handlers turn into a document again.
// What a handler changes does not change what is matched, so that a piece of the document is cut
// and matched at once, and its handlers run after that.
type rewriter struct {
	lexer
	tree
	matcher
	wants    []wants // by registration
	document wants
	lastID   int
	inText   bool // a text has been told whose end has not
	textFor  []int
	comments []int
	events   events
	failed   error
}

// wants is what somebody has handlers for.
type wants int

const (
	wantsElements wants = 1 << iota
	wantsComments
	wantsText
	wantsDoctype
)

// spec is what a rewriter is made from.
type spec struct {
	Charset   string
	Document  wants
	Selectors []registration
}

type registration struct {
	Selector string
	Wants    wants
}

// Ceilings of one rewriter.
const (
	maxRegistrations = 1024
	maxMemory        = 3 << 20 // bytes of a token that is not complete, and of open elements
	elementMemory    = 256     // what an open element takes, about
	maxEvents        = 256 << 10
)

var errMemory = refuse("The memory limit has been exceeded.")

func newRewriter(text []byte) (*rewriter, error) {
	var s spec
	if err := json.Unmarshal(text, &s); err != nil {
		panic("BUG: html: " + err.Error())
	}
	if len(s.Selectors) > maxRegistrations {
		return nil, refuse("There are too many selectors.")
	}
	w := &rewriter{document: s.Document}
	w.open = make([]element, 1)
	var err error
	if w.charset, err = charsetOf(s.Charset); err != nil {
		return nil, err
	}
	w.events.charset = w.charset
	for _, r := range s.Selectors {
		list, err := parseSelectors(r.Selector)
		if err != nil {
			return nil, err
		}
		w.add(list)
		w.wants = append(w.wants, r.Wants)
		w.ofType = w.ofType || strings.Contains(strings.ToLower(r.Selector), "of-type")
	}
	return w, nil
}

// run tells the events of what can be cut now, up to maxEvents; more: there are others.
func (w *rewriter) run(final bool) (answer []byte, err error) {
	w.events.reset()
	more := false
	for !more && w.failed == nil {
		t, ok := w.lexer.next(final)
		if !ok {
			break
		}
		w.failed = w.take(&t)
		more = w.events.size() > maxEvents
	}
	if !more && w.waiting() > maxMemory || len(w.open)*elementMemory > maxMemory {
		w.failed = errMemory
	}
	switch {
	case w.failed != nil && w.events.size() == 0:
		return nil, w.failed
	case w.failed != nil:
		more = true // what comes before the failure is told first
	case final && !more:
		w.endText()
	}
	return w.events.answer(more), nil
}

func (w *rewriter) take(t *token) error {
	if t.kind != textToken && t.kind != markupToken {
		w.endText()
	}
	switch t.kind {
	case startToken:
		return w.takeStart(t)
	case endToken:
		w.takeEnd(t)
	case textToken:
		w.takeText(t)
	case commentToken:
		w.takeComment(t)
	case doctypeToken:
		w.takeDoctype(t)
	default:
		w.events.pass(t.raw)
	}
	return nil
}

func (w *rewriter) takeStart(t *token) (err error) {
	if w.raw, err = w.tree.start(&t.tag); err != nil {
		return err
	}
	ns := w.current()
	w.foreign = ns != inHTML
	e := w.match(&t.tag)
	content := !voidElements[e.name] && !(t.tag.selfClosing && w.foreign)
	if handlers := w.wanted(e.matched, wantsElements); len(handlers) > 0 {
		w.lastID++
		e.id = w.lastID
		w.events.start(t, e.id, handlers, ns, content)
	} else {
		w.events.pass(t.raw)
	}
	if content {
		w.push(e)
	}
	return nil
}

func (w *rewriter) takeEnd(t *token) {
	w.tree.end(t.tag.name)
	w.foreign = w.current() != inHTML
	var closed []int
	w.pop(t.tag.name, func(e *element) {
		if e.id != 0 {
			closed = append(closed, e.id)
		}
	})
	if len(closed) > 0 {
		w.events.end(t, closed)
	} else {
		w.events.pass(t.raw)
	}
}

func (w *rewriter) takeText(t *token) {
	w.lookUp()
	if len(w.textFor) == 0 && w.document&wantsText == 0 {
		w.events.pass(t.raw)
		return
	}
	w.inText = true
	w.events.text(t.raw, w.textFor, false)
}

// endText tells the end of a text that has been told.
func (w *rewriter) endText() {
	if w.inText {
		w.lookUp()
		w.events.text(nil, w.textFor, true)
	}
	w.inText = false
}

func (w *rewriter) takeComment(t *token) {
	w.lookUp()
	if len(w.comments) == 0 && w.document&wantsComments == 0 {
		w.events.pass(t.raw)
		return
	}
	w.events.comment(t, w.comments)
}

func (w *rewriter) takeDoctype(t *token) {
	if w.document&wantsDoctype == 0 {
		w.events.pass(t.raw)
		return
	}
	w.events.doctype(t.raw, parseDoctype(string(w.charset.decode(t.text))))
}

// lookUp finds who gets texts and comments where the document is now.
func (w *rewriter) lookUp() {
	if !w.changed {
		return
	}
	w.changed = false
	w.textFor, w.comments = w.textFor[:0], w.comments[:0]
	for n, open := range w.counts {
		if open > 0 && w.wants[n]&wantsText != 0 {
			w.textFor = append(w.textFor, n)
		}
		if open > 0 && w.wants[n]&wantsComments != 0 {
			w.comments = append(w.comments, n)
		}
	}
}

func (w *rewriter) wanted(matched []int, what wants) (handlers []int) {
	for _, n := range matched {
		if w.wants[n]&what != 0 {
			handlers = append(handlers, n)
		}
	}
	return handlers
}
