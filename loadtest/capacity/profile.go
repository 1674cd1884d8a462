package capacity

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"gonum.org/v1/gonum/stat"
)

// Profile is what one machine was measured to do.
type Profile struct {
	Format    int                    `json:"format"` // 1
	Cores     float64                `json:"cores"`  // that the server could use
	Kinds     map[string]KindProfile `json:"kinds"`
	BaseRSS   float64                `json:"base_rss"`   // MiB, with no tenant in memory
	PerTenant []float64              `json:"per_tenant"` // MiB of one more in memory, by run
	Tenants   int                    `json:"tenants"`    // most that were in memory
	Points    []Point                `json:"points"`     // closed loops of growing concurrency
	USL       *USL                   `json:"usl,omitempty"`
	SLO       string                 `json:"slo"`
	Used      float64                `json:"used"` // highest share of the cores at which SLO was kept
}

// KindProfile is one kind of Worker.
type KindProfile struct {
	Loads []Load    `json:"loads"`
	Cold  []float64 `json:"cold"` // µs of CPU that a request to a tenant out of memory costs more, by run
}

// Load is one run at a rate.
type Load struct {
	Rate  float64 `json:"rate"`  // answers per second
	Cores float64 `json:"cores"` // CPU seconds of the server per second
	P99   float64 `json:"p99"`   // µs
	Kept  bool    `json:"kept"`  // the SLO
}

// Line is the server's CPU as a function of the rate.
type Line struct {
	Fixed      float64 // cores
	PerRequest float64 // CPU seconds
	R2         float64
}

// line is fitted so that neither part is negative.
func (k KindProfile) line() Line {
	x, y := make([]float64, len(k.Loads)), make([]float64, len(k.Loads))
	for i, l := range k.Loads {
		x[i], y[i] = l.Rate, l.Cores
	}
	l := Line{}
	l.Fixed, l.PerRequest = stat.LinearRegression(x, y, nil, false)
	if l.Fixed < 0 || l.PerRequest < 0 || math.IsNaN(l.PerRequest) {
		l.Fixed = 0
		_, l.PerRequest = stat.LinearRegression(x, y, nil, true)
	}
	l.R2 = stat.RSquared(x, y, nil, l.Fixed, l.PerRequest)
	return l
}

func (p *Profile) check() error {
	switch {
	case p.Format != 1:
		return fmt.Errorf("profile: the format is %d, not 1", p.Format)
	case !(p.Cores > 0) || !(p.BaseRSS > 0) || len(p.PerTenant) == 0 || len(p.Kinds) == 0 || !(p.Used > 0):
		return errors.New("profile: cores, base_rss, per_tenant, kinds and used are needed, above 0")
	}
	for name, k := range p.Kinds {
		if len(k.Loads) < 2 {
			return fmt.Errorf("profile: kinds.%s has %d loads, fewer than 2", name, len(k.Loads))
		}
		for _, l := range k.Loads {
			if !(l.Rate > 0 && l.Cores > 0) {
				return fmt.Errorf("profile: kinds.%s has a load of rate %v and cores %v", name, l.Rate, l.Cores)
			}
		}
	}
	return nil
}

// ReadProfile reads a file that WriteFile wrote.
func ReadProfile(file string) (*Profile, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	var p Profile
	if err := json.Unmarshal(doc, &p); err != nil {
		return nil, fmt.Errorf("profile %s: %w", file, err)
	}
	return &p, p.check()
}

// WriteFile writes it as JSON.
func (p *Profile) WriteFile(file string) error {
	doc, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(doc, '\n'), 0o644)
}

// perTenant is the mean, never negative.
func (p *Profile) perTenant() float64 { return math.Max(0, stat.Mean(p.PerTenant, nil)) }

func (k KindProfile) cold() float64 {
	if len(k.Cold) == 0 {
		return 0
	}
	return math.Max(0, stat.Mean(k.Cold, nil)) / 1e6
}

// resample draws runs with replacement: one bootstrap sample of the profile.
func (p *Profile) resample(random *rand.Rand) *Profile {
	q := *p
	q.Kinds = map[string]KindProfile{}
	q.PerTenant = draw(p.PerTenant, random)
	for name, k := range p.Kinds {
		loads := draw(k.Loads, random)
		for same(loads) {
			loads = draw(k.Loads, random)
		}
		q.Kinds[name] = KindProfile{Loads: loads, Cold: draw(k.Cold, random)}
	}
	return &q
}

// same reports whether no line can be laid through loads: they are all one rate.
func same(loads []Load) bool {
	for _, l := range loads {
		if l.Rate != loads[0].Rate {
			return false
		}
	}
	return true
}

func draw[T any](x []T, random *rand.Rand) []T {
	out := make([]T, len(x))
	for i := range out {
		out[i] = x[random.IntN(len(x))]
	}
	return out
}
