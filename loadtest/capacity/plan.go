package capacity

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// Plan is the answer: machines by month.
type Plan struct {
	Months      []Month       `json:"months"`
	Sensitivity []Sensitivity `json:"sensitivity"` // of the last month
	Notes       []string      `json:"notes"`
}

// Month is one of them, 0 is today.
type Month struct {
	Month    int     `json:"month"`
	Rate     float64 `json:"rate"`     // at the peak
	Machines int     `json:"machines"` // spare ones too
	Low      int     `json:"low"`      // of a 95 % interval, by bootstrap over the profile's runs
	High     int     `json:"high"`
	Binding  string  `json:"binding"`  // cpu or memory
	Headroom float64 `json:"headroom"` // share of the binding resource that is left on the machines, one spare failed each
	Warm     float64 `json:"warm"`     // share of requests that find their tenant in memory
	Cost     float64 `json:"cost"`     // a month
	PerMreq  float64 `json:"per_mreq"` // cost per million requests at the mean rate
}

// Sensitivity is how many machines, spare ones left out and not rounded, it takes when one input is 20 % off.
type Sensitivity struct {
	Input     string  `json:"input"`
	Low, High float64 // at 0.8 and 1.2 of it
	Base      float64
}

// need is what a month takes, before machines are counted whole.
type need struct {
	cpu, memory float64 // machines
	warm        float64
}

func (n need) machines() float64 { return math.Max(n.cpu, n.memory) }

func (n need) binding() string {
	if n.memory > n.cpu {
		return "memory"
	}
	return "cpu"
}

const bootstraps = 400

// NewPlan plans. It refuses what is more than twice of what the profile has measured: with
// ErrExtrapolation where today is, with fewer months and a note where a later one is.
func NewPlan(p *Profile, f *Forecast, seed uint64) (*Plan, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := f.complete(); err != nil {
		return nil, err
	}
	if err := refuse(p, f); err != nil {
		return nil, err
	}
	plan := &Plan{}
	random := rand.New(rand.NewPCG(seed, 1))
	for month := range f.Months + 1 {
		m, err := planMonth(p, f, month, random)
		if err != nil && month == 0 {
			return nil, err
		}
		if err != nil {
			plan.Notes = append(plan.Notes, "it ends here: "+err.Error())
			break
		}
		plan.Months = append(plan.Months, m)
	}
	planned := *f
	planned.Months = len(plan.Months) - 1
	plan.Sensitivity = sensitivity(p, &planned)
	plan.note(p, &planned)
	return plan, nil
}

// refuse names the first question that goes too far.
func refuse(p *Profile, f *Forecast) error {
	if f.Machine.Cores > 2*p.Cores {
		return fmt.Errorf("machine.cores: %v, %v measured: %w", f.Machine.Cores, p.Cores, ErrExtrapolation)
	}
	if f.Used > 2*p.Used {
		return fmt.Errorf("used: %.2f, %.2f measured: %w", f.Used, p.Used, ErrExtrapolation)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Kinds)) {
		if _, measured := p.Kinds[name]; !measured {
			return fmt.Errorf("kinds.%s: the profile has none: %w", name, ErrExtrapolation)
		}
	}
	return nil
}

func (f *Forecast) used(p *Profile) float64 {
	if f.Used > 0 {
		return f.Used
	}
	return p.Used
}

// at is the forecast of a month.
func (f *Forecast) at(month int) *Forecast {
	g := *f
	factor := math.Pow(1+f.Growth, float64(month))
	g.Kinds = map[string]float64{}
	for name, rate := range f.Kinds {
		g.Kinds[name] = rate * factor
	}
	g.Tenants.Count = max(1, int(math.Min(mostTenants, float64(f.Tenants.Count)*factor)))
	return &g
}

func (f *Forecast) rate() float64 {
	sum := 0.0
	for _, r := range f.Kinds {
		sum += r
	}
	return sum
}

// reckon is the model.
//
//	cpu     = peak · Σ rate·(warm cost + (1−warm)·cold cost) / (cores·used)
//	memory  = tenants that must be in memory · MiB of one / (0.8·memory − base)
func reckon(p *Profile, f *Forecast) need {
	room := math.Max(1, usedMemory*f.Machine.Memory-p.BaseRSS)
	slots := room / math.Max(p.perTenant(), 1e-6)
	n := need{warm: f.Tenants.Warm(slots)}
	if f.Warm > 0 && n.warm < f.Warm {
		n.memory = f.Tenants.Slots(f.Warm) / slots
		n.warm = f.Warm
	} else if f.Warm > 0 {
		n.memory = math.Min(f.Tenants.Slots(f.Warm)/slots, 1)
	}
	cores := 0.0
	for name, rate := range f.Kinds {
		k := p.Kinds[name]
		cores += f.Peak * rate * (k.line().PerRequest + (1-n.warm)*k.cold())
	}
	n.cpu = cores / (f.Machine.Cores*f.used(p) - p.fixed())
	return n
}

// fixed is what a server spends that no single request causes: the most of all kinds, once.
func (p *Profile) fixed() float64 {
	fixed := 0.0
	for _, k := range p.Kinds {
		fixed = math.Max(fixed, k.line().Fixed)
	}
	return math.Min(fixed, p.Used*p.Cores/4) // a bad fit must not eat the machine
}

