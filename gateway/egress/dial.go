package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// maxAddresses is how many addresses of one name are tried, one after the other.
const maxAddresses = 4

// dialer connects to origins: it resolves a name once, refuses it when any of its addresses is
// closed, and connects to an address that was checked, never to the name.
type dialer struct {
	Options
	guard *guard
	open  atomic.Int64
	full  func() // asked to free connections when there are too many
}

// dial connects to where, "host:port" from a target, under what a passage says of addresses.
func (d *dialer) dial(ctx context.Context, under *passage, where string) (net.Conn, syscall.RawConn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.DialTimeout)
	defer cancel()
	colon := strings.LastIndexByte(where, ':')
	host := strings.Trim(where[:colon], "[]")
	port, err := strconv.ParseUint(where[colon+1:], 10, 16)
	if err != nil {
		panic("BUG: a target's address is " + where)
	}
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, nil, err
	}
	for _, addr := range addrs {
		if err := d.check(under, host, netip.AddrPortFrom(addr, uint16(port))); err != nil {
			return nil, nil, fmt.Errorf("%w: %s is %s", err, host, addr)
		}
	}
	if err := d.acquire(); err != nil {
		return nil, nil, err
	}
	conn, err := d.connect(ctx, under, host, addrs, uint16(port))
	if err != nil {
		d.open.Add(-1)
		return nil, nil, err
	}
	counted := &connection{Conn: conn, open: &d.open}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		counted.Close()
		return nil, nil, err
	}
	return counted, raw, nil
}

// check asks the operator's guard first: what it closes, no policy tells of.
func (d *dialer) check(under *passage, host string, to netip.AddrPort) error {
	if err := d.guard.check(host, to); err != nil {
		return err
	}
	return under.check(to.Addr())
}

// resolve returns the addresses behind host, which may be one itself.
func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	addrs, err := d.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errResolve, err)
	}
	if len(addrs) == 0 {
		return nil, errResolve
	}
	return addrs, nil
}

func (d *dialer) connect(ctx context.Context, under *passage, host string, addrs []netip.Addr, port uint16) (net.Conn, error) {
	socket := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return errClosed
		}
		return d.check(under, host, to)
	}}
	var failed error
	for _, addr := range addrs[:min(len(addrs), maxAddresses)] {
		conn, err := socket.DialContext(ctx, "tcp", netip.AddrPortFrom(addr.Unmap(), port).String())
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// acquire takes one of the Conns connections.
func (d *dialer) acquire() error {
	if d.open.Add(1) <= int64(d.Conns) {
		return nil
	}
	d.full()
	if d.open.Load() <= int64(d.Conns) {
		return nil
	}
	d.open.Add(-1)
	return errConns
}

// connection gives its place back when it is closed.
type connection struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *connection) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}
