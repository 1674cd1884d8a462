// Package egress is the way out: it performs the fetches that leave the platform, and is the
// guard that keeps them from reaching what is not public.
//
// Where to look:
//
//	egress     the client, its options, one fetch
//	target     which URLs may be fetched at all
//	guard      which addresses may be connected to
//	rule       the operator's exceptions
//	dial       resolve once, check every address, connect to what was checked
//	passage    what the policies of a tenant say of a request
//	pool       transports, one a tenant
//	transport  a tenant's connections, those in use and those that wait
//	conn       one connection
//	exchange   one request and its answer on a connection
//	outgoing   a Worker's request as it goes on the wire
//	upload     a body that is sent bit by bit
//	incoming   an origin's response as a Worker sees it
//	failure    what a Worker is told when it goes wrong
//
// Bodies pass as they are: origins may answer in what Workers can read, and nothing is decoded here.
package egress

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"switchyard/engine"
	"switchyard/gateway"
	"switchyard/isolate"
)

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options configure a Client. Zero means the default.
type Options struct {
	// Allow opens addresses that are not public: "host:port", "address:port", "CIDR" or
	// "CIDR:port", the port optional everywhere, IPv6 with a port in brackets. Default: none.
	Allow []string
	// Deny closes addresses in the same notation, whatever Allow says. Default: none.
	Deny []string
	// Own are the platform's own listeners, closed whatever Allow says. An unspecified
	// address stands for every address of this machine. Default: none.
	Own []netip.AddrPort

	Resolver Resolver       // Default: net.DefaultResolver.
	RootCAs  *x509.CertPool // Default: the system's.
	Loop     *gateway.Loop  // the ingress' too. Default: one of its own, which nobody else can read.
	Logger   *slog.Logger   // Default: slog.Default().

	Tenants        int           // tenants whose connections are kept. Default: 1024.
	Conns          int           // open connections of all tenants. Default: 8192.
	ConnsPerOrigin int           // open connections of one tenant to one origin; more wait. Default: 64.
	IdleConns      int           // of one tenant. Default: 64.
	IdleTimeout    time.Duration // of a connection that is kept. Default: 30 s.
	DialTimeout    time.Duration // resolving, connecting, TLS handshake, each. Default: 10 s.
	HeadTimeout    time.Duration // from the request's last byte to the response's head. Default: 100 s.
	ReadTimeout    time.Duration // for the next bytes of a response body. Default: 5 min.
	HeaderBytes    int64         // of a response's header. Default: 128 KiB.
	ResponseBytes  int64         // of a response's body. Default: 1 GiB.
}

func (o Options) withDefaults() Options {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Loop == nil {
		o.Loop = gateway.NewLoop()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	orDefault(&o.Tenants, 1024)
	orDefault(&o.Conns, 8192)
	orDefault(&o.ConnsPerOrigin, 64)
	orDefault(&o.IdleConns, 64)
	orDefault(&o.IdleTimeout, 30*time.Second)
	orDefault(&o.DialTimeout, 10*time.Second)
	orDefault(&o.HeadTimeout, 100*time.Second)
	orDefault(&o.ReadTimeout, 5*time.Minute)
	orDefault(&o.HeaderBytes, 128<<10)
	orDefault(&o.ResponseBytes, 1<<30)
	return o
}

func orDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Client implements engine.Egress.
type Client struct {
	Options
	pool    *pool
	metrics meters
}

var _ engine.Egress = (*Client)(nil)

// New returns a Client. The error names the rule that is not valid.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	g, err := newGuard(o.Allow, o.Deny, o.Own)
	if err != nil {
		return nil, err
	}
	d := &dialer{Options: o, guard: g}
	return &Client{Options: o, pool: newPool(o, d), metrics: newMeters(d)}, nil
}

// Close ends the connections that are idle; those in use end with their bodies.
func (c *Client) Close() { c.pool.close() }

// Fetch performs req and returns when the response's head is there. It owns req. The returned
// body ends when ctx does. Every way to an origin goes through here: a redirect is a response,
// and whoever follows it fetches again.
func (c *Client) Fetch(ctx context.Context, tenant string, policies []*engine.EgressPolicy, req *isolate.Request) (*isolate.Response, error) {
	out := newOutgoing(req)
	defer out.release()
	resp, err := c.fetch(ctx, tenant, policies, out)
	c.metrics.count(err)
	if err == nil {
		return resp, nil
	}
	failed := fail(ctx, err)
	c.Logger.Debug("egress: fetch failed", "tenant", tenant, "url", string(req.Head.URL()), "told", failed, "error", err)
	return nil, failed
}

func (c *Client) fetch(ctx context.Context, tenant string, policies []*engine.EgressPolicy, out *outgoing) (*isolate.Response, error) {
	hops := gateway.Hops(ctx) + 1
	if hops > gateway.MaxHops {
		return nil, engine.ErrLoop
	}
	if err := out.prepare(c.Loop.Seal(hops)); err != nil {
		return nil, err
	}
	pass, err := c.passageOf(tenant, policies, out)
	if err != nil {
		return nil, err
	}
	ctx = pass.begin(ctx)
	resp, x, err := c.pool.transport(&pass).roundTrip(ctx, out)
	if err != nil {
		return nil, pass.end(err)
	}
	return c.incoming(resp, x, &pass, out.target)
}
