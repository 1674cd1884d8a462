package control

import (
	"context"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"switchyard/engine"
)

// endpoint answers one API call with the envelope's result.
type endpoint func(c *call) (any, error)

// call is one API request after routing and authentication.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	params map[string]string // path parameters, percent-decoded
	who    engine.Token      // that it carries
}

func (c *call) param(name string) string { return c.params[name] }
func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }
func (c *call) context() context.Context { return c.r.Context() }

// ref names the script that the path is about: a plain Worker where it has no namespace.
func (c *call) ref() engine.Ref {
	return engine.Ref{Namespace: c.param("namespace"), Script: c.param("script")}
}

// router matches the escaped path segment by segment, so that a name may hold an encoded
// slash, and ignores empty segments, because a base URL with a trailing slash gives "//".
// A literal segment wins over a parameter.
//
//	root ─ "accounts" ─ {account} ─ "workers" ─ "scripts" ─ {script} ─ "settings"
type router struct{ root node }

type node struct {
	literal map[string]*node
	param   *node
	name    string // of the parameter that param stands for
	rest    bool   // a last "*" segment: everything below is this node's
	methods map[string]*target
}

// target is an endpoint in its place.
type target struct {
	endpoint endpoint
	pattern  string
	access   access
}

func (t *router) handle(method, pattern string, e endpoint) {
	n := &t.root
	for _, seg := range segments(pattern) {
		switch {
		case seg == "*":
			n.rest = true
		case seg[0] == '{':
			if n.param == nil {
				n.param, n.name = &node{}, seg[1:len(seg)-1]
			}
			if n.name != seg[1:len(seg)-1] {
				panic("BUG: two names for one parameter: " + pattern)
			}
			n = n.param
		default:
			if n.literal == nil {
				n.literal = map[string]*node{}
			}
			if n.literal[seg] == nil {
				n.literal[seg] = &node{}
			}
			n = n.literal[seg]
		}
	}
	if n.methods == nil {
		n.methods = map[string]*target{}
	}
	if n.methods[method] != nil {
		panic("BUG: two endpoints for " + method + " " + pattern)
	}
	n.methods[method] = &target{e, pattern, accessOf(method, pattern)}
}

// match returns the node that path ends at and the parameters on the way; nil if there is none.
func (t *router) match(path []string) (*node, map[string]string) {
	n, params := &t.root, map[string]string{}
	var rest *node
	for _, seg := range path {
		if n.rest {
			rest = n
		}
		switch next := n.literal[seg]; {
		case next != nil:
			n = next
		case n.param != nil:
			params[n.name] = seg
			n = n.param
		default:
			return rest, params
		}
	}
	if n.methods == nil {
		return rest, params
	}
	return n, params
}

// target picks the method; HEAD is GET and an empty method is any.
func (n *node) target(method string) *target {
	if method == http.MethodHead && n.methods[method] == nil {
		method = http.MethodGet
	}
	if e := n.methods[method]; e != nil {
		return e
	}
	return n.methods[""]
}

func (n *node) allow() string {
	var names []string
	for m := range n.methods {
		names = append(names, m)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// segments splits a path and drops the empty segments.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// decodedSegments splits the path as it was sent and then decodes each segment.
func decodedSegments(u *url.URL) ([]string, error) {
	segs := segments(u.EscapedPath())
	for i, seg := range segs {
		name, err := url.PathUnescape(seg)
		if err != nil {
			return nil, err
		}
		segs[i] = name
	}
	return segs, nil
}
