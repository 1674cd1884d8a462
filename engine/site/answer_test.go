package site

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// listing is Files of names; two files are the same where their texts are.
type listing struct{ names, texts []string }

func files(names ...string) *listing { return &listing{names, names} }

func (l *listing) Find(path string) int { return slices.Index(l.names, path) }
func (l *listing) Same(a, b int) bool   { return l.texts[a] == l.texts[b] }

func parse(t testing.TB, config string) *Config {
	t.Helper()
	c, err := Parse(json.RawMessage(config), "2025-09-01", nil)
	if err != nil {
		t.Fatalf("%s: %v", config, err)
	}
	return c
}

// asked makes a request of "[METHOD] [navigate] URL".
func asked(line string) *Request {
	r := &Request{Method: "GET", Origin: "http://h.test", Hostname: "h.test"}
	fields := strings.Fields(line)
	for _, f := range fields[:len(fields)-1] {
		if r.Navigates = r.Navigates || f == "navigate"; f != "navigate" {
			r.Method = f
		}
	}
	r.Path, r.Query = cut(fields[len(fields)-1], "?")
	return r
}

func (a Answer) text(l *listing) string {
	switch {
	case a.Location != "":
		return fmt.Sprint(a.Status, " ", a.Location)
	case a.File >= 0:
		return fmt.Sprint(a.Status, " ", l.names[a.File])
	}
	return fmt.Sprint(a.Status)
}

// TestAnswers runs the stories of testdata: "config" and "files" set the scene, each other line is
// a request and, after "=>", what it is answered with; "worker" is that the Worker is asked.
func TestAnswers(t *testing.T) {
	stories, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range stories {
		if !strings.HasSuffix(story.Name(), ".txt") {
			continue
		}
		text, err := os.ReadFile("testdata/" + story.Name())
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(story.Name(), ".txt"), func(t *testing.T) { tell(t, string(text)) })
	}
}

func tell(t *testing.T, story string) {
	c, l := parse(t, "{}"), files()
	for n, line := range strings.Split(story, "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case verb == "config":
			c = parse(t, rest)
		case verb == "files":
			l = files(strings.Fields(rest)...)
		default:
			request, want, _ := strings.Cut(line, "=>")
			a, worker := c.Route(l, asked(request))
			got := a.text(l)
			if worker {
				got = "worker"
			}
			if got != strings.TrimSpace(want) {
				t.Errorf("line %d: %s: got %s", n+1, line, got)
			}
		}
	}
}

// TestRefusedConfigs: the field at fault is named.
func TestRefusedConfigs(t *testing.T) {
	for _, test := range []struct{ config, field string }{
		{`{"html_handling":"maybe"}`, "config.html_handling"},
		{`{"not_found_handling":"500-page"}`, "config.not_found_handling"},
		{`{"html_handling":7}`, "config"},
		{`[]`, "config"},
		{`{"run_worker_first":7}`, "config.run_worker_first"},
		{`{"run_worker_first":[]}`, "config.run_worker_first"},
		{`{"run_worker_first":["api/*"]}`, "config.run_worker_first[0]"},
		{`{"run_worker_first":["/api/*","!api"]}`, "config.run_worker_first[1]"},
		{`{"run_worker_first":["!/api"]}`, "config.run_worker_first"},
		{`{"run_worker_first":["/` + strings.Repeat("a", 100) + `"]}`, "config.run_worker_first[0]"},
		{`{"run_worker_first":[` + strings.Repeat(`"/a",`, 100) + `"/b"]}`, "config.run_worker_first"},
		{`{"_headers":"` + strings.Repeat("a", MaxConfig) + `"}`, "config"},
	} {
		_, err := Parse(json.RawMessage(test.config), "", nil)
		refused, ok := err.(*ConfigError)
		if !ok || refused.Field != test.field {
			t.Errorf("%.60s: %v, want a fault of %s", test.config, err, test.field)
		}
	}
}

