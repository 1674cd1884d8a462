package egress

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/nlnwa/whatwg-url/url"
)

// rule is one of the operator's exceptions: a name as the URL says it, or a prefix that the
// address dialled lies in, and a port.
type rule struct {
	host   string // "" for a rule about addresses
	prefix netip.Prefix
	port   uint16 // 0 is every port
}

func matches(rules []rule, host string, addr netip.Addr, port uint16) bool {
	for _, r := range rules {
		if (r.port == 0 || r.port == port) && (r.host != "" && r.host == host || r.host == "" && r.prefix.Contains(addr)) {
			return true
		}
	}
	return false
}

func parseRules(field string, all []string) ([]rule, error) {
	rules := make([]rule, 0, len(all))
	for i, s := range all {
		r, err := parseRule(s)
		if err != nil {
			return nil, fmt.Errorf("egress: %s[%d] %q: %w", field, i, s, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(s string) (rule, error) {
	place, port, err := cutPort(s)
	if err != nil {
		return rule{}, err
	}
	if prefix, err := netip.ParsePrefix(place); err == nil {
		return rule{prefix: unmapPrefix(prefix).Masked(), port: port}, nil
	}
	if addr, err := netip.ParseAddr(place); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return rule{prefix: netip.PrefixFrom(addr, addr.BitLen()), port: port}, nil
	}
	u, err := url.Parse("http://" + place + "/")
	if err != nil || u.Hostname() == "" || strings.ContainsAny(place, "/@?#*\\[]: ") {
		return rule{}, fmt.Errorf("is neither host, address nor CIDR, with or without a port")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return rule{prefix: netip.PrefixFrom(addr, addr.BitLen()), port: port}, nil
	}
	return rule{host: u.Hostname(), port: port}, nil
}

// cutPort takes the port off: "host:1", "10.0.0.0/8:1", "[::1]:1", "[fd00::/8]:1". What has
// several colons and no brackets is an IPv6 address.
func cutPort(s string) (place string, port uint16, err error) {
	place, digits := s, ""
	switch colon := strings.LastIndexByte(s, ':'); {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 || end+1 < len(s) && s[end+1] != ':' {
			return "", 0, fmt.Errorf("brackets do not match")
		}
		place = s[1:end]
		if end+1 == len(s) {
			return place, 0, nil
		}
		digits = s[end+2:]
	case colon < 0 || strings.Count(s, ":") > 1:
		return s, 0, nil
	default:
		place, digits = s[:colon], s[colon+1:]
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("port %q is not 1 to 65535", digits)
	}
	return place, uint16(n), nil
}

func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}
