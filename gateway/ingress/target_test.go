package ingress

import (
	"strings"
	"testing"
)

func TestAppendTarget(t *testing.T) {
	cases := []struct{ in, out string }{
		{"/", "/"},
		{"/a/b?c=d&e=%20", "/a/b?c=d&e=%20"},
		{"/a/../b", "/b"},
		{"/a/%2e%2E/b%2f..%2fc//d", "/b%2f..%2fc//d"},
		{"/./a/.", "/a/"},
		{"/..", "/"},
		{"/a/.b", "/a/.b"},
		{"//evil/x", "//evil/x"},
		{"//../x", "/x"},
		{"/a\\b", "/a/b"},
		{"/a?b\\c", "/a?b\\c"},
		{"/%00/%zz/%2f", "/%00/%zz/%2f"},
		{"/a|b^c`d{e}", "/a|b%5Ec%60d%7Be%7D"},
		{"/\xc3\xa9", "/%C3%A9"},
		{"/\xff?\xff", "/%FF?%FF"},
		{"/a'b?a'b", "/a'b?a%27b"},
		{"/a?", "/a?"},
		{"/a?b?c", "/a?b?c"},
		{"/@host:80/", "/@host:80/"},
		{"/a\"<>", "/a%22%3C%3E"},
	}
	for _, c := range cases {
		got, ok := appendTarget(nil, []byte(c.in))
		if !ok || string(got) != c.out {
			t.Errorf("%q: %q, %v; want %q", c.in, got, ok, c.out)
		}
		again, ok := appendTarget(nil, got)
		if !ok || string(again) != string(got) {
			t.Errorf("%q: is not stable: %q, then %q", c.in, got, again)
		}
	}
	if got, ok := appendTarget(nil, []byte("/a#b")); ok {
		t.Errorf("a fragment passed: %q", got)
	}
}

// TestTargetsWithURLs: a target that looks like a URL, or holds one, is a path all the same.
func TestTargetsWithURLs(t *testing.T) {
	_, addr := start(t, mirror, nil)
	for _, target := range []string{"/redirect?to=http://example.com/x", "/http://example.com/", "//user@evil:99/x", "//[::1/x", "/proxy/https://x.y/z?q=http://a", "/%"} {
		r := send(t, addr, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n", quiet)
		if len(r.bodies) != 1 || !strings.HasPrefix(r.bodies[0], "GET http://h"+target+"\nevent-host: h\n") {
			t.Errorf("%s: %q", target, r.bodies)
		}
	}
}

// FuzzAppendTarget holds that the fast way says what the URL parser says.
func FuzzAppendTarget(f *testing.F) {
	for _, s := range []string{"/", "/a/%2e/b", "/a?b'c", "/\\", "/a/..?x=/../"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, target []byte) {
		if len(target) == 0 || target[0] != '/' || !canonicalTarget(target) {
			t.Skip()
		}
		u, err := parser.Parse("http://h" + string(target))
		if err != nil || u.Href(false) != "http://h"+string(target) {
			t.Fatalf("%q is called canonical, the parser says %v, %v", target, u, err)
		}
	})
}