func TestNavigationFlag(t *testing.T) {
	for _, test := range []struct {
		date string
		flag string
		want bool
	}{
		{"", "", false}, {"2025-03-31", "", false}, {"2025-04-01", "", true}, {"2026-01-01", navigationUnset, false}, {"2024-01-01", navigationFlag, true},
	} {
		if got := navigationPrefersAssets(test.date, strings.Fields(test.flag)); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// TestHeaderRules lays _headers over a response.
func TestHeaderRules(t *testing.T) {
	rules := `
# comment
/*
  X-All: 1
  Cache-Control: public, max-age=60
/movies/:title
  X-Title: is :title
  X-All: 2
  ! ETag
  broken
  Content-Length: 5
  X-Switchyard-Isolate: warm
https://:sub.test/only/*
  X-Host: :sub and :splat
/nothing
/twice/*/and/*
  X-Never: 1
/set
  Set-Cookie: a=1
  Set-Cookie: b=2
`
	doc, _ := json.Marshal(map[string]string{"_headers": rules})
	c := parse(t, string(doc))
	for _, test := range []struct{ path, want string }{
		{"/x", "etag=t cache-control=public, max-age=60 x-all=1"},
		{"/movies/jaws", "cache-control=public, max-age=60 x-all=1, 2 x-title=is jaws"},
		{"/movies/a/b", "etag=t cache-control=public, max-age=60 x-all=1"},
		{"/only/a/b", "etag=t cache-control=public, max-age=60 x-all=1 x-host=h and a/b"},
		{"/twice/a/and/b", "etag=t cache-control=public, max-age=60 x-all=1"},
		{"/set", "etag=t cache-control=public, max-age=60 x-all=1 set-cookie=a=1, b=2"},
	} {
		var got []string
		for _, h := range c.Headers(asked(test.path), []Header{{"etag", "t"}, {"cache-control", "default"}}) {
			got = append(got, h.Name+"="+h.Value)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %s, want %s", test.path, strings.Join(got, " "), test.want)
		}
	}
}

// TestCeilings: what is beyond the documented numbers is ignored.
func TestCeilings(t *testing.T) {
	var b strings.Builder
	for i := range maxStaticRedirects + 5 {
		fmt.Fprintf(&b, "/s%d /t\n", i)
	}
	for i := range maxDynamicRedirects + 5 {
		fmt.Fprintf(&b, "/d%d/* /t\n", i)
	}
	r := parseRedirects(b.String()+"/long /"+strings.Repeat("x", maxLine)+"\n", AutoTrailingSlash)
	if len(r.static) != maxStaticRedirects || len(r.dynamic) != maxDynamicRedirects {
		t.Errorf("%d static and %d dynamic rules", len(r.static), len(r.dynamic))
	}
	b.Reset()
	for i := range maxHeaderRules + 5 {
		fmt.Fprintf(&b, "/h%d\n  x: y\n", i)
	}
	if rules := parseHeaders(b.String()); len(rules) != maxHeaderRules {
		t.Errorf("%d header rules", len(rules))
	}
}

// FuzzAnswer: no rule and no path makes an answer that is not one, or a location that leaves the
// path it is on.
func FuzzAnswer(f *testing.F) {
	f.Add("/a/* /b/:splat 301\n/x https://e.test/:y", "/*\n  x: y", "/a/%2e%2e/%00//b", "GET", "auto-trailing-slash")
	f.Add("/:a/:b /:b/:a 308", "", "/\\evil//x", "POST", "drop-trailing-slash")
	l := files("/index.html", "/a.html", "/a/index.html", "/404.html", "/a b.txt", "/é.txt")
	f.Fuzz(func(t *testing.T, redirects, headers, path, method, html string) {
		doc, _ := json.Marshal(map[string]string{"_redirects": redirects, "_headers": headers, "html_handling": html, "not_found_handling": "404-page"})
		c, err := Parse(doc, "2025-09-01", nil)
		if err != nil {
			return
		}
		r := &Request{Method: method, Origin: "http://h.test", Hostname: "h.test", Path: urlPath(path)}
		a := c.Answer(l, r)
		switch {
		case a.Location != "" && (a.Status < 301 || a.Status > 308 || a.File != none):
			t.Fatalf("%+v", a)
		case strings.ContainsAny(a.Location, "\r\n\x00\\ ") || strings.HasPrefix(a.Location, "//") && redirects == "":
			t.Fatalf("location %q", a.Location)
		case a.File >= len(l.names) || a.Status == 200 && a.File == none:
			t.Fatalf("%+v", a)
		}
		for _, h := range c.Headers(r, nil) {
			if !settable(h.Name) || strings.ContainsAny(h.Value, "\r\n\x00") {
				t.Fatalf("header %q", h)
			}
		}
	})
}
