package engine

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"switchyard/isolate/abi"
)

type headerBlock = abi.HeaderBlock

type header struct{ name, value string }

// keepable says what of a response's headers is kept and for how long; 0: it is not to be kept. RFC 9111, as a
// shared cache, with the platform's lifetimes where the response names none.
func keepable(status int, block headerBlock, now time.Time) ([]header, time.Duration) {
	control := directives(values(block, "cache-control"))
	if control.has("no-store") || control.has("no-cache") || control.private() || status < 200 || status == 206 || status == 304 {
		return nil, 0
	}
	var kept []header
	for rest := block; len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		switch n := string(name); {
		case n == "set-cookie" && !control.without("set-cookie"):
			return nil, 0
		case n == "set-cookie" || ofConnection(n):
		default:
			kept = append(kept, header{n, string(value)})
		}
	}
	return kept, lifetime(status, control, block, now)
}

// ofConnection names headers that are of how a response came, not of what it is.
func ofConnection(name string) bool {
	switch name {
	case "age", "cf-cache-status", "content-length":
		return true
	}
	return forbidden([]byte(name), false)
}

// Lifetimes of responses that name none.
var lifetimes = map[int]time.Duration{
	200: 2 * time.Hour, 301: 2 * time.Hour, 302: 20 * time.Minute, 303: 20 * time.Minute, 404: 3 * time.Minute, 410: 3 * time.Minute,
}

// maxLifetime is how long a response is kept at most.
const maxLifetime = 365 * 24 * time.Hour

func lifetime(status int, control cacheControl, block headerBlock, now time.Time) time.Duration {
	for _, name := range []string{"s-maxage", "max-age"} {
		if value, ok := control[name]; ok {
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil || seconds < 0 {
				return 0
			}
			return time.Duration(min(seconds, int64(maxLifetime/time.Second))) * time.Second
		}
	}
	if expires := block.Get("expires"); expires != nil {
		at, err := http.ParseTime(string(expires))
		if err != nil {
			return 0
		}
		return min(at.Sub(now), maxLifetime)
	}
	return lifetimes[status]
}

// cacheControl are the directives of a Cache-Control header, by name in lower case.
type cacheControl map[string]string

func directives(value string) cacheControl {
	c := cacheControl{}
	for _, d := range splitQuoted(value) {
		name, arg, _ := strings.Cut(d, "=")
		c[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(arg), `"`)
	}
	return c
}

func (c cacheControl) has(name string) bool {
	_, ok := c[name]
	return ok
}

// private says that the whole response is one user's.
func (c cacheControl) private() bool { return c.has("private") && c["private"] == "" }

// without says that a header is not to be kept, as in private=Set-Cookie.
func (c cacheControl) without(name string) bool {
	for _, n := range strings.Split(c["private"], ",") {
		if strings.EqualFold(strings.TrimSpace(n), name) {
			return true
		}
	}
	return false
}

// splitQuoted splits a list at its commas, but for those in quotes.
func splitQuoted(list string) (items []string) {
	quoted, start := false, 0
	for i := range len(list) {
		switch {
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			items, start = append(items, list[start:i]), i+1
		}
	}
	return append(items, list[start:])
}

// values joins all values of a header.
func values(block headerBlock, name string) string {
	var all []string
	for len(block) > 0 {
		n, v, rest := block.Next()
		if string(n) == name {
			all = append(all, string(v))
		}
		block = rest
	}
	return strings.Join(all, ",")
}

func withoutFragment(url []byte) string {
	before, _, _ := bytes.Cut(url, []byte("#"))
	return string(before)
}
