// Package loadtest sends requests to a platform as its users would: open loop, many tenants,
// at a rate that does not wait for the server. It is a black box over HTTP: it knows nothing of
// how Switchyard works.
package loadtest

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"
)

// Plan says what to send. Zero means the default.
type Plan struct {
	Target   string        // base URL that is connected to, e.g. http://127.0.0.1:8787
	Host     string        // Host header; "%d" in it is the tenant's number. Default: the target's
	Path     string        // Default: "/"
	Tenants  int           // tenants 1 to Tenants. Default: 1
	Skew     float64       // of popularity: tenant k is asked as often as 1/k^Skew. Default: 0, all alike
	Rate     float64       // requests per second. Required
	Duration time.Duration // Default: 10 s
	Warmup   time.Duration // at the same rate, not measured. Default: 1 s
	Poisson  bool          // independent arrivals; else one every 1/Rate
	InFlight int           // requests without an answer at once; more are dropped and counted. Default: 1,000
	Timeout  time.Duration // of one request. Default: 10 s
	Seed     uint64        // of arrivals and tenants: the same seed sends the same. Default: 1
}

func (p Plan) withDefaults() (Plan, error) {
	u, err := url.Parse(p.Target)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return p, fmt.Errorf("target: %q is not an http:// URL", p.Target)
	}
	if p.Host == "" {
		p.Host = u.Host
	}
	if p.Path == "" {
		p.Path = "/"
	}
	if !strings.HasPrefix(p.Path, "/") {
		return p, fmt.Errorf("path: %q does not begin with /", p.Path)
	}
	if p.Rate <= 0 {
		return p, fmt.Errorf("rate: %v is not a positive number of requests per second", p.Rate)
	}
	if p.Skew < 0 || p.Tenants < 0 || p.InFlight < 0 || p.Duration < 0 || p.Warmup < 0 || p.Timeout < 0 {
		return p, fmt.Errorf("a negative number makes no sense in %+v", p)
	}
	orDefault(&p.Tenants, 1)
	orDefault(&p.Duration, 10*time.Second)
	orDefault(&p.Warmup, time.Second)
	orDefault(&p.InFlight, 1000)
	orDefault(&p.Timeout, 10*time.Second)
	orDefault(&p.Seed, 1)
	return p, nil
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// hostOf is the Host header for a tenant.
func (p *Plan) hostOf(tenant int) string {
	return strings.ReplaceAll(p.Host, "%d", fmt.Sprint(tenant))
}

func (p *Plan) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(p.Seed, stream)) }
