package fuzz

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"switchyard/gateway/egress"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// names is a resolver: every name leads to one address.
type names struct{ to netip.Addr }

func (n names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{n.to}, nil
}

// denied is the deny table read as slowly and plainly as can be: an address in dotted or
// coloned text, bit by bit against each line, and once more for each IPv4 address inside.
func denied(addr netip.Addr) bool {
	table := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
		"::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8", "2001:db8::/32", "64:ff9b:1::/48",
	}
	bits := bitsOf(addr)
	for _, line := range table {
		at, length, _ := strings.Cut(line, "/")
		n := 0
		fmt.Sscan(length, &n)
		prefix := bitsOf(netip.MustParseAddr(at))
		if len(prefix) == len(bits) && bits[:n] == prefix[:n] {
			return true
		}
	}
	if len(bits) == 32 {
		return false
	}
	for _, wrap := range []struct {
		prefix   string
		at       int
		inverted bool
	}{{"::ffff:0:0/96", 96, false}, {"::/96", 96, false}, {"64:ff9b::/96", 96, false}, {"2002::/16", 16, false}, {"2001::/32", 32, false}, {"2001::/32", 96, true}} {
		at, length, _ := strings.Cut(wrap.prefix, "/")
		n := 0
		fmt.Sscan(length, &n)
		if bits[:n] != bitsOf(netip.MustParseAddr(at))[:n] {
			continue
		}
		var inner [4]byte
		for i, b := range bits[wrap.at : wrap.at+32] {
			if (b == '1') != wrap.inverted {
				inner[i/8] |= 1 << (7 - i%8)
			}
		}
		if denied(netip.AddrFrom4(inner)) {
			return true
		}
	}
	return false
}

func bitsOf(a netip.Addr) string {
	var s strings.Builder
	for _, b := range a.AsSlice() {
		fmt.Fprintf(&s, "%08b", b)
	}
	return s.String()
}

// reserved is what no fetch need reach beyond the table: an address in it may be refused.
func reserved(addr netip.Addr) bool {
	for _, line := range []string{"192.88.99.0/24", "100::/64", "2001::/23", "3fff::/20", "5f00::/16", "fec0::/10"} {
		if netip.MustParsePrefix(line).Contains(addr) {
			return true
		}
	}
	b := addr.AsSlice()
	if len(b) == 4 {
		return false
	}
	for _, at := range []int{2, 4, 12} { // IPv4 addresses that it may have inside, ISATAP's among them
		if v4 := netip.AddrFrom4([4]byte(b[at : at+4])); reserved(v4) || denied(v4) {
			return true
		}
	}
	return false
}

// FuzzEgressAddress lets a name resolve to any address at all, and asks for it. Connecting has
// no time, so that no packet leaves: "timed out" says that the address is open.
func FuzzEgressAddress(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1", "8.8.8.8", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2606:4700::1",
		"100.63.255.255", "100.64.0.0", "198.19.255.255", "fe80::1", "::7f00:1", "2001:0:808:808::80ff:fffe",
	} {
		f.Add(netip.MustParseAddr(s).AsSlice())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		err := fetchOnce(t, "http://name.test/", egress.Options{Resolver: names{addr}, DialTimeout: 1})
		closed := err != nil && strings.Contains(err.Error(), "cannot be reached")
		open := err != nil && strings.Contains(err.Error(), "timed out")
		switch {
		case denied(addr) && !closed:
			t.Errorf("%v is in the deny table: %v", addr, err)
		case !denied(addr) && !reserved(addr.Unmap()) && !open:
			t.Errorf("%v is public: %v", addr, err)
		}
	})
}

// fetchOnce returns why url could not be fetched, nil when it could.
func fetchOnce(t testing.TB, url string, o egress.Options) error {
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := egress.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resp, err := c.Fetch(ctx, "tenant", nil, &isolate.Request{Head: abi.AppendRequestHead(nil, "GET", url)})
	if err == nil {
		resp.Release()
	}
	return err
}

// elsewhere closes all but this machine, so that no test leaves it: IPv4 beyond 0/8 and 127/8,
// IPv6 beyond ::/96.
func elsewhere() []string {
	all := []string{
		"1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/5", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/3", "96.0.0.0/4", "112.0.0.0/5",
		"120.0.0.0/6", "124.0.0.0/7", "126.0.0.0/8", "128.0.0.0/1",
	}
	for bit := range 96 {
		var b [16]byte
		b[bit/8] = 1 << (7 - bit%8)
		all = append(all, netip.PrefixFrom(netip.AddrFrom16(b), bit+1).String())
	}
	return all
}

// loopback listens there, and says who connects.
func loopback(tb testing.TB) (port int, arrived <-chan string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { ln.Close() })
	from := make(chan string, 1)
	go func() { // ends when the listener does
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			select {
			case from <- conn.RemoteAddr().String():
			default:
			}
			conn.Close()
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port, from
}

// TestLoopbackIsSeen: what FuzzEgressURL looks for would be seen, were the guard open.
func TestLoopbackIsSeen(t *testing.T) {
	port, arrived := loopback(t)
	o := egress.Options{Resolver: names{netip.MustParseAddr("127.0.0.1")}, Deny: elsewhere(), Allow: []string{"127.0.0.1"}, DialTimeout: time.Second}
	for _, host := range []string{"a.test", "0x7f.1"} {
		fetchOnce(t, fmt.Sprintf("http://%s:%d/", host, port), o)
		select {
		case <-arrived:
		case <-time.After(5 * time.Second):
			t.Errorf("%s: no connection was seen", host)
		}
	}
}

// FuzzEgressURL fetches any text as a URL, in a world where every name is the loopback and a
// server listens there: whatever it is spelled like, no connection arrives.
func FuzzEgressURL(f *testing.F) {
	port, arrived := loopback(f)
	for _, host := range []string{
		"127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "①②⑦.⓪.⓪.①", "[::1]", "[::ffff:7f00:1]", "localhost", "a.test",
		"user@127.0.0.1", "8.8.8.8@127.0.0.1", "127.0.0.1\\@8.8.8.8", "[::]", "0.0.0.0", "0", "127.0.0.1.", "%31%32%37.0.0.1", "12\t7.0.0.1", "[fe80::1%25lo]",
	} {
		f.Add("http://"+host+":PORT/x", false)
		f.Add("http:/\\"+host+":PORT", true)
	}
	o := egress.Options{Resolver: names{netip.MustParseAddr("127.0.0.1")}, Deny: elsewhere(), DialTimeout: time.Second}
	f.Fuzz(func(t *testing.T, url string, upper bool) {
		url = strings.ReplaceAll(url, "PORT", fmt.Sprint(port))
		if upper {
			url = strings.ToUpper(url)
		}
		if err := fetchOnce(t, url, o); err == nil {
			t.Fatalf("%q was fetched", url)
		}
		select {
		case from := <-arrived:
			t.Fatalf("%q made a connection from %s to the loopback", url, from)
		default:
		}
	})
}
