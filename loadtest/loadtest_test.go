package loadtest

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func run(t *testing.T, p Plan) *Result {
	t.Helper()
	r, err := Run(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestNoCoordinatedOmission: a server that stalls once makes the requests that were due
// meanwhile late, although none of them was sent before it went on.
func TestNoCoordinatedOmission(t *testing.T) {
	var gate sync.RWMutex
	origin := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		gate.RLock()
		defer gate.RUnlock()
	}))
	defer origin.Close()
	time.AfterFunc(300*time.Millisecond, func() { gate.Lock(); time.Sleep(400 * time.Millisecond); gate.Unlock() })
	r := run(t, Plan{Target: origin.URL, Rate: 200, Duration: time.Second, Warmup: 100 * time.Millisecond})
	// 400 ms of 1 s stall: two fifths of the requests waited, on average 200 ms.
	if r.Response.P90 < 200_000 || r.Response.P50 > 150_000 {
		t.Errorf("p50 %.0f µs, p90 %.0f µs: want a stall of 400 ms to show from about p60 on", r.Response.P50, r.Response.P90)
	}
	if r.Outcomes["2xx"] != int(r.Sent) || r.Sent < 190 {
		t.Errorf("sent %d, outcomes %v", r.Sent, r.Outcomes)
	}
}

// TestDropsAreCounted: what the ceiling keeps from being sent makes the run invalid.
func TestDropsAreCounted(t *testing.T) {
	release := make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer origin.Close()
	defer close(release)
	r := run(t, Plan{Target: origin.URL, Rate: 100, Duration: 300 * time.Millisecond, Warmup: time.Millisecond, InFlight: 3, Timeout: 400 * time.Millisecond})
	if r.Dropped < 20 || r.Invalid == "" || r.Outcomes["timeout"] == 0 || r.Errors() != 1 {
		t.Errorf("dropped %d, invalid %q, outcomes %v, errors %v", r.Dropped, r.Invalid, r.Outcomes, r.Errors())
	}
}

// TestTenants: hosts follow the popularity, and the same seed sends the same.
func TestTenants(t *testing.T) {
	p, err := Plan{Target: "http://a.test", Host: "t%d.test", Rate: 1, Tenants: 100, Skew: 1}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	counts, again := make([]float64, 101), newPopularity(&p)
	pop := newPopularity(&p)
	const n = 100_000
	for range n {
		k := pop.next()
		if k != again.next() {
			t.Fatal("the same seed picked another tenant")
		}
		counts[k]++
	}
	harmonic := 0.0
	for k := 1; k <= 100; k++ {
		harmonic += 1 / float64(k)
	}
	for _, k := range []int{1, 2, 10} {
		want := n / harmonic / float64(k)
		if math.Abs(counts[k]-want) > 5*math.Sqrt(want) {
			t.Errorf("tenant %d was picked %.0f times, want about %.0f", k, counts[k], want)
		}
	}
	if got := p.hostOf(7); got != "t7.test" {
		t.Errorf("host %q", got)
	}
}

func TestPacer(t *testing.T) {
	constant := newPacer(&Plan{Rate: 100})
	for i := range 10 {
		if got, want := constant.next(), time.Duration(i)*10*time.Millisecond; (got - want).Abs() > time.Microsecond {
			t.Errorf("arrival %d at %v, want %v", i, got, want)
		}
	}
	poisson := newPacer(&Plan{Rate: 1000, Poisson: true, Seed: 3})
	var last time.Duration
	for range 10_000 {
		last = poisson.next()
	}
	if got := last.Seconds(); math.Abs(got-10) > 0.5 {
		t.Errorf("10,000 arrivals at 1000/s took %.2f s", got)
	}
}

func TestSLO(t *testing.T) {
	r := &Result{Sent: 1000, Outcomes: map[string]int{"2xx": 998, "5xx": 2}, Response: Latency{P50: 900, P99: 20_000}}
	for text, want := range map[string]int{"p99<50ms": 0, "p99<20ms,p50<1ms": 1, "errors<0.3%": 0, "errors<0.1%,p50<0.5ms": 2} {
		slo, err := ParseSLO(text)
		if err != nil || len(slo.Broken(r)) != want {
			t.Errorf("%s: %v, %v, want %d broken", text, slo.Broken(r), err, want)
		}
	}
	for text, want := range map[string]string{"p99": "NAME<LIMIT", "p98<1ms": `"p98"`, "p99<fast": "fast", "errors<x": "x"} {
		if _, err := ParseSLO(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestBadPlans(t *testing.T) {
	for _, p := range []Plan{{Rate: 1}, {Target: "ftp://x", Rate: 1}, {Target: "http://x"}, {Target: "http://x", Rate: 1, Path: "y"}, {Target: "http://x", Rate: 1, Tenants: -1}} {
		if _, err := Run(context.Background(), p); err == nil {
			t.Errorf("%+v was accepted", p)
		}
	}
}
