package egress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func open(t testing.TB, allow, deny []string, own ...netip.AddrPort) *guard {
	t.Helper()
	g, err := newGuard(allow, deny, own)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// last returns the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}

// wrapped returns the ways to write an IPv4 address as an IPv6 one.
func wrapped(v4 netip.Addr) (out []netip.Addr) {
	b := v4.As4()
	for _, prefix := range []string{"::ffff:0:0", "::", "64:ff9b::", "fe80::5efe:0:0", "2a00::200:5efe:0:0", "2001:0:808:808::"} {
		w := netip.MustParseAddr(prefix).As16()
		for i := range 4 {
			w[12+i] = b[i]
			if prefix == "2001:0:808:808::" {
				w[12+i] = ^b[i]
			}
		}
		out = append(out, netip.AddrFrom16(w))
	}
	six := netip.MustParseAddr("2002::1").As16()
	teredoServer := netip.MustParseAddr("2001:0::").As16()
	copy(six[2:], b[:])
	copy(teredoServer[4:], b[:])
	return append(out, netip.AddrFrom16(six), netip.AddrFrom16(teredoServer))
}

// TestClosed: both ends of every closed prefix and every spelling of an IPv4 one.
func TestClosed(t *testing.T) {
	g := open(t, nil, nil)
	for _, p := range closed {
		for _, addr := range []netip.Addr{p.Addr(), last(p)} {
			all := []netip.Addr{addr}
			if addr.Is4() {
				all = append(all, wrapped(addr)...)
			}
			for _, a := range all {
				if g.check("h", netip.AddrPortFrom(a, 80)) == nil {
					t.Errorf("%v of %v is open", a, p)
				}
			}
		}
	}
	for _, s := range []string{"fe80::1%lo", "::1%1", "2606:4700::1%eth0"} {
		if g.check("h", netip.AddrPortFrom(netip.MustParseAddr(s), 80)) == nil {
			t.Errorf("%s is open", s)
		}
	}
	for _, s := range []string{"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "172.15.255.255", "172.32.0.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"} {
		if err := g.check("h", netip.AddrPortFrom(netip.MustParseAddr(s), 80)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// TestPublicRandom compares public with a slow, independent reading of the same table.
func TestPublicRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20000 {
		v := r.Uint32()
		b := [4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
		in := func(a, c, d, e byte, bits int) bool {
			return v>>(32-bits) == (uint32(a)<<24|uint32(c)<<16|uint32(d)<<8|uint32(e))>>(32-bits)
		}
		want := !(b[0] == 0 || b[0] == 10 || b[0] == 127 || b[0] >= 224 || in(100, 64, 0, 0, 10) || in(169, 254, 0, 0, 16) || in(172, 16, 0, 0, 12) ||
			in(192, 0, 0, 0, 24) || in(192, 0, 2, 0, 24) || in(192, 88, 99, 0, 24) || in(192, 168, 0, 0, 16) || in(198, 18, 0, 0, 15) ||
			in(198, 51, 100, 0, 24) || in(203, 0, 113, 0, 24))
		if got := public(netip.AddrFrom4(b)); got != want {
			t.Fatalf("seed %d: %v: public %v, want %v", seed, b, got, want)
		}
	}
}

func TestRules(t *testing.T) {
	own := netip.MustParseAddrPort("0.0.0.0:8787")
	own2 := netip.MustParseAddrPort("127.0.0.1:8788")
	g := open(t, []string{"127.0.0.0/8", "10.1.0.0/16:443", "[fd00::/8]:8080", "::1", "db.internal:5000", "Any.Internal"},
		[]string{"127.0.0.9", "1.1.1.1:80", "evil.example", "8.8.8.0/24"}, own, own2)
	for _, c := range []struct {
		host, to string
		open     bool
	}{
		{"h", "127.0.0.1:9000", true},
		{"h", "127.0.0.9:9000", false},
		{"h", "127.0.0.1:8787", false},
		{"h", "127.5.5.5:8787", false},
		{"h", "[::ffff:127.0.0.1]:8787", false},
		{"h", "[64:ff9b::7f00:1]:8787", false},
		{"h", "[64:ff9b::7f00:1]:9000", false},
		{"h", "[::ffff:127.0.0.1]:9000", true},
		{"h", "127.0.0.1:8788", false},
		{"h", "127.0.0.2:8788", true},
		{"h", "0.0.0.0:9000", false},
		{"h", "10.1.2.3:443", true},
		{"h", "10.1.2.3:80", false},
		{"h", "10.2.2.3:443", false},
		{"h", "[fd12::1]:8080", true},
		{"h", "[fd12::1]:80", false},
		{"h", "[::1]:1", true},
		{"h", "[::1]:8787", false},
		{"db.internal", "10.9.9.9:5000", true},
		{"db.internal", "10.9.9.9:5001", false},
		{"any.internal", "169.254.169.254:80", true},
		{"any.internal", "127.0.0.1:8788", false},
		{"h", "1.1.1.1:80", false},
		{"h", "1.1.1.1:443", true},
		{"evil.example", "9.9.9.9:443", false},
		{"h", "8.8.8.8:443", false},
		{"h", "[64:ff9b::808:808]:443", false},
		{"h", "9.9.9.9:443", true},
	} {
		if err := g.check(c.host, netip.MustParseAddrPort(c.to)); (err == nil) != c.open {
			t.Errorf("%s at %s: %v, want open %v", c.host, c.to, err, c.open)
		}
	}
	for _, bad := range []string{"", ":80", "host:", "host:0", "host:65536", "host:x", "10.0.0.0/33", "10.0.0.0/8:0", "[::1", "[::1]80", "http://h", "a b", "u@h", "h/path", "fe80::1%lo", "*"} {
		if _, err := newGuard([]string{bad}, nil, nil); err == nil {
			t.Errorf("%q is taken for a rule", bad)
		}
	}
}

// TestOwnOnEveryAddress: a listener on the unspecified address is closed at every address of
// this machine.
func TestOwnOnEveryAddress(t *testing.T) {
	g := open(t, []string{"0.0.0.0/0", "::/0"}, nil, netip.MustParseAddrPort("[::]:8787"))
	g.local = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.IPv4(10, 0, 0, 7), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.ParseIP("2606:4700::7"), Mask: net.CIDRMask(64, 128)}}, nil
	}
	for to, want := range map[string]bool{"10.0.0.7:8787": false, "[2606:4700::7]:8787": false, "10.0.0.8:8787": true, "10.0.0.7:8788": true} {
		if err := g.check("h", netip.MustParseAddrPort(to)); (err == nil) != want {
			t.Errorf("%s: %v, want open %v", to, err, want)
		}
	}
	g.local = func() ([]net.Addr, error) { return nil, errors.New("cannot tell") }
	if g.check("h", netip.MustParseAddrPort("10.0.0.8:8787")) == nil {
		t.Error("a machine that does not know its addresses trusts all")
	}
}

// TestSpellings: no way to write this machine's address in a URL reaches a listener on it.
func TestSpellings(t *testing.T) {
	reached := 0
	addr := origin(t, func(w http.ResponseWriter, _ *http.Request) { reached++ })
	_, port, _ := net.SplitHostPort(addr)
	c := client(t, nil)
	for _, host := range []string{"127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1.", "0", "0.0.0.0", "localhost", "LOCALHOST", "localhost.",
		"\uff11\uff12\uff17.\uff10.\uff10.\uff11", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "127\u30020\u30020\u30021", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::7f00:1]", "[64:ff9b::7f00:1]",
		"[2002:7f00:1::]", "[::ffff:0:7f00:1]", "[0:0:0:0:0:0:0:1]", "1%2e0", "%31%32%37.0.0.1", "127.0.0.1%2f", "[fe80::1%25lo]", "[::1%25lo]", "user@127.0.0.1", "example.com@127.0.0.1", "127.0.0.1\\@example.com", "169.254.169.254", "[fd00:ec2::254]"} {
		resp, err := fetch(c, "GET", "http://"+host+":"+port+"/")
		if err == nil {
			t.Errorf("%s answered %d", host, resp.Head.Status())
			resp.Release()
		}
	}
	if reached != 0 {
		t.Errorf("%d requests reached the listener", reached)
	}
	for _, u := range []string{"file:///etc/passwd", "gopher://h/", "ftp://h/", "ws://h/", "data:text/plain,x", "javascript:1", "http://", "http:///x", "//h/", "/x", "", "http://h:22/", "http://h:6667/", "http://h:99999/", "http://[::1/", "http://a b/", "http://\x00/"} {
		if _, err := fetch(c, "GET", u); err == nil {
			t.Errorf("%q answered", u)
		}
	}
}

