package ingress

import (
	"net"
	"net/netip"
	"strings"
)

// peer is who is at the other end of a connection.
type peer struct {
	addr    netip.Addr
	group   netip.Addr // what a client is counted by: the address, of IPv6 the /64
	text    string     // addr as headers show it
	trusted bool       // a proxy whose X-Forwarded-* are believed
}

func newPeer(remote net.Addr, trusted []netip.Prefix) peer {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return peer{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	p := peer{addr: addr, group: addr, text: addr.String(), trusted: contains(trusted, addr)}
	if addr.Is6() {
		prefix, _ := addr.Prefix(64)
		p.group = prefix.Addr()
	}
	return p
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// clientOf returns the address of the client that a chain of proxies speaks for: the last
// address of X-Forwarded-For that is no trusted proxy. What a client wrote itself stands
// left of that and is never reached.
func clientOf(p peer, forwardedFor string, trusted []netip.Prefix) string {
	client := p.text
	for forwardedFor != "" {
		rest, last := "", forwardedFor
		if comma := strings.LastIndexByte(forwardedFor, ','); comma >= 0 {
			rest, last = forwardedFor[:comma], forwardedFor[comma+1:]
		}
		addr, err := netip.ParseAddr(strings.TrimSpace(last))
		if err != nil {
			return client
		}
		addr = addr.Unmap().WithZone("")
		client = addr.String()
		if !contains(trusted, addr) {
			return client
		}
		forwardedFor = rest
	}
	return client
}
