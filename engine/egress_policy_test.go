package engine

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// TestEgressPolicy is a table of policies, requests and what is decided.
func TestEgressPolicy(t *testing.T) {
	const (
		yes  = "yes"
		no   = "no"
		some = "asks the address"
	)
	get := EgressRequest{"GET", "https", "api.example.com", 443}
	with := func(change func(*EgressRequest)) EgressRequest { q := get; change(&q); return q }
	host := func(h string) EgressRequest { return with(func(q *EgressRequest) { q.Host = h }) }
	for _, c := range []struct {
		policy string
		q      EgressRequest
		want   string
	}{
		{`{}`, get, yes},
		{`{"allow":[{"hosts":["api.example.com"]}]}`, get, yes},
		{`{"allow":[{"hosts":["API.Example.com"]}]}`, get, yes},
		{`{"allow":[{"hosts":["api.example.com"]}]}`, host("api.example.com."), yes},
		{`{"deny":[{"hosts":["api.example.com"]}]}`, host("api.example.com."), no},
		{`{"allow":[{"hosts":["api.example.com"]}]}`, host("example.com"), no},
		{`{"allow":[{"hosts":["*.example.com"]}]}`, get, yes},
		{`{"allow":[{"hosts":["*.example.com"]}]}`, host("a.b.example.com"), yes},
		{`{"allow":[{"hosts":["*.example.com"]}]}`, host("example.com"), no},
		{`{"allow":[{"hosts":["*.example.com"]}]}`, host("badexample.com"), no},
		{`{"allow":[{"hosts":["*"],"methods":["GET","HEAD"]}]}`, get, yes},
		{`{"allow":[{"methods":["GET","HEAD"]}]}`, with(func(q *EgressRequest) { q.Method = "POST" }), no},
		{`{"allow":[{"ports":[443]}]}`, with(func(q *EgressRequest) { q.Port = 8443 }), no},
		{`{"allow":[{"schemes":["https"]}]}`, with(func(q *EgressRequest) { q.Scheme = "http" }), no},
		{`{"allow":[{"hosts":["x.com"]},{"hosts":["api.example.com"],"ports":[443]}]}`, get, yes},
		{`{"allow":[{"hosts":["*.example.com"]}],"deny":[{"hosts":["api.example.com"],"methods":["DELETE"]}]}`, get, yes},
		{`{"allow":[{"hosts":["*.example.com"]}],"deny":[{"hosts":["api.example.com"]}]}`, get, no},
		{`{"deny":[{"cidrs":["10.0.0.0/8"]}]}`, get, some},
		{`{"deny":[{"cidrs":["10.0.0.0/8"],"ports":[80]}]}`, get, yes},
		{`{"allow":[{"cidrs":["10.0.0.0/8"]},{"hosts":["api.example.com"]}]}`, get, yes},
		{`{"allow":[{"cidrs":["10.0.0.0/8"],"hosts":["other.com"]}]}`, get, no},
		{`{"allow":[{"hosts":["[::1]"]}]}`, host("[::1]"), yes},
		{`{"allow":[{"hosts":["bücher.example"]}]}`, host("xn--bcher-kva.example"), yes},
	} {
		p, err := ParseEgressPolicy("egress", json.RawMessage(c.policy))
		if err != nil {
			t.Errorf("%s: %v", c.policy, err)
			continue
		}
		left, err := p.Decide(&c.q)
		got := yes
		if errors.Is(err, ErrEgressDenied) {
			got = no
		} else if left != nil {
			got = some
		}
		if got != c.want {
			t.Errorf("%s for %+v: %s, want %s", c.policy, c.q, got, c.want)
		}
		text, err := encodeEgress(p)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decodeEgress(text); err != nil || again.IsZero() != p.IsZero() {
			t.Errorf("%s: stored as %s, read as %+v, %v", c.policy, text, again, err)
		}
	}
}

func TestEgressAddresses(t *testing.T) {
	p, err := ParseEgressPolicy("egress", json.RawMessage(`{"allow":[{"cidrs":["10.0.0.0/8","2001:db8::/32"]}],"deny":[{"cidrs":["10.1.0.0/16"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	left, err := p.Decide(&EgressRequest{"GET", "http", "a", 80})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{"10.2.3.4": true, "10.1.3.4": false, "11.0.0.1": false, "2001:db8::1": true, "2001:db9::1": false} {
		if got := left.Admits(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
}

// TestEgressPolicyRefuses: each mistake is told with its place.
func TestEgressPolicyRefuses(t *testing.T) {
	for policy, field := range map[string]string{
		`{"alow":[]}`:    "egress",
		`[]`:             "egress",
		`{"allow":[{}]}`: "egress.allow[0]",
		`{"allow":[{"ports":[443]},{"hosts":["a/b"]}]}`:                          "egress.allow[1].hosts[0]",
		`{"deny":[{"hosts":["ok.com","a.*.com"]}]}`:                              "egress.deny[0].hosts[1]",
		`{"deny":[{"hosts":["host:80"]}]}`:                                       "egress.deny[0].hosts[0]",
		`{"deny":[{"hosts":[""]}]}`:                                              "egress.deny[0].hosts[0]",
		`{"deny":[{"hosts":["*."]}]}`:                                            "egress.deny[0].hosts[0]",
		`{"deny":[{"cidrs":["10.0.0.1"]}]}`:                                      "egress.deny[0].cidrs[0]",
		`{"deny":[{"cidrs":["::ffff:10.0.0.0/104"]}]}`:                           "egress.deny[0].cidrs[0]",
		`{"deny":[{"ports":[0]}]}`:                                               "egress.deny[0].ports[0]",
		`{"deny":[{"ports":[70000]}]}`:                                           "egress",
		`{"deny":[{"methods":["get"]}]}`:                                         "egress.deny[0].methods[0]",
		`{"deny":[{"schemes":["ftp"]}]}`:                                         "egress.deny[0].schemes[0]",
		`{"requests_per_second":-1}`:                                             "egress.requests_per_second",
		`{"response_bytes":-1}`:                                                  "egress.response_bytes",
		`{"timeout_ms":-1}`:                                                      "egress.timeout_ms",
		`{"allow":[` + strings.Repeat(`{"ports":[1]},`, 100) + `{"ports":[1]}]}`: "egress.allow",
		`{"allow":[{"ports":[` + strings.Repeat(`1,`, 100) + `1]}]}`:             "egress.allow[0].ports",
	} {
		_, err := ParseEgressPolicy("egress", json.RawMessage(policy))
		if input := (*InputError)(nil); !errors.As(err, &input) || input.Field != field {
			t.Errorf("%.80s: %v, want an error at %s", policy, err, field)
		}
	}
}
