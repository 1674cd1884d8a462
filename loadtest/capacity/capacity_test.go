package capacity

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFitUSL: a law is found again from noisy points of it, and is not asked too much.
func TestFitUSL(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		truth := USL{Lambda: 100 + 10_000*random.Float64(), Sigma: 0.2 * random.Float64(), Kappa: 0.002 * random.Float64()}
		var points []Point
		for _, n := range []float64{1, 2, 4, 8, 16, 32} {
			points = append(points, Point{n, truth.at(n) * (1 + 0.01*random.NormFloat64())})
		}
		u, err := FitUSL(points)
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.Predict(64)
		if want := truth.at(64); err != nil || math.Abs(got/want-1) > 0.15 {
			t.Errorf("seed %d: %+v predicts %.0f, %+v has %.0f, %v", seed, u, got, truth, want, err)
		}
		if _, err := u.Predict(65); !errors.Is(err, ErrExtrapolation) {
			t.Errorf("seed %d: 65 under way: %v", seed, err)
		}
	}
	for _, points := range [][]Point{nil, {{1, 1}, {2, 2}, {1, 1}, {2, 2}, {1, 1}, {2, 2}}, {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}}} {
		if _, err := FitUSL(points); err == nil {
			t.Errorf("%v was fitted", points)
		}
	}
}

// TestChe against a simulation of a least-recently-used memory.
func TestChe(t *testing.T) {
	const seed = 1
	for _, c := range []struct {
		p     Popularity
		slots int
	}{{Popularity{300, 0}, 100}, {Popularity{500, 0.8}, 50}, {Popularity{1000, 1.2}, 30}} {
		if got, want := c.p.Warm(float64(c.slots)), simulateLRU(c.p, c.slots, rand.New(rand.NewPCG(seed, 0))); math.Abs(got-want) > 0.02 {
			t.Errorf("%+v in %d slots: %.3f, simulated %.3f", c.p, c.slots, got, want)
		}
		if back := c.p.Slots(c.p.Warm(float64(c.slots))); math.Abs(back-float64(c.slots)) > 0.5 {
			t.Errorf("%+v: %d slots came back as %.2f", c.p, c.slots, back)
		}
	}
	p := Popularity{10, 1}
	if p.Warm(10) != 1 || p.Warm(0) != 0 {
		t.Errorf("%v with all, %v with none", p.Warm(10), p.Warm(0))
	}
}

func simulateLRU(p Popularity, slots int, random *rand.Rand) float64 {
	shares, sum := make([]float64, p.Count), 0.0
	for i := range shares {
		sum += math.Pow(float64(i+1), -p.Zipf)
		shares[i] = sum
	}
	var memory []int // the most recent last
	warm, n := 0, 30_000
	for i := range 2 * n {
		x, tenant := random.Float64()*sum, 0
		for shares[tenant] < x && tenant < len(shares)-1 {
			tenant++
		}
		at := -1
		for k, in := range memory {
			if in == tenant {
				at = k
			}
		}
		switch {
		case at >= 0:
			memory = append(memory[:at], memory[at+1:]...)
			if i >= n {
				warm++
			}
		case len(memory) == slots:
			memory = memory[1:]
		}
		memory = append(memory, tenant)
	}
	return float64(warm) / float64(n)
}

// exact is a machine of 2 cores where hello takes 100 µs, json 1 ms, and a tenant 1 MiB.
func exact() *Profile {
	loads := func(cost float64) (out []Load) {
		for _, cores := range []float64{0.2, 0.4, 0.6, 0.8, 1.0} {
			out = append(out, Load{Rate: cores / cost, Cores: cores, Kept: true})
		}
		return out
	}
	return &Profile{Format: 1, Cores: 2, BaseRSS: 100, PerTenant: []float64{1, 1, 1}, Tenants: 1000, Used: 0.5,
		Kinds: map[string]KindProfile{"hello": {loads(0.0001), []float64{200}}, "json": {loads(0.001), []float64{200}}}}
}

func forecast() *Forecast {
	return &Forecast{Months: 2, Growth: 1, Peak: 2, Kinds: map[string]float64{"hello": 5000, "json": 500}, Tenants: Popularity{100, 1}, Machine: Machine{2, 1000, 50}}
}

