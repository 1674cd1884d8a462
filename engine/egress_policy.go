package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// EgressPolicy says where fetches may lead: those of a script, or of all scripts of a plan or a
// namespace. What a call does under several policies, each of them must allow, and what Workers do
// that it calls, the outbound Worker among them, stands under the same.
//
//	a rule of deny matches                    ─► no
//	allow is empty, or a rule of it matches   ─► yes
//	else                                      ─► no
//
// It never opens what the operator's egress guard closes. The zero policy allows everything.
type EgressPolicy struct {
	Allow         []EgressRule `json:"allow,omitempty"`               // at most 100
	Deny          []EgressRule `json:"deny,omitempty"`                // at most 100
	Rate          float64      `json:"requests_per_second,omitempty"` // of all under it together; 0: no limit
	ResponseBytes int64        `json:"response_bytes,omitempty"`      // of one response's body; 0: no limit of its own
	TimeoutMs     int64        `json:"timeout_ms,omitempty"`          // for one request, until its response's head; 0: no limit of its own

	allow, deny []egressRule
	rate        *rateGate
}

// EgressRule matches a request that matches each of the fields that are given.
type EgressRule struct {
	Hosts   []string `json:"hosts,omitempty"`   // "api.example.com"; "*.example.com": all below it; "*"
	CIDRs   []string `json:"cidrs,omitempty"`   // of the address that is connected to. deny: of any that the name has; allow: of all
	Ports   []uint16 `json:"ports,omitempty"`   // 1 to 65535
	Methods []string `json:"methods,omitempty"` // in capitals
	Schemes []string `json:"schemes,omitempty"` // "http", "https"
}

const (
	maxEgressRules   = 100
	maxEgressEntries = 100 // of one field
	maxEgressTimeout = 10 * time.Minute
)

// egressRule is a rule ready to be matched.
type egressRule struct {
	*EgressRule
	prefixes []netip.Prefix
}

