package site

import (
	"errors"
	"regexp"
	"strings"
)

// pattern is the path of a rule in _redirects or _headers:
//
//	/blog/*                 a splat: any bytes, slashes too; at most one
//	/movies/:title          a placeholder: one segment; in a host, one label
//	https://:sub.example.com/*   with a host, whatever the request's scheme
//
// Most rules are literal or end with their only splat: these need no regular expression.
// Go's have linear time, whatever a tenant writes.
type pattern struct {
	text    string
	host    bool           // text begins with a host: the request's is matched too
	literal string         // up to the first splat or placeholder
	kind    patternKind    //
	re      *regexp.Regexp // of wild
	names   []string       // of what is captured, in the order of captures
}

type patternKind uint8

const (
	exact  patternKind = iota
	prefix             // literal, then a splat
	wild               // re
)

const crossHost = "https://"

var placeholder = regexp.MustCompile(`:[A-Za-z]\w*`)

var errTwice = errors.New("a splat or a placeholder of one name may stand in a rule once")

func newPattern(text string) (p pattern, err error) {
	p = pattern{text: text, host: strings.HasPrefix(text, crossHost), literal: text}
	first := wildcardAt(text)
	if first < 0 {
		return p, nil
	}
	p.literal = text[:first]
	if first == len(text)-1 && text[first] == '*' {
		p.kind, p.names = prefix, []string{"splat"}
		return p, nil
	}
	p.kind = wild
	var re strings.Builder
	re.WriteString("^")
	hostEnd := 0
	if p.host {
		before, _ := cut(text[len(crossHost):], "/")
		hostEnd = len(crossHost) + len(before)
	}
	for at := 0; at < len(text); {
		next := wildcardAt(text[at:])
		if next < 0 {
			re.WriteString(regexp.QuoteMeta(text[at:]))
			break
		}
		re.WriteString(regexp.QuoteMeta(text[at : at+next]))
		at += next
		name, group := "splat", "(.*)"
		if text[at] == ':' {
			name, group = placeholder.FindString(text[at:])[1:], "([^/]+)"
			if at < hostEnd {
				group = "([^/.]+)"
			}
			at += len(name)
		}
		at++
		for _, n := range p.names {
			if n == name {
				return p, errTwice
			}
		}
		re.WriteString(group)
		p.names = append(p.names, name)
	}
	p.re, err = regexp.Compile(re.String() + "$")
	return p, err
}

// wildcardAt returns where the first splat or placeholder is, -1 when there is none.
func wildcardAt(text string) int {
	star := strings.IndexByte(text, '*')
	if at := placeholder.FindStringIndex(text); at != nil && (star < 0 || at[0] < star) {
		return at[0]
	}
	return star
}

// match returns what the wildcards stand for, nil for none of them.
func (p *pattern) match(hostname, path string) (values []string, ok bool) {
	if p.host {
		path = crossHost + hostname + path
	}
	switch p.kind {
	case exact:
		return nil, path == p.literal
	case prefix:
		if !strings.HasPrefix(path, p.literal) {
			return nil, false
		}
		return []string{path[len(p.literal):]}, true
	}
	if !strings.HasPrefix(path, p.literal) {
		return nil, false
	}
	found := p.re.FindStringSubmatch(path)
	if found == nil {
		return nil, false
	}
	return found[1:], true
}

// expand puts values in the place of ":name" in text. What stands in a value is not looked at
// again.
func (p *pattern) expand(text string, values []string) string {
	if len(p.names) == 0 || !strings.Contains(text, ":") {
		return text
	}
	var b strings.Builder
	for {
		before, rest := cut(text, ":")
		b.WriteString(before)
		if rest == "" {
			return b.String()
		}
		i := p.longestName(rest[1:])
		if i < 0 {
			b.WriteByte(':')
			text = rest[1:]
			continue
		}
		b.WriteString(values[i])
		text = rest[1+len(p.names[i]):]
	}
}

// longestName finds the longest of the names that text begins with; -1 when there is none.
func (p *pattern) longestName(text string) int {
	found := -1
	for i, name := range p.names {
		if strings.HasPrefix(text, name) && (found < 0 || len(name) > len(p.names[found])) {
			found = i
		}
	}
	return found
}