// TestPlan: 2·(5000·100 µs + 500·1 ms) = 2 cores at the peak, of 1 that may be used: 2 machines, and
// twice as many every month.
func TestPlan(t *testing.T) {
	plan, err := NewPlan(exact(), forecast(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for month, want := range []int{2, 4, 8} {
		if m := plan.Months[month]; m.Machines != want || m.Low != want || m.High != want || m.Binding != "cpu" || m.Warm != 1 || m.Cost != float64(50*want) {
			t.Errorf("month %d: %+v, want %d machines", month, m, want)
		}
	}
	if s := plan.Sensitivity[0]; s.width() < 3 || s.Base < 7.9 || s.Base > 8.1 {
		t.Errorf("%+v", plan.Sensitivity)
	}
	f := forecast()
	f.Spare, f.Have = 1, 3
	plan, err = NewPlan(exact(), f, 1)
	if err != nil || plan.Months[0].Machines != 3 || !strings.Contains(strings.Join(plan.Notes, "\n"), "exhausted in month 1") {
		t.Errorf("%+v, %v", plan, err)
	}
}

// TestPlanMemory: 5,000 tenants of 1 MiB that must all be warm, 700 MiB a machine.
func TestPlanMemory(t *testing.T) {
	f := forecast()
	f.Growth, f.Tenants, f.Warm, f.Kinds = 0, Popularity{5000, 0}, 0.999, map[string]float64{"hello": 10}
	plan, err := NewPlan(exact(), f, 1)
	if err != nil {
		t.Fatal(err)
	}
	if m := plan.Months[0]; m.Machines != 8 || m.Binding != "memory" {
		t.Errorf("%+v", m)
	}
}

// TestRefusals: what was not measured is not answered.
func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(p *Profile, f *Forecast){
		"cores":    func(_ *Profile, f *Forecast) { f.Machine.Cores = 5 },
		"used":     func(p *Profile, f *Forecast) { p.Used, f.Used = 0.2, 0.5 },
		"kinds":    func(_ *Profile, f *Forecast) { f.Kinds = map[string]float64{"stream": 1} },
		"tenants'": func(p *Profile, f *Forecast) { f.Machine.Memory, f.Tenants.Count = 8000, 5000 },
	} {
		p, f := exact(), forecast()
		change(p, f)
		if name == "tenants'" {
			name = "tenants in"
		}
		if _, err := NewPlan(p, f, 1); !errors.Is(err, ErrExtrapolation) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPlanEnds: the months that were measured are planned.
func TestPlanEnds(t *testing.T) {
	p, f := exact(), forecast()
	p.Tenants, f.Tenants.Count, f.Machine.Memory = 100, 150, 8000
	plan, err := NewPlan(p, f, 1)
	if err != nil || len(plan.Months) != 1 || !strings.Contains(plan.Notes[0], "month 1") {
		t.Errorf("%+v, %v", plan, err)
	}
}

func TestForecastFiles(t *testing.T) {
	const good = "kinds: {hello: 1}\ntenants: {count: 1}\nmachine: {cores: 1, memory_mb: 1}\n"
	for text, want := range map[string]string{
		good: "", good + "month: 3": "month", good + "growth: -2": "growth", good + "peak: 0.5": "peak", good + "warm: 1": "warm", good + "spare: -1": "spare",
		"kinds: {hello: 1}\ntenants: {count: 1}": "machine", "kinds: {hello: -1}\ntenants: {count: 1}\nmachine: {cores: 1, memory_mb: 1}": "kinds.hello",
		"kinds: {hello: 1}\nmachine: {cores: 1, memory_mb: 1}": "tenants", "x": "cannot",
	} {
		file := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadForecast(file)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestProfileFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.json")
	if err := exact().WriteFile(file); err != nil {
		t.Fatal(err)
	}
	p, err := ReadProfile(file)
	if err != nil || p.Kinds["json"].line().PerRequest < 0.00099 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, change := range []func(p *Profile){func(p *Profile) { p.Format = 2 }, func(p *Profile) { p.Cores = 0 }, func(p *Profile) { p.Kinds["x"] = KindProfile{} }, func(p *Profile) { p.Kinds["json"].Loads[1].Rate = 0 }} {
		p := exact()
		change(p)
		if err := p.check(); err == nil {
			t.Errorf("%+v was accepted", p)
		}
	}
}
