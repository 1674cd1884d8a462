package site

import (
	"strconv"
	"strings"
)

// Ceilings of the documentation. Lines beyond them are ignored, as are lines that are no rule.
const (
	maxLine             = 2000 // bytes
	maxStaticRedirects  = 2000
	maxDynamicRedirects = 100
)

// redirects are the rules of a _redirects file. A rule without wildcards that stands before
// every one with them is found by its path; the others are tried in order.
type redirects struct {
	static  map[string]redirect
	dynamic []redirect
}

type redirect struct {
	from   pattern
	to     string
	status int // 200: another path's file, without a redirect
}

// parseRedirects reads lines of "from to [status]".
func parseRedirects(text, html string) redirects {
	r := redirects{static: map[string]redirect{}}
	seen := map[string]bool{}
	statics, dynamics := 0, 0
	for line := range strings.SplitSeq(text, "\n") {
		rule, ok := parseRedirect(strings.TrimSpace(line))
		if !ok {
			continue
		}
		static := rule.from.kind == exact && dynamics == 0
		if static {
			statics++
		} else if dynamics++; dynamics > maxDynamicRedirects {
			return r
		}
		if static && statics > maxStaticRedirects || seen[rule.from.text] || rule.loops(html) {
			continue
		}
		seen[rule.from.text] = true
		if static {
			r.static[rule.from.text] = rule
		} else {
			r.dynamic = append(r.dynamic, rule)
		}
	}
	return r
}

func parseRedirect(line string) (r redirect, ok bool) {
	if line == "" || line[0] == '#' || len(line) > maxLine {
		return r, false
	}
	fields := strings.Fields(line)
	for i, f := range fields {
		if i > 0 && f[0] == '#' {
			fields = fields[:i]
			break
		}
	}
	if len(fields) < 2 || len(fields) > 3 {
		return r, false
	}
	from := fields[0]
	if strings.HasPrefix(from, crossHost) {
		return r, false // only paths are redirected from
	}
	from, _ = cut("/"+strings.TrimPrefix(from, "/"), "#")
	from, _ = cut(from, "?")
	r.status = 302
	if len(fields) == 3 {
		r.status, _ = strconv.Atoi(fields[2])
	}
	if !permitted(r.status) {
		return r, false
	}
	var err error
	if r.from, err = newPattern(urlPath(from)); err != nil {
		return r, false
	}
	r.to = fields[1]
	absolute := strings.HasPrefix(r.to, crossHost)
	return r, (absolute || r.to[0] == '/') && !(absolute && r.status == 200)
}

func permitted(status int) bool {
	switch status {
	case 200, 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// loops reports whether the rule leads to a page whose canonical URL the rule matches again.
func (r *redirect) loops(html string) bool {
	if r.to[0] != '/' {
		return false
	}
	index := strings.HasSuffix(r.to, "/index") || strings.HasSuffix(r.to, "/index.html")
	return index && (strings.HasSuffix(r.from.text, "/*") || html != NoHTML && strings.HasSuffix(r.from.text, "/"))
}

// find returns the rule for a path, and where it leads.
func (r *redirects) find(hostname, path string) (status int, to target, ok bool) {
	if rule, found := r.static[path]; found {
		to, ok = parseTarget(rule.to)
		return rule.status, to, ok
	}
	for i := range r.dynamic {
		rule := &r.dynamic[i]
		values, matches := rule.from.match(hostname, path)
		if !matches {
			continue
		}
		dest := rule.from.expand(rule.to, values)
		if !strings.Contains(dest, "://") {
			dest = collapseSlashes(dest)
		}
		to, ok = parseTarget(dest)
		return rule.status, to, ok
	}
	return 0, to, false
}
