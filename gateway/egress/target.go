package egress

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"switchyard/engine"
)

// target is a URL that may be asked for, parsed as the URL standard says: the parser that
// decides is the one whose result is dialled, so that no spelling of an address is seen
// differently by guard and dialer.
type target struct {
	scheme string
	host   string // as in the URL: lower case, IDNA, IPv6 in brackets
	port   uint16
	own    bool   // the port is not the scheme's, and so part of the authority
	path   string // and query, as they go on the wire
	href   string // without the fragment
}

// parseTarget refuses what no fetch may reach whatever it resolves to.
func parseTarget(raw []byte) (*target, error) {
	t, ok := plainTarget(raw)
	if !ok {
		var err error
		if t, err = anyTarget(string(raw)); err != nil {
			return nil, err
		}
	}
	switch {
	case t.host == "" || strings.ContainsAny(t.host, "%,"):
		return nil, errURL
	case badPort[t.port]:
		return nil, fmt.Errorf("%w: %d", errPort, t.port)
	}
	return t, nil
}

func anyTarget(raw string) (*target, error) {
	u, err := engine.ParseURL(raw, nil)
	if err != nil {
		return nil, errURL
	}
	switch {
	case u.Scheme() != "http" && u.Scheme() != "https":
		return nil, fmt.Errorf("%w: %s", errScheme, u.Scheme())
	case u.Username() != "" || u.Password() != "":
		return nil, errCredentials
	}
	return &target{scheme: u.Scheme(), host: u.Hostname(), port: uint16(u.DecodedPort()), own: u.Port() != "",
		path: u.Pathname() + u.Search(), href: u.Href(true)}, nil
}

// plainTarget parses what most URLs are without the standard's machinery, and lets all others go: those of which anything
// could mean something else than it says. FuzzTarget holds it against anyTarget.
//
//	http[s]://  a-z 0-9 - .  or four decimal numbers  [:port]  /path[?query]  in characters that stay as they are
func plainTarget(raw []byte) (*target, bool) {
	t := &target{scheme: "http", port: 80}
	rest, ok := bytes.CutPrefix(raw, []byte("http://"))
	if !ok {
		if rest, ok = bytes.CutPrefix(raw, []byte("https://")); !ok {
			return nil, false
		}
		t.scheme, t.port = "https", 443
	}
	slash := bytes.IndexByte(rest, '/')
	if slash < 0 || !plainPath(rest[slash:]) {
		return nil, false
	}
	t.href = string(raw)
	t.path = t.href[len(raw)-len(rest)+slash:]
	authority := t.href[len(raw)-len(rest) : len(raw)-len(rest)+slash]
	host, port, own := strings.Cut(authority, ":")
	if own {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || strconv.FormatUint(n, 10) != port || uint16(n) == t.port {
			return nil, false
		}
		t.port, t.own = uint16(n), true
	}
	t.host = host
	return t, plainHost(host)
}

// plainHost is a name whose last label is made of letters, without any that IDNA has a say in, or an IPv4 address in its usual
// form.
func plainHost(host string) bool {
	last := 0 // of labels
	letters := false
	for i, c := range []byte(host) {
		switch {
		case 'a' <= c && c <= 'z':
			letters = letters || i == last
		case c == '.':
			last, letters = i+1, false
		case c == '-' || '0' <= c && c <= '9':
			letters = letters && c != '-' // "xn--" is a matter of IDNA, in the last label too
		default:
			return false
		}
	}
	if letters {
		return !strings.Contains(host, "--") && !strings.Contains(host, "..") && host[0] != '.' && host[0] != '-'
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Is4()
}

// plainPath begins with a slash and has no segment of dots.
func plainPath(path []byte) bool {
	query := false
	for i, c := range path {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '/', c == '=', c == '&', c == '+', c == ',', c == ';', c == ':', c == '@', c == '~', c == '*', c == '!', c == '$', c == '(', c == ')':
		case c == '.' && (query || path[i-1] != '/'):
		case c == '?' && !query:
			query = true
		default:
			return false
		}
	}
	return true
}

// endpoint is what connections to the target are shared by.
func (t *target) endpoint() endpoint {
	return endpoint{t.scheme, t.host + ":" + strconv.Itoa(int(t.port))}
}

// address returns the host as an address, when it is one.
func (t *target) address() (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(t.host, "[]"))
	return addr, err == nil
}

// authority is the Host header: the port is there when it is not the scheme's own.
func (t *target) authority() string {
	if !t.own {
		return t.host
	}
	return t.host + ":" + strconv.Itoa(int(t.port))
}

// badPort is the Fetch standard's list of ports that speak something else than HTTP.
var badPort = func() map[uint16]bool {
	m := make(map[uint16]bool)
	for _, p := range []uint16{0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
		109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540,
		548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665,
		6666, 6667, 6668, 6669, 6679, 6697, 10080} {
		m[p] = true
	}
	return m
}()
