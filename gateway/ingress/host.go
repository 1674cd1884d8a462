package ingress

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/nlnwa/whatwg-url/url"
)

// authority is a canonical Host: what the router looks up, what the Worker's URL says and what
// its Host header says are made of this one value, so that they cannot disagree.
type authority struct {
	host string // lower case, IDNA in ASCII, IPv4 dotted decimal, IPv6 in brackets; no trailing dot
	port string // decimal without leading zeros; "" when none was given
}

// explicitPort returns the port where it is not the scheme's own.
func (a authority) explicitPort(https bool) string {
	if a.port == "80" && !https || a.port == "443" && https {
		return ""
	}
	return a.port
}

func (a authority) append(dst []byte, https bool) []byte {
	dst = append(dst, a.host...)
	if port := a.explicitPort(https); port != "" {
		dst = append(append(dst, ':'), port...)
	}
	return dst
}

const (
	maxHostBytes = 253              // RFC 1035
	maxRawHost   = 4 * maxHostBytes // UTF-8 before IDNA; the parser's time is quadratic in it
)

// parseAuthority reads a Host header or the authority of an absolute-form target. User
// information, escapes, lists and anything that is no host are refused.
func parseAuthority(raw string) (authority, bool) {
	if len(raw) > maxRawHost {
		return authority{}, false
	}
	name, port, ok := splitPort(raw)
	if !ok || !hostBytes(name) {
		return authority{}, false
	}
	u, err := url.Parse("http://" + name + "/")
	if err != nil {
		return authority{}, false
	}
	host := u.Hostname()
	if host[0] == '[' {
		return authority{host, port}, true
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > maxHostBytes || host[0] == '.' || strings.Contains(host, "..") || strings.HasSuffix(host, ".") {
		return authority{}, false
	}
	return authority{host, port}, true
}

// splitPort takes "host", "host:", "host:port" and the same with an address in brackets apart.
func splitPort(raw string) (host, port string, ok bool) {
	host, rest := raw, ""
	if strings.HasPrefix(raw, "[") {
		end := strings.IndexByte(raw, ']')
		if end < 0 {
			return "", "", false
		}
		host, rest = raw[:end+1], raw[end+1:]
		if addr, err := netip.ParseAddr(host[1:end]); err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", "", false
		}
	} else if colon := strings.IndexByte(raw, ':'); colon >= 0 {
		host, rest = raw[:colon], raw[colon:]
	}
	if rest == "" || rest == ":" {
		return host, "", host != ""
	}
	if rest[0] != ':' || len(rest) > 6 || strings.Trim(rest[1:], "0123456789") != "" {
		return "", "", false
	}
	n, err := strconv.ParseUint(rest[1:], 10, 16)
	if err != nil || host == "" {
		return "", "", false
	}
	return host, strconv.FormatUint(n, 10), true
}

// hostBytes reports whether name, unless it is in brackets, holds nothing but letters, digits,
// dots, hyphens and underscores, in ASCII or beyond.
func hostBytes(name string) bool {
	if name[0] == '[' {
		return true
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if lower := c | 0x20; c < 0x80 && c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (lower < 'a' || lower > 'z') {
			return false
		}
	}
	return true
}

// hostMemo remembers the last Host of a connection: it hardly ever changes.
type hostMemo struct {
	raw   []byte
	known authority
}

// hostTable remembers the canonical form of Hosts, so that they are parsed and allocated once.
type hostTable struct {
	mu struct {
		sync.Mutex
		known map[string]authority
	}
}

// maxKnownHosts bounds the table. When it is full it is emptied: its entries are cheap to make
// again, and a client that invents names must not be able to keep others out.
const maxKnownHosts = 8192

func (t *hostTable) get(raw []byte) (authority, bool) {
	t.mu.Lock()
	a, ok := t.mu.known[string(raw)]
	t.mu.Unlock()
	if ok {
		return a, true
	}
	if a, ok = parseAuthority(string(raw)); !ok {
		return authority{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.known == nil || len(t.mu.known) >= maxKnownHosts {
		t.mu.known = make(map[string]authority)
	}
	t.mu.known[string(raw)] = a
	return a, true
}

// authority returns the canonical form of a Host that came over c.
func (c *conn) authority(raw []byte) (authority, bool) {
	if bytes.Equal(raw, c.host.raw) && len(raw) > 0 {
		return c.host.known, true
	}
	a, ok := c.in.hosts.get(raw)
	if ok {
		c.host.raw, c.host.known = append(c.host.raw[:0], raw...), a
	}
	return a, ok
}
