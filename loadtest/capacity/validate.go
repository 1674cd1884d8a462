package capacity

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"switchyard/loadtest"
)

// Prediction is a figure of the planner beside the measured one.
type Prediction struct {
	What      string
	Predicted float64
	Measured  float64
	Unit      string
	Allowed   float64 // relative error; for points of a share, absolute
}

// Error is relative, or in points where the figure is a share.
func (p Prediction) Error() float64 {
	if p.Unit == "%" {
		return p.Predicted - p.Measured
	}
	return 100 * (p.Predicted/p.Measured - 1)
}

// Print writes a line.
func (p Prediction) Print(w io.Writer) {
	verdict, unit := "within", "%"
	if p.Unit == "%" {
		unit = " points"
	}
	if math.Abs(p.Error()) > p.Allowed {
		verdict = "MISSED"
	}
	fmt.Fprintf(w, "%-58s predicted %9.2f  measured %9.2f %-8s error %+.1f%s (%s %.0f)\n", p.What, p.Predicted, p.Measured, p.Unit, p.Error(), unit, verdict, p.Allowed)
}

// Launch starts a server of its own with so much memory for tenants, 0 for its default, and ends it.
type Launch func(ctx context.Context, warmMB int) (target string, o loadtest.Options, end func(), err error)

// Mixes that are predicted: the profile's kinds, one at a time, were all that was measured.
var (
	mixA = loadtest.Population{Count: 20, Kinds: map[string]float64{"js-hello": 6, "json:25": 3, "cpu:1": 1}}
	mixB = loadtest.Population{Count: 200, Zipf: 0.6, Kinds: map[string]float64{"js-hello": 3, "json:25": 5, "cpu:1": 2}}
)

