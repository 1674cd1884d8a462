package egress

import (
	"container/list"
	"sync"
)

// pool keeps connections for the tenants that used them last. No two tenants share one: a
// response that was mixed up, by an origin or on the way, stays in the family.
type pool struct {
	Options
	dialer *dialer
	mu     struct {
		sync.Mutex
		byKey map[string]*list.Element // by passage.key: of one tenant, or of one of its policies about addresses
		order list.List                // of *seat, the last used first
	}
}

type seat struct {
	key       string
	transport *transport
}

func newPool(o Options, d *dialer) *pool {
	p := &pool{Options: o, dialer: d}
	p.mu.byKey = make(map[string]*list.Element)
	d.full = p.closeIdle
	return p
}

// transport returns the passage's own. The one that was not used for longest makes room; what
// it has in flight goes on.
func (p *pool) transport(pass *passage) *transport {
	key := pass.key()
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.mu.byKey[key]; ok {
		p.mu.order.MoveToFront(e)
		return e.Value.(*seat).transport
	}
	if len(p.mu.byKey) >= p.Tenants {
		oldest := p.mu.order.Remove(p.mu.order.Back()).(*seat)
		delete(p.mu.byKey, oldest.key)
		oldest.transport.close()
	}
	s := &seat{key, newTransport(p.Options, p.dialer, pass.addresses)}
	p.mu.byKey[key] = p.mu.order.PushFront(s)
	return s.transport
}

// closeIdle makes room among all tenants' connections.
func (p *pool) closeIdle() { p.each((*transport).closeIdle) }

func (p *pool) close() { p.each((*transport).close) }

func (p *pool) each(f func(*transport)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.mu.order.Front(); e != nil; e = e.Next() {
		f(e.Value.(*seat).transport)
	}
}
