package egress

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"switchyard/engine"
)

// target is a URL that may be asked for, parsed as the URL standard says: the parser that
// decides is the one whose result is dialled, so that no spelling of an address is seen
// differently by guard and dialer.
type target struct {
	url    *url.Url
	scheme string
	host   string // as in the URL: lower case, IDNA, IPv6 in brackets
	port   uint16
}

// parseTarget refuses what no fetch may reach whatever it resolves to.
func parseTarget(raw string) (*target, error) {
	u, err := engine.ParseURL(raw, nil)
	if err != nil {
		return nil, errURL
	}
	t := &target{url: u, scheme: u.Scheme(), host: u.Hostname(), port: uint16(u.DecodedPort())}
	switch {
	case t.scheme != "http" && t.scheme != "https":
		return nil, fmt.Errorf("%w: %s", errScheme, t.scheme)
	case u.Username() != "" || u.Password() != "":
		return nil, errCredentials
	case t.host == "" || strings.ContainsAny(t.host, "%,"):
		return nil, errURL
	case badPort[t.port]:
		return nil, fmt.Errorf("%w: %d", errPort, t.port)
	}
	return t, nil
}

// address returns the host as an address, when it is one.
func (t *target) address() (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(t.host, "[]"))
	return addr, err == nil
}

// authority is the Host header: the port is there when it is not the scheme's own.
func (t *target) authority() string {
	if p := t.url.Port(); p != "" {
		return t.host + ":" + p
	}
	return t.host
}

// dialled is host and port as the transport hands them to the dialer.
func (t *target) dialled() string { return t.host + ":" + strconv.Itoa(int(t.port)) }

// path is path and query as they go on the wire.
func (t *target) path() string { return t.url.Pathname() + t.url.Search() }

func (t *target) href() string { return t.url.Href(true) }

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
