package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/nlnwa/whatwg-url/url"
)

// TestExpensiveURLs: nothing that a Worker or an origin says keeps the parser busy.
func TestExpensiveURLs(t *testing.T) {
	base, err := ParseURL("http://h/", nil)
	if err != nil {
		t.Fatal(err)
	}
	han := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteRune(rune(0x4e00 + i*7%20000))
		}
		return b.String()
	}
	for _, raw := range []string{
		"http://" + han(20000) + "/", "http://" + han(5000) + "/", "http:" + han(5000), "ht\ttp:/\n/" + han(5000), " \x01http:\\\\" + han(5000), "//" + han(5000), "\\/" + han(5000),
		"http://" + strings.Repeat("a@", 8000) + "h/", "http://" + strings.Repeat("a:", 8000) + "@h/", "HTTPS:" + strings.Repeat("a@", 8000),
		"http://h/" + strings.Repeat("../", 5000), "http://h/?" + strings.Repeat("'", 16000), "http://h/" + strings.Repeat("\u00fc", 8000), "./" + han(5000), "http://h/" + strings.Repeat("x", 1<<20),
	} {
		for _, b := range []*url.Url{nil, base} {
			if took := fastest(5, func() { ParseURL(raw, b) }); took > 50*time.Millisecond {
				t.Errorf("%.20q of %d bytes takes %v", raw, len(raw), took)
			}
		}
	}
	if _, err := ParseURL("http://h/"+strings.Repeat("x", 16000), nil); err != nil {
		t.Errorf("a long path: %v", err)
	}
	if _, err := ParseURL("login;"+strings.Repeat("x", 4000), base); err != nil {
		t.Errorf("a long relative path: %v", err)
	}
}

// fastest runs f a few times: a busy machine slows some of the runs, a slow f all of them.
func fastest(times int, f func()) time.Duration {
	best := time.Hour
	for range times {
		begun := time.Now()
		f()
		best = min(best, time.Since(begun))
	}
	return best
}