// rebinding answers with other addresses each time that it is asked.
type rebinding struct {
	answers [][]string
	asked   int
}

func (r *rebinding) LookupNetIP(context.Context, string, string) (out []netip.Addr, err error) {
	answer := r.answers[min(r.asked, len(r.answers)-1)]
	r.asked++
	for _, s := range answer {
		out = append(out, netip.MustParseAddr(s))
	}
	return out, nil
}

// TestRebinding: a name is resolved once for a connection, and refused when one of its
// addresses is closed.
func TestRebinding(t *testing.T) {
	reached := 0
	addr := origin(t, func(http.ResponseWriter, *http.Request) { reached++ })
	port := netip.MustParseAddrPort(addr).Port()
	mixed := &rebinding{answers: [][]string{{"1.1.1.1", "127.0.0.1"}}}
	c := client(t, func(o *Options) { o.Resolver = mixed })
	if _, err := fetch(c, "GET", fmt.Sprintf("http://mixed.example:%d/", port)); !errors.Is(err, errUnreachable) {
		t.Errorf("public and private at once: %v", err)
	}
	turning := &rebinding{answers: [][]string{{"127.0.0.2"}, {"127.0.0.1"}}}
	c = client(t, func(o *Options) { o.Resolver, o.Allow = turning, []string{"127.0.0.2"} })
	if _, err := fetch(c, "GET", fmt.Sprintf("http://turning.example:%d/", port)); !errors.Is(err, errRefused) {
		t.Errorf("allowed first, private then: %v", err)
	}
	if turning.asked != 1 || reached != 0 {
		t.Errorf("asked %d times, reached %d times", turning.asked, reached)
	}
}

