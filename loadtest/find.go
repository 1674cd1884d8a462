package loadtest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Search says how Find looks for the highest rate that keeps every class's objectives.
type Search struct {
	Start     float64       // requests per second of all classes together. Default: the scenario's
	Most      float64       // where it ends anyhow. Default: 1,000,000
	Probe     time.Duration // of one run; longer where a p99 needs more answers. Default: 30s
	Precision float64       // the answer is known to. Default: 0.03
	Confirm   int           // runs at the answer, most of which must keep the objectives. Default: 3
	Probed    func(Probe)   // told of each
}

// Probe is one run of a search.
type Probe struct {
	Rate    float64 `json:"rate"` // that was asked for
	Good    bool    `json:"good"` // kept every objective
	Confirm bool    `json:"confirm"`
	Result  *Result `json:"-"`
	Why     string  `json:"why,omitempty"` // it did not
}

// Found is what a search came to.
type Found struct {
	LastGood float64 `json:"last_good"` // requests per second; 0 when not even the first kept them
	FirstBad float64 `json:"first_bad"` // 0 when none broke them
	Probes   []Probe `json:"probes"`
	Limit    string  `json:"limit,omitempty"` // why it is the generator's or the search's limit, not the server's
}

// Ceilings of a search: it ends.
const (
	growth       = 1.5
	maxProbes    = 64
	invalidTries = 3
	p99Answers   = 100_000 // 1000/(1-0.99)
)

func (f *Search) complete(s *Scenario) error {
	total := 0.0
	objectives := false
	for i := range s.Classes {
		if s.Classes[i].VUs > 0 {
			return fmt.Errorf("class %s: a closed loop has no rate to search", s.Classes[i].Name)
		}
		total += s.Classes[i].Arrivals.Rate
		objectives = objectives || s.Classes[i].SLO != ""
	}
	if !objectives {
		return errors.New("slo: a search needs an objective, e.g. p99<50ms,errors<0.1%")
	}
	orDefault(&f.Start, total)
	orDefault(&f.Most, maxRate)
	orDefault(&f.Probe, 30*time.Second)
	orDefault(&f.Precision, 0.03)
	orDefault(&f.Confirm, 3)
	if !(f.Start > 0 && f.Start <= f.Most && f.Most <= maxRate) || f.Probe <= 0 || f.Probe > maxDuration || !(f.Precision >= 0.001 && f.Precision <= 1) || f.Confirm < 0 || f.Confirm > 20 {
		return fmt.Errorf("search: start %v, most %v, probe %v, precision %v, confirm %d: out of range", f.Start, f.Most, f.Probe, f.Precision, f.Confirm)
	}
	return nil
}

// Find goes up by half until an objective breaks, then halves the interval, and confirms the
// answer. Classes keep their shares of the rate.
func Find(ctx context.Context, s Scenario, o Options, f Search) (*Found, error) {
	s, err := s.Complete()
	if err != nil {
		return nil, err
	}
	if err := f.complete(&s); err != nil {
		return nil, err
	}
	h := &hunt{scenario: s, options: o, search: f}
	err = h.run(ctx)
	return &h.found, err
}

type hunt struct {
	scenario Scenario
	options  Options
	search   Search
	found    Found
}

func (h *hunt) run(ctx context.Context) error {
	f := &h.found
	for rate := h.search.Start; ; rate = min(rate*growth, h.search.Most) {
		good, err := h.probe(ctx, rate, false)
		if err != nil || f.Limit != "" {
			return err
		}
		if !good {
			f.FirstBad = rate
			break
		}
		f.LastGood = rate
		if rate == h.search.Most {
			f.Limit = "the search's own highest rate kept the objectives"
			return nil
		}
	}
	for f.FirstBad-f.LastGood > h.search.Precision*f.FirstBad {
		if err := h.halve(ctx); err != nil || f.Limit != "" {
			return err
		}
	}
	return h.confirm(ctx)
}

func (h *hunt) halve(ctx context.Context) error {
	f := &h.found
	rate := (f.LastGood + f.FirstBad) / 2
	if rate < 1 {
		f.Limit = "not even one request per second keeps the objectives"
		return nil
	}
	good, err := h.probe(ctx, rate, false)
	if good {
		f.LastGood = rate
	} else if err == nil && f.Limit == "" {
		f.FirstBad = rate
	}
	return err
}

// confirm repeats the answer; while most runs at it break an objective, it goes down by the precision.
func (h *hunt) confirm(ctx context.Context) error {
	f := &h.found
	for f.LastGood >= 1 && h.search.Confirm > 0 {
		kept := 0
		for range h.search.Confirm {
			good, err := h.probe(ctx, f.LastGood, true)
			if err != nil || f.Limit != "" {
				return err
			}
			if good {
				kept++
			}
		}
		if 2*kept > h.search.Confirm {
			return nil
		}
		f.FirstBad, f.LastGood = f.LastGood, f.LastGood*(1-h.search.Precision)
	}
	return nil
}

// probe runs one rate, again where the figures are invalid.
func (h *hunt) probe(ctx context.Context, rate float64, confirm bool) (bool, error) {
	var r *Result
	for try := range invalidTries {
		if len(h.found.Probes) >= maxProbes {
			h.found.Limit = fmt.Sprintf("%d probes are enough", maxProbes)
			return false, nil
		}
		results, err := Run(ctx, h.at(rate), h.options)
		if err != nil {
			return false, err
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		r = results[len(results)-1]
		p := Probe{Rate: rate, Confirm: confirm, Result: r}
		p.Good, p.Why = r.kept()
		h.found.Probes = append(h.found.Probes, p)
		if h.search.Probed != nil {
			h.search.Probed(p)
		}
		if p.Good {
			return true, nil
		}
		if len(r.Invalid) == 0 || r.Dropped > 0 && r.Client.Cores < wantClient || try == invalidTries-1 && r.serverBroke() {
			return false, nil // dropping is the server's doing: it did not answer
		}
	}
	h.found.Limit = "the generator: " + r.Invalid[0]
	return false, nil
}

// at is the scenario with all rates scaled to a total, and as long as a p99 needs.
func (h *hunt) at(rate float64) Scenario {
	s := h.scenario
	total := 0.0
	for i := range s.Classes {
		total += s.Classes[i].Arrivals.Rate
	}
	s.Classes = append([]Class(nil), s.Classes...)
	for i := range s.Classes {
		s.Classes[i].Arrivals.Rate *= rate / total
		s.Classes[i].Arrivals.To *= rate / total
	}
	s.Duration = h.search.Probe
	if need := time.Duration(p99Answers / rate * float64(time.Second)); need > s.Duration {
		s.Duration = min(need, 10*h.search.Probe, maxDuration)
	}
	s.Seed += uint64(len(h.found.Probes))
	return s
}

// kept reports whether every objective was kept in a run that counts.
func (r *Result) kept() (bool, string) {
	for i := range r.Classes {
		if c := &r.Classes[i]; len(c.Broken) > 0 {
			return false, c.Name + ": " + c.Broken[0]
		}
	}
	if len(r.Invalid) > 0 {
		return false, "INVALID: " + r.Invalid[0]
	}
	return true, ""
}

// serverBroke reports whether an objective is broken even without the generator's own delay.
func (r *Result) serverBroke() bool {
	for i := range r.Classes {
		bare := r.Classes[i]
		bare.Response = bare.Service
		if slo, err := ParseSLO(bare.SLO); err == nil && len(slo.Broken(&bare)) > 0 {
			return true
		}
	}
	return false
}