// Validate takes a profile at 60 % load at most and holds its predictions against measurements: 80
// and 100 % load, another mix with ten times the tenants, twice the memory, and, on a server with
// little memory for tenants, another popularity.
func Validate(ctx context.Context, launch Launch, m MeasureOptions) ([]Prediction, error) {
	m.Kinds, m.Load = mixA.Kinds, 0.6
	target, o, end, err := launch(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer end()
	p, err := Measure(ctx, target, o, m)
	if err != nil {
		return nil, err
	}
	b := &bench{target: target, options: o, measure: m, seed: 1000}
	if err := b.measure.complete(); err != nil {
		return nil, err
	}
	b.options.Progress = nil
	var out []Prediction
	for _, step := range []func(context.Context, *bench, *Profile) ([]Prediction, error){validateMixes, validateUSL, validateMemory} {
		found, err := step(ctx, b, p)
		if err != nil {
			return out, err
		}
		out = append(out, found...)
	}
	found, err := validateWarm(ctx, launch, m)
	return append(out, found...), err
}

// cost is CPU seconds per request of a mix, and cores besides.
func (p *Profile) cost(s *loadtest.Scenario) (perRequest, fixed float64) {
	for name, share := range s.Shares(0) {
		perRequest += share * p.Kinds[name].line().PerRequest
	}
	return perRequest, p.fixed()
}

func validateMixes(ctx context.Context, b *bench, p *Profile) ([]Prediction, error) {
	var out []Prediction
	for _, mix := range []struct {
		name    string
		tenants loadtest.Population
	}{{"mix A", mixA}, {"mix B, 10 × the tenants", mixB}} {
		s := b.scenario("mix"+fmt.Sprint(len(out)), mix.tenants)
		if err := b.setup(ctx, s); err != nil {
			return out, err
		}
		perRequest, fixed := p.cost(&s)
		full, err := b.users(ctx, s, saturating)
		if err != nil {
			return out, err
		}
		most, err := b.open(ctx, s, 0.8*full.Rate)
		if err != nil {
			return out, err
		}
		out = append(out,
			Prediction{mix.name + ": CPU at 80 % load", fixed + most.Rate*perRequest, most.Server.Cores, "cores", 15},
			Prediction{mix.name + ": throughput at 100 %, on the cores it got", (full.Server.Cores - fixed) / perRequest, full.Rate, "req/s", 15})
	}
	return out, nil
}

// validateUSL asks for twice the concurrency.
func validateUSL(ctx context.Context, b *bench, p *Profile) ([]Prediction, error) {
	if p.USL == nil {
		return nil, nil
	}
	s := b.scenario("usl", loadtest.Population{Count: 4, Kinds: map[string]float64{waiting: 1}})
	n := 2 * int(p.USL.MostN)
	r, err := b.users(ctx, s, n)
	if err != nil {
		return nil, err
	}
	x, err := p.USL.Predict(float64(n))
	return []Prediction{{fmt.Sprintf("USL: throughput with %d under way, fitted up to %.0f", n, p.USL.MostN), x, r.Rate, "req/s", 15}}, err
}

// validateMemory brings as many tenants again into memory.
func validateMemory(ctx context.Context, b *bench, p *Profile) ([]Prediction, error) {
	before, err := b.options.Usage()
	if err != nil {
		return nil, err
	}
	s := b.scenario("more", loadtest.Population{Count: 1, Cold: 1, ColdCount: p.Tenants, Kinds: map[string]float64{"js-hello": 1}})
	if err := b.setup(ctx, s); err != nil {
		return nil, err
	}
	if _, err := b.open(ctx, s, 2.5*float64(p.Tenants)/s.Duration.Seconds()); err != nil {
		return nil, err
	}
	after, err := b.options.Usage()
	return []Prediction{{fmt.Sprintf("RSS with %d tenants more", p.Tenants), before.RSS + float64(p.Tenants)*p.perTenant(), after.RSS, "MiB", 10}}, err
}

// validateWarm learns how many tenants a small memory holds at one popularity, and predicts others.
// Each has a server of its own, as deployed tenants that nobody asks for take memory too.
func validateWarm(ctx context.Context, launch Launch, m MeasureOptions) ([]Prediction, error) {
	if err := m.complete(); err != nil {
		return nil, err
	}
	learned := Popularity{Count: 600, Zipf: 0.8}
	warm, err := measureWarm(ctx, launch, m, learned)
	if err != nil {
		return nil, err
	}
	slots := learned.Slots(warm)
	m.Log("%-12s %.1f %% warm of %d tenants, Zipf %.1f: %.0f slots", "warm", 100*warm, learned.Count, learned.Zipf, slots)
	var out []Prediction
	for _, other := range []Popularity{{Count: 600, Zipf: 1.2}, {Count: 1200, Zipf: 0.8}} {
		measured, err := measureWarm(ctx, launch, m, other)
		if err != nil {
			return out, err
		}
		out = append(out, Prediction{fmt.Sprintf("warm requests of %d tenants, Zipf %.1f", other.Count, other.Zipf), 100 * other.Warm(slots), 100 * measured, "%", 5})
	}
	return out, nil
}

// measureWarm is the share that found their tenant in memory, once as many requests have made the
// server forget the deploys.
func measureWarm(ctx context.Context, launch Launch, m MeasureOptions, p Popularity) (float64, error) {
	const warmMB, rate, requests = 64, 1000, 8000
	target, o, end, err := launch(ctx, warmMB)
	if err != nil {
		return 0, err
	}
	defer end()
	o.Progress = nil
	b := &bench{target: target, options: o, measure: m, seed: 2000}
	s := b.scenario("warm", loadtest.Population{Count: p.Count, Zipf: p.Zipf, Kinds: map[string]float64{"js-hello": 1}})
	if err := b.setup(ctx, s); err != nil {
		return 0, err
	}
	s.Warmup, s.Duration = requests*time.Second/rate, requests*time.Second/rate
	r, err := b.open(ctx, s, rate)
	if err != nil {
		return 0, err
	}
	c := &r.Classes[0]
	return float64(c.Isolates["warm"].Response.N) / float64(max(c.Outcomes.Total(), 1)), nil
}
