package report

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"switchyard/loadtest"
)

// TestPage: the page has its diagrams, asks nothing of the network, and lets no name through as HTML.
func TestPage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("hi")) }))
	defer server.Close()
	class := func(name, role string) loadtest.Class {
		return loadtest.Class{Name: name, Role: role, Host: "t%d.test", Arrivals: loadtest.Arrivals{Rate: 100}, Tenants: loadtest.Population{Count: 3}, SLO: "p50<1us"}
	}
	s := loadtest.Scenario{Name: "<script>alert(1)</script>", Target: server.URL, Duration: 1100 * time.Millisecond, Warmup: time.Millisecond,
		Classes: []loadtest.Class{class("quiet", "victim"), class("hogs", "aggressor")}}
	results, err := loadtest.Run(t.Context(), s, loadtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := Write(&page, "Title", &loadtest.Record{Head: loadtest.NewHead(s, ""), Results: results}); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{"&lt;script&gt;", "p99 by tenant", "spectrum", "resident memory", "by outcome", "Isolation of quiet", "quiet: p50 is"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(text, "<svg"); n != 4+1+4+2 {
		t.Errorf("%d diagrams", n)
	}
	if found := regexp.MustCompile(`(?i:<script|src=|href=|@import|url\()|NaN|Inf\b`).FindString(text); found != "" {
		t.Errorf("the page has %q", found)
	}
}

func TestScales(t *testing.T) {
	for _, c := range []struct {
		values []float64
		log    bool
		want   [2]float64
	}{
		{[]float64{0.7, 3}, false, [2]float64{0, 3}}, {[]float64{97}, false, [2]float64{0, 100}}, {nil, false, [2]float64{1, 10}},
		{[]float64{15, 2500}, true, [2]float64{10, 10_000}}, {[]float64{0}, false, [2]float64{0, 1}},
	} {
		s := scale{log: c.log}
		s.fit(c.values...)
		if s.from != c.want[0] || s.to < c.want[1] || s.to > 1.3*c.want[1] {
			t.Errorf("%v: from %v to %v, want %v", c.values, s.from, s.to, c.want)
		}
	}
}