func planMonth(p *Profile, f *Forecast, month int, random *rand.Rand) (Month, error) {
	g := f.at(month)
	n := reckon(p, g)
	whole := max(1, int(math.Ceil(n.machines()-1e-9)))
	resident := math.Min(float64(g.Tenants.Count), (usedMemory*g.Machine.Memory-p.BaseRSS)/math.Max(p.perTenant(), 1e-6))
	if resident > 2*float64(p.Tenants) {
		return Month{}, fmt.Errorf("month %d: %.0f tenants in a machine's memory, %d measured: %w", month, resident, p.Tenants, ErrExtrapolation)
	}
	m := Month{
		Month: month, Rate: g.rate() * g.Peak, Machines: whole + f.Spare, Binding: n.binding(), Warm: n.warm,
		Headroom: 1 - n.machines()/float64(whole), Cost: float64(whole+f.Spare) * f.Machine.Price,
	}
	m.PerMreq = m.Cost / (g.rate() * 86_400 * 365.25 / 12 / 1e6)
	m.Low, m.High = interval(p, g, random)
	return m, nil
}

// interval is the middle 95 % of the plans that resampled profiles give.
func interval(p *Profile, f *Forecast, random *rand.Rand) (low, high int) {
	counts := make([]int, bootstraps)
	for i := range counts {
		counts[i] = max(1, int(math.Ceil(reckon(p.resample(random), f).machines()-1e-9))) + f.Spare
	}
	slices.Sort(counts)
	return counts[bootstraps/40], counts[bootstraps-1-bootstraps/40]
}

// sensitivity varies each input of the last month.
func sensitivity(p *Profile, f *Forecast) []Sensitivity {
	last := f.at(f.Months)
	base := reckon(p, last).machines()
	var out []Sensitivity
	for _, input := range []struct {
		name string
		vary func(p *Profile, f *Forecast, by float64)
	}{
		{"rate", func(_ *Profile, f *Forecast, by float64) { f.Peak *= by }},
		{"CPU per request", func(p *Profile, _ *Forecast, by float64) { p.scaleCPU(by, 1) }},
		{"CPU per cold request", func(p *Profile, _ *Forecast, by float64) { p.scaleCPU(1, by) }},
		{"memory per tenant", func(p *Profile, _ *Forecast, by float64) { p.PerTenant = []float64{p.perTenant() * by} }},
		{"tenants", func(_ *Profile, f *Forecast, by float64) { f.Tenants.Count = max(1, int(float64(f.Tenants.Count)*by)) }},
		{"Zipf's exponent", func(_ *Profile, f *Forecast, by float64) { f.Tenants.Zipf *= by }},
		{"used share of cores", func(p *Profile, f *Forecast, by float64) { f.Used = math.Min(1, f.used(p)*by) }},
		{"memory of a machine", func(_ *Profile, f *Forecast, by float64) { f.Machine.Memory *= by }},
	} {
		at := func(by float64) float64 {
			q, g := p.clone(), *last
			input.vary(q, &g, by)
			return reckon(q, &g).machines()
		}
		out = append(out, Sensitivity{input.name, at(0.8), at(1.2), base})
	}
	slices.SortStableFunc(out, func(a, b Sensitivity) int { return cmp.Compare(b.width(), a.width()) })
	return out
}

func (s Sensitivity) width() float64 { return math.Abs(s.High - s.Low) }

func (p *Profile) clone() *Profile {
	q := *p
	q.Kinds = maps.Clone(p.Kinds)
	return &q
}

func (p *Profile) scaleCPU(warm, cold float64) {
	for name, k := range p.Kinds {
		loads, extra := slices.Clone(k.Loads), slices.Clone(k.Cold)
		for i := range loads {
			loads[i].Cores *= warm
		}
		for i := range extra {
			extra[i] *= cold
		}
		p.Kinds[name] = KindProfile{loads, extra}
	}
}

func (plan *Plan) note(p *Profile, f *Forecast) {
	note := func(format string, args ...any) { plan.Notes = append(plan.Notes, fmt.Sprintf(format, args...)) }
	if f.Machine.Cores != p.Cores {
		note("cores: %v planned, %v measured; in between, throughput is taken to grow with the cores", f.Machine.Cores, p.Cores)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Kinds)) {
		if l := p.Kinds[name].line(); l.R2 < 0.9 {
			note("%s: a line explains only %.0f %% of its CPU: measure it again", name, 100*l.R2)
		}
	}
	if f.Have > 0 {
		for _, m := range plan.Months {
			if m.Machines > f.Have {
				note("%d machines are exhausted in month %d: in about %.0f days", f.Have, m.Month, exhausted(p, f))
				return
			}
		}
		note("%d machines last for all %d months", f.Have, f.Months)
	}
}

// exhausted is how many days the machines there are will do.
func exhausted(p *Profile, f *Forecast) float64 {
	for day := range f.Months * 31 {
		g := *f
		factor := math.Pow(1+f.Growth, float64(day)/30.44)
		g.Peak *= factor
		g.Tenants.Count = max(1, int(math.Min(mostTenants, float64(f.Tenants.Count)*factor)))
		if math.Ceil(reckon(p, &g).machines()-1e-9) > float64(f.Have-f.Spare) {
			return float64(day)
		}
	}
	return float64(f.Months) * 30.44
}