// ParseEgressPolicy reads a policy in JSON. "null" and "{}" are the zero policy. The error is an
// *InputError that names the field.
func ParseEgressPolicy(field string, text json.RawMessage) (*EgressPolicy, error) {
	p := new(EgressPolicy)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, invalid(field, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return p, p.compile(field)
}

// IsZero says that the policy says nothing.
func (p *EgressPolicy) IsZero() bool {
	return p == nil || len(p.Allow) == 0 && len(p.Deny) == 0 && p.Rate == 0 && p.ResponseBytes == 0 && p.TimeoutMs == 0
}

func (p *EgressPolicy) compile(field string) (err error) {
	switch {
	case !(p.Rate >= 0 && p.Rate <= 1e6) || p.Rate > 0 && p.Rate < 1e-3:
		return invalid(field+".requests_per_second", "must be 0.001 to 1000000")
	case p.ResponseBytes < 0:
		return invalid(field+".response_bytes", "must be 1 or more")
	case p.TimeoutMs < 0 || p.TimeoutMs > maxEgressTimeout.Milliseconds():
		return invalid(field+".timeout_ms", "must be 1 to %d", maxEgressTimeout.Milliseconds())
	}
	p.rate = new(rateGate)
	if p.allow, err = compileEgress(field+".allow", p.Allow); err != nil {
		return err
	}
	p.deny, err = compileEgress(field+".deny", p.Deny)
	return err
}

func compileEgress(field string, rules []EgressRule) ([]egressRule, error) {
	if len(rules) > maxEgressRules {
		return nil, invalid(field, "there are %d rules, at most %d are allowed", len(rules), maxEgressRules)
	}
	made := make([]egressRule, len(rules))
	for i := range rules {
		at := fmt.Sprintf("%s[%d]", field, i)
		if err := made[i].compile(at, &rules[i]); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (r *egressRule) compile(field string, from *EgressRule) error {
	r.EgressRule = from
	if len(from.Hosts)+len(from.CIDRs)+len(from.Ports)+len(from.Methods)+len(from.Schemes) == 0 {
		return invalid(field, "names nothing: give hosts, cidrs, ports, methods or schemes")
	}
	for name, n := range map[string]int{"hosts": len(from.Hosts), "cidrs": len(from.CIDRs), "ports": len(from.Ports),
		"methods": len(from.Methods), "schemes": len(from.Schemes)} {
		if n > maxEgressEntries {
			return invalid(field+"."+name, "there are %d entries, at most %d are allowed", n, maxEgressEntries)
		}
	}
	for i, host := range from.Hosts {
		if from.Hosts[i] = canonicalPattern(host); from.Hosts[i] == "" {
			return invalid(fmt.Sprintf("%s.hosts[%d]", field, i), `%.100q is neither a host, nor "*." and a host, nor "*"`, host)
		}
	}
	for i, cidr := range from.CIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil || prefix.Addr().Is4In6() {
			return invalid(fmt.Sprintf("%s.cidrs[%d]", field, i), "%.100q is not a prefix such as 192.0.2.0/24 or 2001:db8::/32", cidr)
		}
		r.prefixes = append(r.prefixes, prefix.Masked())
	}
	for i, port := range from.Ports {
		if port == 0 {
			return invalid(fmt.Sprintf("%s.ports[%d]", field, i), "0 is not a port")
		}
	}
	for i, method := range from.Methods {
		if method == "" || len(method) > 32 || strings.ContainsFunc(method, func(c rune) bool { return c < 'A' || c > 'Z' }) {
			return invalid(fmt.Sprintf("%s.methods[%d]", field, i), "%.40q is not a method in capitals", method)
		}
	}
	for i, scheme := range from.Schemes {
		if scheme != "http" && scheme != "https" {
			return invalid(fmt.Sprintf("%s.schemes[%d]", field, i), `%.40q is neither "http" nor "https"`, scheme)
		}
	}
	return nil
}

// canonicalPattern spells a host as URLs do; "" for what is none.
func canonicalPattern(pattern string) string {
	if pattern == "*" {
		return pattern
	}
	host, below := strings.CutPrefix(pattern, "*.")
	if host == "" || strings.ContainsAny(host, "*/?#@\\ \t\r\n") {
		return ""
	}
	if strings.Contains(host, ":") && !(host[0] == '[' && strings.HasSuffix(host, "]")) { // a port
		return ""
	}
	u, err := ParseURL("http://"+host+"/", nil)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	if below {
		return "*." + u.Hostname()
	}
	return u.Hostname()
}

// EgressRequest is what policies look at of a request.
type EgressRequest struct {
	Method, Scheme string
	Host           string // as in the URL: lower case, IDNA, IPv6 in brackets, no port
	Port           uint16
}

func (r *egressRule) matches(q *EgressRequest) bool {
	return (len(r.Methods) == 0 || slices.Contains(r.Methods, q.Method)) &&
		(len(r.Schemes) == 0 || slices.Contains(r.Schemes, q.Scheme)) &&
		(len(r.Ports) == 0 || slices.Contains(r.Ports, q.Port)) &&
		(len(r.Hosts) == 0 || slices.ContainsFunc(r.Hosts, func(pattern string) bool { return matchesHost(pattern, q.Host) }))
}

// matchesHost: a dot at a name's end means the same host.
func matchesHost(pattern, host string) bool {
	host = strings.TrimSuffix(host, ".")
	if suffix, below := strings.CutPrefix(pattern, "*."); below {
		return len(host) > len(suffix) && strings.HasSuffix(host, suffix) && host[len(host)-len(suffix)-1] == '.'
	}
	return pattern == "*" || strings.TrimSuffix(pattern, ".") == host
}

// EgressAddresses is what is left of a policy when all but the address is known.
type EgressAddresses struct {
	Deny  []netip.Prefix
	Allow []netip.Prefix // nil: all
}

// Admits reports whether the address may be connected to. addr is no IPv4 address in an IPv6 one.
func (a *EgressAddresses) Admits(addr netip.Addr) bool {
	in := func(p netip.Prefix) bool { return p.Contains(addr) }
	return !slices.ContainsFunc(a.Deny, in) && (a.Allow == nil || slices.ContainsFunc(a.Allow, in))
}

// Decide returns ErrEgressDenied, or what must hold for the addresses of the host; nil: anything.
func (p *EgressPolicy) Decide(q *EgressRequest) (*EgressAddresses, error) {
	var left EgressAddresses
	for i := range p.deny {
		if r := &p.deny[i]; r.matches(q) {
			if r.prefixes == nil {
				return nil, ErrEgressDenied
			}
			left.Deny = append(left.Deny, r.prefixes...)
		}
	}
	if len(p.allow) > 0 {
		allowed := false
		for i := range p.allow {
			if r := &p.allow[i]; r.matches(q) {
				allowed = allowed || r.prefixes == nil
				left.Allow = append(left.Allow, r.prefixes...)
			}
		}
		if allowed {
			left.Allow = nil
		} else if left.Allow == nil {
			return nil, ErrEgressDenied
		}
	}
	if left.Deny == nil && left.Allow == nil {
		return nil, nil
	}
	return &left, nil
}

// Take counts one request against the policy's rate.
func (p *EgressPolicy) Take() error {
	if p.Rate > 0 && !p.rate.take(monotonic(), p.Rate) {
		return ErrEgressRate
	}
	return nil
}

// encodeEgress makes the store's JSON.
func encodeEgress(p *EgressPolicy) (json.RawMessage, error) {
	if p.IsZero() {
		return nil, nil
	}
	return json.Marshal(p)
}

// decodeEgress is the way back; nil: none.
func decodeEgress(text json.RawMessage) (*EgressPolicy, error) {
	if len(text) == 0 {
		return nil, nil
	}
	return ParseEgressPolicy("egress", text)
}
