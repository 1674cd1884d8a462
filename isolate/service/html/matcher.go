package html

// matcher follows a document's open elements and says which registrations select each. An element
// is matched from its start tag alone: every open element carries the compounds that it satisfies,
// with those before them satisfied by its ancestors.
//
//	div > p.x      compound 0: div, compound 1: p.x (child)
//	<div>          self {0}  all {0}
//	  <p class=x>  self {1}, since 0 is in its parent's self: selected
type matcher struct {
	selectors []selector
	nodes     int
	ofType    bool
	open      []element // open[0] is the document
	counts    []int     // how many open elements each registration selects
	changed   bool      // counts, since somebody looked
}

// element is an open element.
type element struct {
	name     string
	id       int // of an element that has handlers, 0: none
	matched  []int
	self     bits // the compounds that it satisfies
	all      bits // and its ancestors
	children int
	types    map[string]int // children by name, where a selector asks for them
}

// bits is a set of compounds; nil is empty.
type bits []uint64

func (b bits) has(i int) bool { return b != nil && b[i/64]>>(i%64)&1 != 0 }

func (b bits) with(i, size int) bits {
	if b == nil {
		b = make(bits, (size+63)/64)
	}
	b[i/64] |= 1 << (i % 64)
	return b
}

func (b bits) union(other bits) bits {
	if other == nil {
		return b
	}
	if b == nil {
		return other
	}
	u := make(bits, len(b))
	for i := range u {
		u[i] = b[i] | other[i]
	}
	return u
}

// add registers a selector list and numbers it.
func (m *matcher) add(list []selector) {
	for _, s := range list {
		for i := range s {
			s[i].node = m.nodes
			m.nodes++
		}
		s[len(s)-1].selected = len(m.counts)
		m.selectors = append(m.selectors, s)
	}
	m.counts = append(m.counts, 0)
}

// match says what a start tag's element would be as a child of the innermost open one.
func (m *matcher) match(t *tag) element {
	parent := &m.open[len(m.open)-1]
	parent.children++
	c := candidate{tag: t, index: parent.children}
	if m.ofType {
		if parent.types == nil {
			parent.types = map[string]int{}
		}
		parent.types[t.name]++
		c.ofType = parent.types[t.name]
	}
	e := element{name: t.name}
	for _, s := range m.selectors {
		m.step(s, &c, parent, &e)
	}
	e.all = parent.all.union(e.self)
	return e
}

// step finds the compounds of s that the element satisfies.
func (m *matcher) step(s selector, c *candidate, parent, e *element) {
	for i := range s {
		if i > 0 && !parent.reaches(&s[i], s[i-1].node) || !s[i].matches(c) {
			continue
		}
		e.self = e.self.with(s[i].node, m.nodes)
		if n := s[i].selected; n >= 0 && (len(e.matched) == 0 || e.matched[len(e.matched)-1] != n) {
			e.matched = append(e.matched, n)
		}
	}
}

func (e *element) reaches(c *compound, before int) bool {
	if c.child {
		return e.self.has(before)
	}
	return e.all.has(before)
}

func (m *matcher) push(e element) {
	m.open = append(m.open, e)
	m.count(e.matched, +1)
}

// pop closes the innermost element of a name and all inside it, told to closed from the inside
// out; without one nothing.
func (m *matcher) pop(name string, closed func(*element)) {
	at := len(m.open) - 1
	for at > 0 && m.open[at].name != name {
		at--
	}
	if at == 0 {
		return
	}
	for i := len(m.open) - 1; i >= at; i-- {
		m.count(m.open[i].matched, -1)
		closed(&m.open[i])
		m.open[i] = element{}
	}
	m.open = m.open[:at]
}

func (m *matcher) count(matched []int, by int) {
	for _, n := range matched {
		m.counts[n] += by
		m.changed = true
	}
}
