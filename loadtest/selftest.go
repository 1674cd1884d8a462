package loadtest

import (
	"context"
	"fmt"
	"math"
	"net"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Check is one self-test. Timed ones need a machine with some peace.
type Check struct {
	Name  string
	Timed bool
	run   func(ctx context.Context, o Options) (detail string, err error)
}

// Run returns what was found, and an error when it is wrong. Of the options only RealTime counts.
func (c Check) Run(ctx context.Context, o Options) (detail string, err error) {
	return c.run(ctx, Options{RealTime: o.RealTime})
}

// Checks are all self-tests.
func Checks() []Check {
	return []Check{
		{"errors are named and counted exactly", false, checkTaxonomy},
		{"a port where nobody listens", false, checkRefused},
		{"Poisson gaps are exponential (Kolmogorov-Smirnov)", false, checkPoisson},
		{"gamma and MMPP arrivals are as bursty as asked, and keep the rate", false, checkBursty},
		{"shapes send their integral", false, checkShapes},
		{"popularity follows Zipf's law (chi-squared)", false, checkZipf},
		{"merged histograms are those of all samples", false, checkMerge},
		{"the same seed sends the same", false, checkSeed},
		{"a server of 5 ms is measured as such, within 0.2 ms", true, checkFixed},
		{"a stall shows in an open loop, and not in a closed one", true, checkStall},
		{"rates are kept within 0.5 %", true, checkRates},
	}
}

// stubScenario is load for a stub: one class, hello Workers.
func stubScenario(target string, rate float64, d time.Duration) Scenario {
	return Scenario{
		Target: target, Duration: d, Warmup: time.Millisecond, Timeout: 3 * time.Second, // a busy machine pauses for a second
		Classes: []Class{{Name: "a", Tenants: Population{Count: 20, Zipf: 1}, Arrivals: Arrivals{Process: "constant", Rate: rate}}},
	}
}

func runOne(ctx context.Context, o Options, s Scenario) (*Result, error) {
	results, err := Run(ctx, s, o)
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

func nothing() {}

// checkTaxonomy injects each fault into every 20th request, and counts on both sides.
func checkTaxonomy(ctx context.Context, o Options) (string, error) {
	s, err := startStub(func(seq uint64) fault {
		if f := fault(seq % 20); f < faults && seq > 1 { // the first is warm-up
			return f
		}
		return fine
	}, nothing)
	if err != nil {
		return "", err
	}
	defer s.Close()
	scenario := stubScenario(s.url(), 400, 2*time.Second)
	r, err := runOne(ctx, o, scenario)
	if err != nil {
		return "", err
	}
	got, want := r.Outcomes(), s.counts()
	want[ok]-- // the warm-up
	if got != want || r.Sent < 790 {
		return "", fmt.Errorf("counted %v, injected %v", got.ByName(), want.ByName())
	}
	return fmt.Sprintf("%v", got.ByName()), nil
}

func checkRefused(ctx context.Context, o Options) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	target := "http://" + l.Addr().String()
	l.Close()
	r, err := runOne(ctx, o, stubScenario(target, 200, 200*time.Millisecond))
	if err != nil {
		return "", err
	}
	if o := r.Outcomes(); o[refused] != r.Sent || r.Sent < 30 {
		return "", fmt.Errorf("sent %d, counted %v", r.Sent, o.ByName())
	}
	return fmt.Sprintf("%d of %d", r.Sent, r.Sent), nil
}

// gaps draws n inter-arrival times in seconds.
func gaps(a Arrivals, n int, seed uint64) ([]float64, error) {
	if err := a.complete(time.Hour); err != nil {
		return nil, err
	}
	s := Scenario{Seed: seed}
	p := newPacer(&a, time.Hour, s.random(0, streamArrivals))
	out, last := make([]float64, n), p.next()
	for i := range out {
		due := p.next()
		out[i], last = (due - last).Seconds(), due
	}
	return out, nil
}

func checkPoisson(context.Context, Options) (string, error) {
	const n, rate = 20_000, 1000
	x, err := gaps(Arrivals{Process: "poisson", Rate: rate}, n, 7)
	if err != nil {
		return "", err
	}
	slices.Sort(x)
	d, law := 0.0, distuv.Exponential{Rate: rate}
	for i, v := range x {
		f := law.CDF(v)
		d = max(d, math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n))
	}
	critical := 1.628 / math.Sqrt(n) // at 1 %
	if d > critical {
		return "", fmt.Errorf("D = %.5f, above %.5f", d, critical)
	}
	return fmt.Sprintf("D = %.5f, critical %.5f at 1 %%, %d gaps", d, critical, n), nil
}

