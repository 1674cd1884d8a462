package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestPatterns(t *testing.T) {
	stories := []struct{ pattern, want string }{
		{"example.com/*", "example.com/*"},
		{"Example.COM/Path*", "example.com/Path*"},
		{"example.com", "example.com/"},
		{"*/*", "*/*"},
		{"*.example.com/*", "*.example.com/*"},
		{"localhost/", "localhost/"},
		{"", ""},
		{"/x", ""},
		{"http://example.com/*", ""},
		{"example.com:8080/*", ""},
		{"a.*.com/*", ""},
		{"*example.com/*", ""},
		{"**/*", ""},
		{"*./*", ""},
		{"example..com/*", ""},
		{"müller.de/*", ""},
		{"example.com/a*b", ""},
		{"example.com/a**", ""},
		{"example.com/?x", ""},
		{"example.com/a b", ""},
		{"example.com/" + strings.Repeat("x", 2000), ""},
	}
	for _, s := range stories {
		got, err := parsePattern(s.pattern)
		var refused *InputError
		if got != s.want || (s.want == "") != errors.As(err, &refused) {
			t.Errorf("%.60q: got %q, %v, want %q", s.pattern, got, err, s.want)
		}
	}
}

func TestRouteOperations(t *testing.T) {
	p := openPlatform(t)
	p.deploy("a", "say")
	p.deploy("b", "say")
	r, err := p.PutRoute(t.Context(), "x.test/*", "a")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p.PutRoute(t.Context(), "X.test/*", "a"); err != nil || again != r {
		t.Errorf("putting it again gives %+v, %v", again, err)
	}
	_, err = p.PutRoute(t.Context(), "x.test/*", "b")
	wantErr(t, err, ErrRouteExists)
	_, err = p.PutRoute(t.Context(), "y.test/*", "nobody")
	wantErr(t, err, ErrScriptNotFound)
	wantErr(t, p.DeleteRoute(t.Context(), "nothing"), ErrRouteNotFound)
	other, err := p.PutRoute(t.Context(), "y.test/*", "b")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.UpdateRoute(t.Context(), r.ID, "y.test/*", "a")
	wantErr(t, err, ErrRouteExists)
	_, err = p.UpdateRoute(t.Context(), "nothing", "z.test/*", "a")
	wantErr(t, err, ErrRouteNotFound)
	for _, want := range []Route{{ID: r.ID, Pattern: "x.test/*", Script: "b"}, {ID: r.ID, Pattern: "z.test/*", Script: "b"}, {ID: r.ID, Pattern: "z.test/*", Script: "b"}} {
		if got, err := p.UpdateRoute(t.Context(), r.ID, want.Pattern, want.Script); err != nil || got != want {
			t.Errorf("updated to %+v, %v", got, err)
		}
	}
	if err := p.DeleteRoute(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	if err := p.DeleteRoute(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if len(p.Routes()) != 0 {
		t.Errorf("routes are %v", p.Routes())
	}
}

// The table finds what going through all patterns finds.
func TestRouteTableAgainstModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	for range 300 {
		routes := map[string]Route{}
		seen := map[string]bool{}
		for i := range r.IntN(12) {
			host := pick("a.test", "b.a.test", "*.a.test", "*.test", "*", "c.b.a.test", "*.b.a.test")
			pattern := host + "/" + pick("", "*", "x", "x*", "x/", "x/*", "x/y", "x/y*")
			if !seen[pattern] {
				seen[pattern] = true
				routes[fmt.Sprint(i)] = Route{ID: fmt.Sprint(i), Pattern: pattern, Script: "s" + fmt.Sprint(i)}
			}
		}
		table := newRouteTable(routes)
		for range 50 {
			host := pick("a.test", "b.a.test", "c.b.a.test", "d.c.b.a.test", "test", "other")
			path := "/" + pick("", "x", "x/", "x/y", "x/yz", "y", "x/y/z")
			if got, want := table.find(host, []byte(path)), modelRoute(routes, host, path); got != want {
				t.Fatalf("%s%s: found %q, want %q among %v", host, path, got, want, routes)
			}
		}
	}
}

// modelRoute ranks by: exact host, longer wildcard, longer path, no "*".
func modelRoute(routes map[string]Route, host, path string) string {
	best, script := [4]int{}, ""
	for _, r := range routes {
		h, p, _ := strings.Cut(r.Pattern, "/")
		rank := [4]int{}
		if h == host {
			rank[0], rank[1] = 1, len(h)
		} else if suffix, ok := strings.CutPrefix(h, "*"); ok && strings.HasSuffix(host, suffix) {
			rank[1] = len(h)
		} else {
			continue
		}
		prefix, star := strings.CutSuffix("/"+p, "*")
		if star && !strings.HasPrefix(path, prefix) || !star && path != prefix {
			continue
		}
		rank[2] = len(prefix)
		if !star {
			rank[3] = 1
		}
		if script == "" || less(best, rank) {
			best, script = rank, r.Script
		}
	}
	return script
}

func less(a, b [4]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
