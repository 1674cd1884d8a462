package engine

import (
	"errors"
	"strings"

	"github.com/nlnwa/whatwg-url/url"
)

const (
	maxURL       = 16 << 10
	maxAuthority = 1 << 10
)

var errLongURL = errors.New("The URL is too long.")

// ParseURL parses raw as the URL standard says, against base unless that is nil. At most 16 KiB,
// of which at most 1 KiB may be an authority, are parsed at all: raw is what a guest or an origin
// says, and must not keep the parser busy.
func ParseURL(raw string, base *url.Url) (*url.Url, error) {
	if !affordable(raw) {
		return nil, errLongURL
	}
	if base == nil {
		return url.Parse(raw)
	}
	return base.Parse(raw)
}

// affordable reports whether parsing raw takes little time: the parser's is quadratic in the
// length of user information and host, seconds for 64 KiB. It looks at what may be an
// authority, which is at least what is one.
func affordable(raw string) bool {
	if len(raw) > maxURL {
		return false
	}
	raw = strings.TrimLeft(stripped.Replace(raw), "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	if scheme, rest, ok := strings.Cut(raw, ":"); ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
		raw = rest
	} else if !strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "\\") {
		return true // a relative path, or a scheme that is refused
	}
	raw = strings.TrimLeft(raw, "/\\")
	end := strings.IndexAny(raw, "/\\?#")
	return end >= 0 && end <= maxAuthority || end < 0 && len(raw) <= maxAuthority
}

// stripped removes what a URL parser removes wherever it stands.
var stripped = strings.NewReplacer("\t", "", "\n", "", "\r", "")
