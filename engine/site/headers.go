package site

import (
	"slices"
	"strings"
)

const maxHeaderRules = 100

// Header is a response header; the name is in lower case.
type Header struct{ Name, Value string }

// headerRule is one path of a _headers file and what is below it.
type headerRule struct {
	path  pattern
	set   []Header
	unset []string
}

// parseHeaders reads a _headers file: a path, and below it lines of "name: value" and "! name".
// What is neither is ignored.
func parseHeaders(text string) []headerRule {
	var rules []headerRule
	var rule *headerRule
	keep := func() {
		if rule != nil && (len(rule.set) > 0 || len(rule.unset) > 0) {
			rules = append(rules, *rule)
		}
		rule = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || len(line) > maxLine:
		case line[0] == '/' || strings.Contains(line, "://") && !strings.ContainsAny(line[:strings.Index(line, "://")], " \t"):
			keep()
			if len(rules) == maxHeaderRules {
				return rules
			}
			rule = newHeaderRule(line)
		case rule != nil:
			rule.add(line)
		}
	}
	keep()
	return rules
}

// newHeaderRule begins a rule; nil where the path is none.
func newHeaderRule(line string) *headerRule {
	line, _ = cut(line, "#")
	line, _ = cut(line, "?")
	origin, path := "", line
	if rest, ok := strings.CutPrefix(line, crossHost); ok {
		host, after := cut(strings.TrimLeft(rest, "/"), "/")
		if _, port, _ := strings.Cut(host, ":"); host == "" || port != "" && strings.Trim(port, "0123456789") == "" {
			return nil
		}
		origin, path = crossHost+host, after
	}
	if path != "" && path[0] != '/' {
		return nil // another scheme
	}
	p, err := newPattern(origin + urlPath(path))
	if err != nil {
		return nil
	}
	return &headerRule{path: p}
}

func (r *headerRule) add(line string) {
	name, value, pair := strings.Cut(line, ":")
	if !pair {
		if name, ok := strings.CutPrefix(line, "! "); ok {
			r.unset = append(r.unset, strings.ToLower(strings.TrimSpace(name)))
		}
		return
	}
	name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
	if value == "" || !settable(name) || strings.ContainsFunc(value, notValue) {
		return
	}
	for i := range r.set {
		if r.set[i].Name == name {
			r.set[i].Value += ", " + value
			return
		}
	}
	r.set = append(r.set, Header{name, value})
}

func notValue(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// settable says that a tenant may set a header: it is a token, and neither frames the message
// nor speaks for the platform.
func settable(name string) bool {
	if name == "" || strings.HasPrefix(name, "x-switchyard-") {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	switch name {
	case "connection", "content-length", "transfer-encoding", "keep-alive", "te", "trailer", "upgrade", "date":
		return false
	}
	return true
}

// HasHeaders says whether there are rules for headers at all.
func (c *Config) HasHeaders() bool { return len(c.headers) > 0 }

// Headers lays the rules for a request over the headers of its response. The first rule that
// sets a header replaces it, further ones add to it.
func (c *Config) Headers(r *Request, headers []Header) []Header {
	var set []string
	for i := range c.headers {
		rule := &c.headers[i]
		values, ok := rule.path.match(r.Hostname, r.Path)
		if !ok {
			continue
		}
		for _, name := range rule.unset {
			headers = slices.DeleteFunc(headers, func(h Header) bool { return h.Name == name })
		}
		for _, h := range rule.set {
			h.Value = rule.path.expand(h.Value, values)
			headers = setHeader(headers, h, slices.Contains(set, h.Name))
			set = append(set, h.Name)
		}
	}
	return headers
}

func setHeader(headers []Header, h Header, add bool) []Header {
	i := slices.IndexFunc(headers, func(x Header) bool { return x.Name == h.Name })
	switch {
	case i < 0 || add && h.Name == "set-cookie":
		return append(headers, h)
	case add:
		headers[i].Value += ", " + h.Value
	default:
		headers[i].Value = h.Value
	}
	return headers
}
