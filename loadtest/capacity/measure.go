package capacity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"switchyard/loadtest"
)

// MeasureOptions say how a profile is taken.
type MeasureOptions struct {
	Kinds   map[string]float64 // of Workers; weights do not matter here
	Cores   float64            // that the server can use. Default: all
	SLO     string             // Default: p99<100ms,errors<0.1%
	Load    float64            // highest share of the highest throughput that is measured. Default: 0.6
	Run     time.Duration      // of each run. Default: 3s
	Runs    int                // at each load. Default: 2
	Tenants int                // brought into memory, 40 at least. Default: 200
	Log     func(format string, args ...any)
}

func (o *MeasureOptions) complete() error {
	if o.SLO == "" {
		o.SLO = "p99<100ms,errors<0.1%"
	}
	if o.Load == 0 {
		o.Load = 0.6
	}
	if o.Run == 0 {
		o.Run = 3 * time.Second
	}
	if o.Runs == 0 {
		o.Runs = 2
	}
	if o.Tenants == 0 {
		o.Tenants = 200
	}
	if !(o.Load > 0.1 && o.Load <= 0.95) || o.Run < time.Second || o.Run > time.Hour || o.Runs < 1 || o.Runs > 50 || o.Tenants < 40 || o.Tenants > 100_000 || !(o.Cores > 0) {
		return fmt.Errorf("measure: load %v, run %v, runs %d, tenants %d, cores %v: out of range", o.Load, o.Run, o.Runs, o.Tenants, o.Cores)
	}
	if len(o.Kinds) == 0 || len(o.Kinds) > 10 {
		return fmt.Errorf("measure: %d kinds, not 1 to 10", len(o.Kinds))
	}
	return nil
}

// bench is a server that is measured. It is alone on it.
type bench struct {
	target  string
	options loadtest.Options
	measure MeasureOptions
	seed    uint64
}

// Measure takes the profile of a server without tenants.
func Measure(ctx context.Context, target string, o loadtest.Options, m MeasureOptions) (*Profile, error) {
	if err := m.complete(); err != nil {
		return nil, err
	}
	if o.Usage == nil || o.Platform == nil {
		return nil, errors.New("measure: the server's CPU time and its control API are needed")
	}
	o.Progress, o.Repeats = nil, 1
	b := &bench{target: target, options: o, measure: m}
	idle, err := o.Usage()
	if err != nil {
		return nil, err
	}
	p := &Profile{Format: 1, Cores: m.Cores, Kinds: map[string]KindProfile{}, BaseRSS: idle.RSS, SLO: m.SLO}
	if err := b.memory(ctx, p); err != nil {
		return nil, err
	}
	for i, name := range slices.Sorted(maps.Keys(m.Kinds)) {
		if err := b.kind(ctx, p, i, name); err != nil {
			return nil, err
		}
	}
	if p.Used == 0 {
		return nil, fmt.Errorf("measure: no load kept %s", m.SLO)
	}
	return p, b.scalability(ctx, p)
}

// scenario is one class of some tenants.
func (b *bench) scenario(class string, tenants loadtest.Population) loadtest.Scenario {
	b.seed++
	return loadtest.Scenario{
		Name: "profile", Seed: b.seed, Target: b.target, Duration: b.measure.Run, Warmup: b.measure.Run / 5,
		Classes: []loadtest.Class{{Name: class, Tenants: tenants, SLO: b.measure.SLO}},
	}
}

// open runs a rate, users run a closed loop.
func (b *bench) open(ctx context.Context, s loadtest.Scenario, rate float64) (*loadtest.Result, error) {
	s.Classes[0].VUs, s.Classes[0].Arrivals = 0, loadtest.Arrivals{Rate: rate}
	return b.run(ctx, s)
}

func (b *bench) users(ctx context.Context, s loadtest.Scenario, n int) (*loadtest.Result, error) {
	s.Classes[0].VUs, s.Classes[0].Arrivals = n, loadtest.Arrivals{}
	return b.run(ctx, s)
}

func (b *bench) run(ctx context.Context, s loadtest.Scenario) (*loadtest.Result, error) {
	results, err := loadtest.Run(ctx, s, b.options)
	if err != nil {
		return nil, err
	}
	r := results[0]
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case r.Server == nil:
		return nil, errors.New("the server's CPU time is unknown")
	case r.Rate == 0:
		outcomes := r.Outcomes()
		return nil, fmt.Errorf("no good answer: %v", outcomes.ByName())
	}
	return r, nil
}

// setup makes the tenants of a scenario; its rate does not matter.
func (b *bench) setup(ctx context.Context, s loadtest.Scenario) error {
	s.Classes = slices.Clone(s.Classes)
	s.Classes[0].Arrivals = loadtest.Arrivals{Rate: 1}
	return b.options.Platform.Setup(ctx, s, nil)
}

// users who saturate a server of a few cores.
const saturating = 16

