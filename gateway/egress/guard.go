package egress

import (
	"net"
	"net/netip"
)

// closed is what is not the public internet: private, local, shared, documentation,
// benchmark, multicast and reserved space (IANA's special-purpose registries).
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32",
	"3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(all ...string) (out []netip.Prefix) {
	for _, s := range all {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// guard decides about addresses. It is asked twice for each connection: with what a name
// resolved to, and by the socket just before it connects.
type guard struct {
	allow, deny []rule
	own         []netip.AddrPort
	local       func() ([]net.Addr, error) // this machine's addresses
}

func newGuard(allow, deny []string, own []netip.AddrPort) (*guard, error) {
	g := &guard{local: net.InterfaceAddrs}
	var err error
	if g.allow, err = parseRules("allow", allow); err != nil {
		return nil, err
	}
	if g.deny, err = parseRules("deny", deny); err != nil {
		return nil, err
	}
	for _, ap := range own {
		g.own = append(g.own, netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
	}
	return g, nil
}

// check decides whether a request for host may connect to addr:
//
//	unspecified, with a zone ─► no
//	one of our listeners     ─► no
//	Deny                     ─► no
//	Allow                    ─► yes
//	public, and so is every IPv4 address inside ─► yes
func (g *guard) check(host string, to netip.AddrPort) error {
	addr, port := to.Addr().Unmap(), to.Port()
	if !addr.IsValid() || addr.Zone() != "" || addr.IsUnspecified() {
		return errClosed
	}
	inside := embedded(addr)
	for _, a := range append(inside, addr) {
		if g.isOwn(a, port) || matches(g.deny, host, a, port) {
			return errClosed
		}
	}
	if matches(g.allow, host, addr, port) {
		return nil
	}
	for _, a := range append(inside, addr) {
		if !public(a) {
			return errClosed
		}
	}
	return nil
}

func public(addr netip.Addr) bool {
	for _, p := range closed {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}

// embedded returns the IPv4 addresses that an IPv6 address may be turned into on its way.
// IPv4-mapped addresses are not here: they are unmapped before.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	b := addr.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case compatible.Contains(addr), nat64.Contains(addr), isatap(b):
		return []netip.Addr{at(12)}
	case sixToFour.Contains(addr):
		return []netip.Addr{at(2)}
	case teredo.Contains(addr):
		client := at(12).As4()
		for i := range client {
			client[i] = ^client[i]
		}
		return []netip.Addr{at(4), netip.AddrFrom4(client)}
	}
	return nil
}

var (
	compatible = netip.MustParsePrefix("::/96")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
)

// isatap knows an RFC 5214 interface identifier: 0000:5efe or 0200:5efe, then the address.
func isatap(b [16]byte) bool {
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

// isOwn reports whether one of our listeners answers at addr and port.
func (g *guard) isOwn(addr netip.Addr, port uint16) bool {
	for _, own := range g.own {
		if own.Port() == port && (own.Addr() == addr || own.Addr().IsUnspecified() && g.isLocal(addr)) {
			return true
		}
	}
	return false
}

// isLocal reports whether addr is this machine. When that cannot be found out, it is.
func (g *guard) isLocal(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	all, err := g.local()
	if err != nil {
		return true
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap().WithZone("") == addr {
			return true
		}
	}
	return false
}
