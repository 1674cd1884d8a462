package site

import (
	"net/url"
	"strings"
)

// decodePath is a URL's path as file names are written: each segment percent-decoded, except
// where that does not give UTF-8, and runs of slashes made one.
func decodePath(path string) string {
	if !strings.Contains(path, "%") && !strings.Contains(path, "//") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if decoded, ok := decodeSegment(s); ok {
			segments[i] = decoded
		}
	}
	return collapseSlashes(strings.Join(segments, "/"))
}

// decodeSegment is decodeURIComponent.
func decodeSegment(s string) (string, bool) {
	decoded, err := url.PathUnescape(s)
	return decoded, err == nil && validUTF8(decoded)
}

func validUTF8(s string) bool { return strings.ToValidUTF8(s, "") == s }

func collapseSlashes(s string) string {
	for strings.Contains(s, "//") {
		s = strings.ReplaceAll(s, "//", "/")
	}
	return s
}

// encodePath is encodeURIComponent for each segment: the canonical spelling of a file's URL.
func encodePath(path string) string {
	for i := range len(path) {
		if !plainByte(path[i]) && path[i] != '/' {
			return percentEncode(path, func(c byte) bool { return plainByte(c) || c == '/' })
		}
	}
	return path
}

// plainByte says that encodeURIComponent leaves c alone.
func plainByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.!~*'()", c) >= 0
}

const hexDigits = "0123456789ABCDEF"

func percentEncode(s string, keep func(byte) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; keep(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

// urlPath is what the URL standard makes of a path: dot segments are resolved, and what may
// not stand in a path is percent-encoded. A backslash is encoded too: browsers take it for a
// slash, and two of those begin a host.
func urlPath(path string) string {
	var out []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch dots := strings.ReplaceAll(strings.ToLower(s), "%2e", "."); dots {
		case ".", "..":
			if dots == ".." && len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, percentEncode(s, pathByte))
		}
	}
	return "/" + strings.Join(out, "/")
}

func pathByte(c byte) bool { return ' ' < c && c < 0x7f && strings.IndexByte("\"#<>?`{}\\^", c) < 0 }

func queryByte(c byte) bool { return ' ' < c && c < 0x7f && strings.IndexByte("\"#<>", c) < 0 }

// target is where a redirect leads, in parts that put together give it again.
type target struct {
	origin string // "https://host", in lower case; "" on the same origin
	path   string
	query  string // with its ?
	hash   string // with its #
}

// parseTarget splits a path or an absolute URL of https or http. Not ok: it is neither.
func parseTarget(s string) (t target, ok bool) {
	s, t.hash = cut(s, "#")
	s, t.query = cut(s, "?")
	if scheme, rest, absolute := strings.Cut(s, "://"); absolute && letters(scheme) {
		host, path := cut(strings.TrimLeft(rest, "/"), "/")
		t.origin, s = strings.ToLower(scheme+"://"+host), path
		if !validHost(host) {
			return t, false
		}
	} else if !strings.HasPrefix(s, "/") {
		return t, false
	}
	t.path = urlPath(s)
	t.query, t.hash = percentEncode(t.query, queryByte), "#"+percentEncode(strings.TrimPrefix(t.hash, "#"), queryByte)
	if t.hash == "#" {
		t.hash = ""
	}
	return t, true
}

// cut splits s before the first separator, which stays with the second part.
func cut(s, separator string) (before, after string) {
	if i := strings.Index(s, separator); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func letters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

func validHost(host string) bool {
	for i := range len(host) {
		if c := host[i]; !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-_.:*[]", c) >= 0) {
			return false
		}
	}
	return host != ""
}
