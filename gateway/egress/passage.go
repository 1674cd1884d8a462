package egress

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"switchyard/engine"
)

// passage is under what one request leaves: whose connections it uses, and what its policies ask
// for. A connection that was made under a policy about addresses serves requests of the same only: it
// was checked when it was made.
type passage struct {
	tenant    string
	addresses []*engine.EgressAddresses
	bytes     int64         // of the response's body
	timeout   time.Duration // for the whole exchange; 0: none

	limit context.Context // ends with timeout; nil without one
	stop  context.CancelFunc
}

// begin puts the exchange under the timeout. end must follow.
func (p *passage) begin(ctx context.Context) context.Context {
	if p.timeout == 0 {
		return ctx
	}
	p.limit, p.stop = context.WithTimeout(ctx, p.timeout)
	return p.limit
}

// end returns why an exchange failed that failed with err: the timeout closes its connection.
func (p *passage) end(err error) error {
	if p.limit == nil {
		return err
	}
	if err != nil && p.limit.Err() == context.DeadlineExceeded {
		err = errTimeout
	}
	p.stop()
	return err
}

// passageOf asks each policy. The error is engine.ErrEgressDenied or ErrEgressRate.
func (c *Client) passageOf(tenant string, policies []*engine.EgressPolicy, out *outgoing) (passage, error) {
	p := passage{tenant: tenant, bytes: c.ResponseBytes}
	if len(policies) == 0 {
		return p, nil
	}
	q := engine.EgressRequest{Method: string(out.req.Head.Method()), Scheme: out.target.scheme, Host: out.target.host, Port: out.target.port}
	for _, policy := range policies {
		left, err := policy.Decide(&q)
		if err != nil {
			return p, err
		}
		if left != nil {
			p.addresses = append(p.addresses, left)
		}
		if n := policy.ResponseBytes; n > 0 {
			p.bytes = min(p.bytes, n)
		}
		if d := time.Duration(policy.TimeoutMs) * time.Millisecond; d > 0 && (p.timeout == 0 || d < p.timeout) {
			p.timeout = d
		}
	}
	for _, policy := range policies { // a request that one of them denies counts in none
		if err := policy.Take(); err != nil {
			return p, err
		}
	}
	return p, nil
}

// key names the connections that the request may use.
func (p *passage) key() string {
	if p.addresses == nil {
		return p.tenant
	}
	var key strings.Builder
	key.WriteString(p.tenant)
	for _, a := range p.addresses {
		fmt.Fprint(&key, "\x00", a.Deny, a.Allow)
	}
	return key.String()
}

// check asks the policies about an address, and about those that it may be turned into.
func (p *passage) check(to netip.Addr) error {
	addr := to.Unmap()
	for _, a := range p.addresses {
		if !a.Admits(addr) {
			return engine.ErrEgressDenied
		}
		for _, inside := range embedded(addr) {
			if !(&engine.EgressAddresses{Deny: a.Deny}).Admits(inside) {
				return engine.ErrEgressDenied
			}
		}
	}
	return nil
}
