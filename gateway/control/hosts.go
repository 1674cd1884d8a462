package control

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hostGuard refuses requests whose Host is a name that is not ours. It is the defence against
// DNS rebinding: a page on the operator's machine can make any name of its own resolve to our
// address, but its requests still carry that name. An address literal cannot be rebound, so
// every literal passes; a port is never looked at, because forwarding changes it.
type hostGuard map[string]bool

func newHostGuard(allowed []string) hostGuard {
	g := hostGuard{"localhost": true}
	for _, h := range allowed {
		g[hostName(h)] = true
	}
	return g
}

func (g hostGuard) check(r *http.Request) *problem {
	name := hostName(r.Host)
	if g[name] || strings.HasSuffix(name, ".localhost") {
		return nil
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	return fail(http.StatusMisdirectedRequest, codeHost,
		"Host "+quote(r.Host)+" is not a name of this server: use its address, localhost or a configured control host")
}

// hostName strips the port, the brackets of an IPv6 literal and one trailing dot.
func hostName(hostport string) string {
	name := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