func checkBursty(context.Context, Options) (string, error) {
	const n, rate = 200_000, 1000
	text := ""
	for _, a := range []Arrivals{{Process: "gamma", Rate: rate, CV: 2}, {Process: "gamma", Rate: rate, CV: 5}, {Process: "mmpp", Rate: rate, Peak: 8, Share: 0.1, Burst: 20 * time.Millisecond}} {
		x, err := gaps(a, n, 3)
		if err != nil {
			return "", err
		}
		mean, cv := moments(x)
		if math.Abs(mean*rate-1) > 0.06 {
			return "", fmt.Errorf("%s: the rate is %.1f, not %d", a.Process, 1/mean, rate)
		}
		if a.Process == "gamma" && math.Abs(cv/a.CV-1) > 0.05 || a.Process == "mmpp" && cv < 1.2 {
			return "", fmt.Errorf("%s: CV is %.2f, asked for %.2f", a.Process, cv, a.CV)
		}
		text += fmt.Sprintf("%s CV %.2f ", a.Process, cv)
	}
	return text, nil
}

// moments are the mean and the coefficient of variation.
func moments(x []float64) (mean, cv float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		cv += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(cv) / mean
}

func checkShapes(context.Context, Options) (string, error) {
	const total = 100 * time.Second
	text := ""
	for _, c := range []struct {
		a    Arrivals
		want float64
	}{
		{Arrivals{Shape: "ramp", Rate: 100, To: 300}, 20_000},
		{Arrivals{Shape: "ramp", Rate: 300, To: 100}, 20_000},
		{Arrivals{Shape: "step", Rate: 100, To: 300, Steps: 3}, 20_000},
		{Arrivals{Shape: "spike", Rate: 100, To: 1000}, 19_000},
		{Arrivals{Shape: "diurnal", Rate: 200, Depth: 1, Period: 50 * time.Second}, 20_000},
	} {
		c.a.Process = "constant"
		if err := c.a.complete(total); err != nil {
			return "", err
		}
		n := 0.0
		for p := newPacer(&c.a, total, nil); p.next() < total; {
			n++
		}
		if math.Abs(n-c.want) > 0.001*c.want {
			return "", fmt.Errorf("%s: %v requests, not %v", c.a.Shape, n, c.want)
		}
		text += fmt.Sprintf("%s %.0f ", c.a.Shape, n)
	}
	return text, nil
}

func checkZipf(context.Context, Options) (string, error) {
	const n, tenants = 200_000, 200
	text := ""
	for _, s := range []float64{0, 0.8, 1.2} {
		p := newPopularity(&Population{Count: tenants, Zipf: s}, (&Scenario{Seed: 5}).random(0, streamTenants))
		counts, sum := make([]float64, tenants), 0.0
		for range n {
			counts[p.next()-1]++
		}
		for k := range counts {
			sum += math.Pow(float64(k+1), -s)
		}
		chi := 0.0
		for k, c := range counts {
			want := n * math.Pow(float64(k+1), -s) / sum
			chi += (c - want) * (c - want) / want
		}
		critical := distuv.ChiSquared{K: tenants - 1}.Quantile(0.99)
		if chi > critical {
			return "", fmt.Errorf("s = %v: chi-squared is %.1f, above %.1f", s, chi, critical)
		}
		text += fmt.Sprintf("s=%v: %.0f ", s, chi)
	}
	return text + fmt.Sprintf("(critical %.0f at 1 %%)", distuv.ChiSquared{K: tenants - 1}.Quantile(0.99)), nil
}

func checkMerge(context.Context, Options) (string, error) {
	random := (&Scenario{Seed: 9}).random(0, streamOther)
	whole, parts := newHistogram(), [3]histogram{newHistogram(), newHistogram(), newHistogram()}
	for i := range 30_000 {
		d := time.Duration(math.Exp(random.NormFloat64()*2+7)) * time.Microsecond
		whole.record(d)
		parts[i%3].record(d)
	}
	merged, err := MergeLatencies(parts[0].latency(), parts[1].latency(), parts[2].latency())
	if err != nil {
		return "", err
	}
	a, errA := merged.Bars()
	l := whole.latency()
	b, errB := l.Bars()
	if errA != nil || errB != nil || !slices.Equal(a, b) {
		return "", fmt.Errorf("they differ: %d bars and %d, %v %v", len(a), len(b), errA, errB)
	}
	return fmt.Sprintf("%d bars, by way of their written form", len(a)), nil
}

func checkSeed(context.Context, Options) (string, error) {
	s, err := stubScenario("http://127.0.0.1:1", 1000, time.Second).Complete()
	if err != nil {
		return "", err
	}
	draw := func() (out [2000]request) {
		sch := &schedule{all: newCrowds(&s)}
		sch.crowds = sch.all
		sch.all[0].start(&s)
		for i := range out {
			out[i] = sch.draw(sch.all[0], sch.all[0].due)
		}
		return out
	}
	first := draw()
	if first != draw() {
		return "", fmt.Errorf("it does not")
	}
	s.Seed++
	if first == draw() {
		return "", fmt.Errorf("another seed sends the same")
	}
	return "2,000 requests", nil
}
