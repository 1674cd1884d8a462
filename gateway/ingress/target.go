package ingress

import (
	"bytes"

	"github.com/nlnwa/whatwg-url/url"
)

// targetBytes says which bytes stand as they are in a path and in a query of an http URL.
// The rest is percent-encoded, or means something, and is left to the URL parser.
var targetBytes = func() (t [256]struct{ path, query bool }) {
	for c := '!'; c <= '~'; c++ {
		t[c].path, t[c].query = true, true
	}
	for _, c := range "\"#<>" {
		t[c].path, t[c].query = false, false
	}
	for _, c := range "\\^`{}?" {
		t[c].path = false
	}
	t['\''].query = false
	return t
}()

// parser is the URL standard's, with '^' in the path set, where the standard put it in 2024.
var parser = url.NewParser(url.WithPathPercentEncodeSet(url.PathPercentEncodeSet.Set('^')))

// canonicalTarget reports whether target, which begins with '/', is what a WHATWG URL parser
// would make of it: true for nearly all. It is careful rather than exact; "/.x" goes the slow
// way as "/../" does.
func canonicalTarget(target []byte) bool {
	path, query, _ := bytes.Cut(target, []byte{'?'})
	for i, c := range path {
		switch {
		case !targetBytes[c].path:
			return false
		case c == '.' && path[i-1] == '/':
			return false
		case c == '%' && i+2 < len(path) && path[i+1] == '2' && path[i+2]|0x20 == 'e':
			return false
		}
	}
	for _, c := range query {
		if !targetBytes[c].query {
			return false
		}
	}
	return true
}

// appendTarget appends path and query of an origin-form target as the URL standard serialises
// them: dot segments resolved, nothing decoded, whatever must be escaped escaped. It reports
// false for a target that has no such form.
func appendTarget(dst, target []byte) ([]byte, bool) {
	if canonicalTarget(target) {
		return append(dst, target...), true
	}
	if bytes.IndexByte(target, '#') >= 0 {
		return dst, false // RFC 9112: a request target has no fragment
	}
	const base = "http://h"
	u, err := parser.Parse(base + string(escapeHigh(target)))
	if err != nil {
		return dst, false
	}
	return append(dst, u.Href(true)[len(base):]...), true
}

// escapeHigh percent-encodes every byte beyond ASCII, so that bytes that are not UTF-8 reach
// the Worker as they came.
func escapeHigh(b []byte) []byte {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(b)+32)
	for _, c := range b {
		if c < 0x80 {
			out = append(out, c)
		} else {
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return out
}

// splitAbsolute takes an absolute-form target apart. The scheme is dropped: whether the client
// speaks TLS is known better than it may say. rest begins with '/' or '?' or is empty.
func splitAbsolute(target []byte) (authority, rest []byte, ok bool) {
	scheme, after, ok := bytes.Cut(target, []byte("://"))
	if !ok || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return nil, nil, false
	}
	end := bytes.IndexAny(after, "/?")
	if end < 0 {
		end = len(after)
	}
	return after[:end], after[end:], true
}

// equalFold compares ASCII without regard to case. lower must be lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
