package ingress

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseAuthority(t *testing.T) {
	cases := []struct{ in, host, port string }{
		{"example.com", "example.com", ""},
		{"H.Example.COM.:80", "h.example.com", "80"},
		{"h:0080", "h", "80"},
		{"h:", "h", ""},
		{"a_b.c-d", "a_b.c-d", ""},
		{"127.0.0.1:8787", "127.0.0.1", "8787"},
		{"0x7f.1", "127.0.0.1", ""},
		{"[::1]:8787", "[::1]", "8787"},
		{"[::FFFF:7f00:1]", "[::ffff:7f00:1]", ""},
		{"b\xc3\xbccher.example", "xn--bcher-kva.example", ""},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", ""},
	}
	for _, c := range cases {
		a, ok := parseAuthority(c.in)
		if !ok || a.host != c.host || a.port != c.port {
			t.Errorf("%q: %+v, %v; want %s and %s", c.in, a, ok, c.host, c.port)
		}
	}
	for _, bad := range []string{"", ":80", ".", "..", "a..b", ".a", "a..", "a,b", "a@b", "a/b", "a b", "a%41", "[::1", "[::1]x", "[fe80::1%25eth0]", "[1.2.3.4]",
		"h:65536", "h:-1", "h:8x", "h:000080", "::1", "a:b:c", "\xff\xfe", "1.2.3.256", "xn--", "a?b", "a#b", "a\\b", "*.a", "a\tb", strings.Repeat("a.", 127) + "a", strings.Repeat("\u4e00", 20000)} {
		if a, ok := parseAuthority(bad); ok {
			t.Errorf("%q is taken for %+v", bad, a)
		}
	}
}

// TestHostTableIsBounded: a client that invents names neither grows the table nor keeps it.
func TestHostTableIsBounded(t *testing.T) {
	var table hostTable
	for i := range 3 * maxKnownHosts {
		if _, ok := table.get(fmt.Appendf(nil, "h%d.example", i)); !ok {
			t.Fatal(i)
		}
	}
	if n := len(table.mu.known); n > maxKnownHosts {
		t.Errorf("%d hosts are kept", n)
	}
}