// TestSocketIsChecked: the address that the socket is about to connect to is checked even if
// the one that was resolved passed.
func TestSocketIsChecked(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) { t.Error("reached") })
	c := client(t, nil)
	ap := netip.MustParseAddrPort(addr)
	if _, err := c.pool.dialer.connect(context.Background(), new(passage), "h", []netip.Addr{ap.Addr()}, ap.Port()); !errors.Is(err, errClosed) {
		t.Errorf("the socket connected: %v", err)
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"http://127.1/", "http://[::ffff:7f00:1]/", "http://h:80/x?y", "https://\uff11.1/"} {
		f.Add(s)
	}
	g := open(f, nil, nil)
	for _, s := range []string{"http://a.b-c.d/x.y?z=1&w", "https://10.0.0.1:8443/a;b", "http://a.0x7f/", "http://a--b.c/", "http://a:080/", "https://a:443/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if plain, ok := plainTarget([]byte(raw)); ok {
			if standard, err := anyTarget(raw); err != nil || *standard != *plain {
				t.Fatalf("%q is %+v by the short way, %+v (%v) by the standard's", raw, plain, standard, err)
			}
		}
		u, err := parseTarget([]byte(raw))
		if err != nil {
			return
		}
		addr, ok := u.address()
		if !ok || g.check(u.host, netip.AddrPortFrom(addr, u.port)) != nil {
			return
		}
		if ip := net.ParseIP(addr.String()); ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
			t.Fatalf("%q leads to %v", raw, addr)
		}
	})
}
