package egress

import (
	"container/list"
	"crypto/tls"
	"net/http"
	"sync"
)

// pool keeps connections for the tenants that used them last. No two tenants share one: a
// response that was mixed up, by an origin or on the way, stays in the family.
type pool struct {
	Options
	dialer *dialer
	mu     struct {
		sync.Mutex
		byTenant map[string]*list.Element
		order    list.List // of *seat, the last used first
	}
}

type seat struct {
	tenant    string
	transport *http.Transport
}

func newPool(o Options, d *dialer) *pool {
	p := &pool{Options: o, dialer: d}
	p.mu.byTenant = make(map[string]*list.Element)
	d.full = p.closeIdle
	return p
}

// transport returns the tenant's own. The one that was not used for longest makes room; what
// it has in flight goes on.
func (p *pool) transport(tenant string) *http.Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.mu.byTenant[tenant]; ok {
		p.mu.order.MoveToFront(e)
		return e.Value.(*seat).transport
	}
	if len(p.mu.byTenant) >= p.Tenants {
		oldest := p.mu.order.Remove(p.mu.order.Back()).(*seat)
		delete(p.mu.byTenant, oldest.tenant)
		oldest.transport.CloseIdleConnections()
	}
	s := &seat{tenant, p.newTransport()}
	p.mu.byTenant[tenant] = p.mu.order.PushFront(s)
	return s.transport
}

// newTransport speaks HTTP/1.1, knows no proxy of the environment, and adds nothing of its own.
func (p *pool) newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            p.dialer.dial,
		TLSClientConfig:        &tls.Config{RootCAs: p.RootCAs, MinVersion: tls.VersionTLS12},
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		TLSHandshakeTimeout:    p.DialTimeout,
		DisableCompression:     true,
		MaxIdleConns:           p.IdleConns,
		MaxIdleConnsPerHost:    p.IdleConns,
		MaxConnsPerHost:        p.ConnsPerOrigin,
		IdleConnTimeout:        p.IdleTimeout,
		ResponseHeaderTimeout:  p.HeadTimeout,
		ExpectContinueTimeout:  p.DialTimeout,
		MaxResponseHeaderBytes: p.HeaderBytes,
		WriteBufferSize:        16 << 10,
		ReadBufferSize:         16 << 10,
	}
}

func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.mu.order.Front(); e != nil; e = e.Next() {
		e.Value.(*seat).transport.CloseIdleConnections()
	}
}

func (p *pool) close() { p.closeIdle() }