// kind measures loads up to the highest that is asked for.
func (b *bench) kind(ctx context.Context, p *Profile, i int, name string) error {
	s := b.scenario(fmt.Sprintf("k%d", i), loadtest.Population{Count: 4, Kinds: map[string]float64{name: 1}})
	if err := b.setup(ctx, s); err != nil {
		return err
	}
	full, err := b.users(ctx, s, saturating)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	k := p.Kinds[name]
	k.Cold = p.Kinds[""].Cold
	for _, share := range []float64{1. / 3, 0.5, 2. / 3, 5. / 6, 1} {
		for range b.measure.Runs {
			r, err := b.open(ctx, s, share*b.measure.Load*full.Rate)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			c := &r.Classes[0]
			l := Load{Rate: r.Rate, Cores: r.Server.Cores, P99: c.Response.P99, Kept: len(c.Broken) == 0}
			if used := l.Cores / p.Cores; l.Kept && used > p.Used {
				p.Used = min(1, used)
			}
			k.Loads = append(k.Loads, l)
		}
	}
	p.Kinds[name] = k
	line := k.line()
	b.measure.Log("%-12s %8.1f µs CPU a request, %.3f cores besides (R² %.3f), %.0f/s at most", name, line.PerRequest*1e6, line.Fixed, line.R2, full.Rate)
	return nil
}

// batches of tenants are brought into memory one after another: each gives a slope.
const batches = 4

// memory asks tenants for the first time, and leaves what a cold request costs under the name "" until
// the kinds have taken it.
func (b *bench) memory(ctx context.Context, p *Profile) error {
	before := p.BaseRSS
	var cold []float64
	each := b.measure.Tenants / batches
	for i := range batches {
		s := b.scenario(fmt.Sprintf("m%d", i), loadtest.Population{Count: 1, Cold: 1, ColdCount: each, Kinds: map[string]float64{"js-hello": 1}})
		if err := b.setup(ctx, s); err != nil {
			return err
		}
		r, err := b.open(ctx, s, 2.5*float64(each)/s.Duration.Seconds()) // each of them twice
		if err != nil {
			return err
		}
		now, err := b.options.Usage()
		if err != nil {
			return err
		}
		p.PerTenant = append(p.PerTenant, (now.RSS-before)/float64(each))
		before = now.RSS
		if extra, found := coldExtra(&r.Classes[0]); found {
			cold = append(cold, extra)
		}
	}
	p.Tenants = each * batches
	p.Kinds[""] = KindProfile{Cold: cold}
	defer delete(p.Kinds, "")
	for name := range b.measure.Kinds {
		p.Kinds[name] = KindProfile{Cold: cold}
	}
	b.measure.Log("%-12s %8.0f MiB idle, %.2f MiB a tenant, %.0f µs CPU more when cold", "memory", p.BaseRSS, p.perTenant(), 1e6*p.Kinds[""].cold())
	return nil
}

// coldExtra is how much more CPU the platform told for requests that were not warm, in µs.
func coldExtra(c *loadtest.ClassResult) (float64, bool) {
	n, sum := int64(0), 0.0
	for state, s := range c.Isolates {
		if state != "warm" {
			n += s.Response.N
			sum += s.CPU * float64(s.Response.N)
		}
	}
	if n == 0 {
		return 0, false
	}
	return sum/float64(n) - c.Isolates["warm"].CPU, true
}

// waiting is the Worker whose concurrency is measured: what computes is at its highest throughput with
// as many under way as there are cores, where there is nothing to fit.
const waiting = "fanout:1"

// scalability runs closed loops of growing concurrency up to the highest load, and fits the law.
// Without an origin there is none.
func (b *bench) scalability(ctx context.Context, p *Profile) error {
	if !b.options.Platform.HasOrigin() {
		b.measure.Log("%-12s no origin: concurrency is not measured", "USL")
		return nil
	}
	s := b.scenario("usl", loadtest.Population{Count: 4, Kinds: map[string]float64{waiting: 1}})
	if err := b.setup(ctx, s); err != nil {
		return err
	}
	full, err := b.users(ctx, s, 256)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128} {
		r, err := b.users(ctx, s, n)
		if err != nil {
			return err
		}
		if len(p.Points) >= leastPoints && r.Rate > b.measure.Load*full.Rate {
			break
		}
		p.Points = append(p.Points, Point{float64(n), r.Rate})
	}
	return p.fitUSL(b)
}

func (p *Profile) fitUSL(b *bench) error {
	u, err := FitUSL(p.Points)
	if err != nil {
		return err
	}
	p.USL = &u
	peak := fmt.Sprintf("peak at %.0f under way", u.Peak())
	if u.Peak() > 2*u.MostN {
		peak = fmt.Sprintf("no peak up to %.0f under way", 2*u.MostN)
	}
	b.measure.Log("%-12s λ %.0f/s, σ %.4f, κ %.5f (R² %.3f), %s", "USL", u.Lambda, u.Sigma, u.Kappa, u.R2, peak)
	return nil
}
