package loadtest

import (
	"fmt"
	"time"
)

// Result is what one run measured.
type Result struct {
	Phase    string        `json:"phase,omitempty"` // alone, together; "" where there is one phase
	Repeat   int           `json:"repeat"`          // from 1
	Seconds  float64       `json:"seconds"`         // measured
	Sent     int64         `json:"sent"`
	Dropped  int64         `json:"dropped"` // due while in_flight requests had no answer
	Rate     float64       `json:"rate"`    // good answers per second
	Late     int64         `json:"late"`    // sent more than 1 ms after they were due
	Retries  int64         `json:"retries"` // sent again because a kept connection had just been closed
	Lag      Latency       `json:"lag"`     // from due to sent: the generator's own delay
	Little   Little        `json:"little"`
	Classes  []ClassResult `json:"classes"`
	Windows  []Window      `json:"windows"`
	Client   Spent         `json:"client"`
	Server   *Spent        `json:"server,omitempty"`
	Churn    *ChurnResult  `json:"churn,omitempty"`
	Invalid  []string      `json:"invalid"`  // why the figures must not be used
	Warnings []string      `json:"warnings"` // what to keep in mind when they are
}

// Spent is what a process took over the measured time.
type Spent struct {
	CPU        float64 `json:"cpu"`         // seconds
	Cores      float64 `json:"cores"`       // CPU seconds per second
	PerRequest float64 `json:"per_request"` // µs of CPU
	RSS        float64 `json:"rss"`         // MiB at the end
}

// ClassResult is one class of it.
type ClassResult struct {
	Name     string           `json:"name"`
	Role     string           `json:"role,omitempty"`
	Loop     string           `json:"loop"`
	Outcomes Outcomes         `json:"outcomes"`
	Dropped  int64            `json:"dropped"`
	Rate     float64          `json:"rate"`     // good answers per second
	Response Latency          `json:"response"` // from when a request was due
	Service  Latency          `json:"service"`  // from when it was sent
	Isolates map[string]Split `json:"isolates,omitempty"`
	Overrun  *Latency         `json:"overrun,omitempty"` // CPU past the limit, of those it killed
	Fairness Fairness         `json:"fairness"`
	Tenants  []TenantResult   `json:"tenants"` // the most asked, 200 at most
	Heat     Heat             `json:"heat"`
	SLO      string           `json:"slo,omitempty"`
	Broken   []string         `json:"broken"` // objectives that were not kept
}

// Split is a class's answers from isolates in one state.
type Split struct {
	Response Latency `json:"response"`
	CPU      float64 `json:"cpu"` // µs per request, as the server tells
}

// TenantResult is one tenant, numbered from 1.
type TenantResult struct {
	Tenant int     `json:"tenant"`
	Sent   int64   `json:"sent"`
	Bad    int64   `json:"bad"`
	Mean   float64 `json:"mean"` // µs of response time
}

// Errors is the share of requests that ended badly or were never sent.
func (c *ClassResult) Errors() float64 {
	total := c.Outcomes.Total() + c.Dropped
	if total == 0 {
		return 1
	}
	return float64(c.Outcomes.Bad()+c.Dropped) / float64(total)
}

// Class is the class of that name; nil where there is none.
func (r *Result) Class(name string) *ClassResult {
	for i := range r.Classes {
		if r.Classes[i].Name == name {
			return &r.Classes[i]
		}
	}
	return nil
}

// Outcomes are those of all classes.
func (r *Result) Outcomes() Outcomes {
	var sum Outcomes
	for i := range r.Classes {
		sum.add(&r.Classes[i].Outcomes)
	}
	return sum
}

// Failed reports whether the run broke an objective, mixed up tenants or is invalid.
func (r *Result) Failed() bool {
	o := r.Outcomes()
	for i := range r.Classes {
		if len(r.Classes[i].Broken) > 0 {
			return true
		}
	}
	return len(r.Invalid) > 0 || o[leak] > 0
}

const tenantsListed = 200

// result sums a run up.
func (m *meter) result(s *Scenario, ran []*crowd) *Result {
	r := &Result{Lag: m.lag.latency(), Late: m.late, Retries: m.retries, Windows: m.windows, Little: m.inFlight.whole()}
	r.Seconds = max(s.Duration, m.last-m.warmup).Seconds()
	for _, c := range ran {
		series := m.classes[c.index]
		class := series.result(c, r.Seconds)
		r.Sent += class.Outcomes.Total()
		r.Dropped += class.Dropped
		r.Rate += class.Rate
		r.Classes = append(r.Classes, class)
	}
	return r
}

func (s *series) result(c *crowd, seconds float64) ClassResult {
	r := ClassResult{
		Name: c.Name, Role: c.Role, Loop: c.model(), Outcomes: s.outcomes, Dropped: s.dropped,
		Response: s.response.latency(), Service: s.service.latency(), Heat: s.heat.table(), SLO: c.SLO,
		Rate: float64(s.outcomes[ok]+s.outcomes[killed]) / seconds, Fairness: fairness(s.tenants),
	}
	for state := range s.isolates {
		if in := &s.isolates[state]; in.response.Histogram != nil {
			if r.Isolates == nil {
				r.Isolates = map[string]Split{}
			}
			r.Isolates[isolateNames[state]] = Split{in.response.latency(), float64(in.cpu) / float64(max(in.told, 1))}
		}
	}
	if s.overrun.Histogram != nil {
		l := s.overrun.latency()
		r.Overrun = &l
	}
	for i, t := range s.tenants[:min(len(s.tenants), tenantsListed)] {
		if t.sent > 0 {
			r.Tenants = append(r.Tenants, TenantResult{i + 1, t.sent, t.bad, float64((t.sum / time.Duration(t.sent)).Microseconds())})
		}
	}
	slo, err := ParseSLO(c.SLO)
	if err != nil {
		panic("BUG: " + err.Error()) // Complete has checked
	}
	r.Broken = slo.Broken(&r)
	return r
}

// spent is a process's usage over a run.
func spent(u Usage, seconds float64, requests int64) Spent {
	s := Spent{CPU: u.CPU, RSS: u.RSS}
	if seconds > 0 {
		s.Cores = u.CPU / seconds
	}
	if requests > 0 {
		s.PerRequest = u.CPU / float64(requests) * 1e6
	}
	return s
}

// String is a line of it.
func (s Spent) String() string {
	return fmt.Sprintf("%.1f µs CPU a request, %.2f cores, %.0f MiB", s.PerRequest, s.Cores, s.RSS)
}
