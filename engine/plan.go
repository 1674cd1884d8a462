package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// Plan is a named set of limits and quotas. A script is on the plan that names it, else on that
// of the first of its tags that has one, else on none. A tag or a script belongs to one plan.
type Plan struct {
	Name    string   // [A-Za-z0-9_-]{1,63}
	Tags    []string // of scripts that are on it, at most 100
	Scripts []string // "namespace/script", or the name of a plain Worker; at most 1,000: use tags for more
	Limits  isolate.Limits
	Quota   Quota
	Egress  *EgressPolicy // of their fetches, made by ParseEgressPolicy; nil: none
	// Weight is the share of the processors that each script on it has of what long computations
	// get together, beside a weight of 1. 1 to 100; 0 is 1.
	Weight   int
	Created  time.Time
	Modified time.Time
}

// Quota is a ceiling over a period of time. The zero Quota is none.
type Quota struct {
	Period   Period
	Requests int64         // of the platform; 0 is no ceiling
	CPU      time.Duration // of all Workers behind them; 0 is no ceiling
	// Shared says that all scripts of the plan spend one quota together, not each its own. A
	// namespace's always is shared.
	Shared bool
}

// Period is what a quota holds for: a day or a month of the calendar in UTC.
type Period int

const (
	PeriodNone Period = iota
	PeriodDay
	PeriodMonth
)

var periodWords = []string{PeriodNone: "", PeriodDay: "day", PeriodMonth: "month"}

func (p Period) String() string { return periodWords[p] }

// ParsePeriod reads "day" or "month".
func ParsePeriod(word string) (Period, bool) {
	for p, w := range periodWords {
		if w == word && w != "" {
			return Period(p), true
		}
	}
	return PeriodNone, false
}

// bounds returns the period that t lies in.
func (p Period) bounds(t time.Time) (start, end time.Time) {
	year, month, day := t.UTC().Date()
	if p == PeriodMonth {
		start = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
		return start, start.AddDate(0, 1, 0)
	}
	start = time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return start, start.AddDate(0, 0, 1)
}

// quotaRecord is Quota on the disk.
type quotaRecord struct {
	Period   string        `json:"period"`
	Requests int64         `json:"requests,omitempty"`
	CPU      time.Duration `json:"cpu_ns,omitempty"`
	Shared   bool          `json:"shared,omitempty"`
}

// encodeTerms makes the store's JSON of limits and a quota; what says nothing is not there.
func encodeTerms(l isolate.Limits, q Quota) (limits, quota json.RawMessage, err error) {
	if l != (isolate.Limits{}) {
		if limits, err = json.Marshal(limitsRecord(l)); err != nil {
			return nil, nil, err
		}
	}
	if q != (Quota{}) {
		quota, err = json.Marshal(quotaRecord{q.Period.String(), q.Requests, q.CPU, q.Shared})
	}
	return limits, quota, err
}

// decodeTerms is the way back; owner is named in its errors.
func decodeTerms(owner string, limits, quota json.RawMessage) (l isolate.Limits, q Quota, err error) {
	var lr limitsRecord
	if err := decode(limits, &lr); err != nil {
		return l, q, fmt.Errorf("%w: %s: limits %v", store.ErrCorrupt, owner, err)
	}
	if len(quota) == 0 {
		return isolate.Limits(lr), q, nil
	}
	var qr quotaRecord
	if err := decode(quota, &qr); err != nil {
		return l, q, fmt.Errorf("%w: %s: quota %v", store.ErrCorrupt, owner, err)
	}
	period, ok := ParsePeriod(qr.Period)
	if !ok {
		return l, q, fmt.Errorf("%w: %s: quota period %q", store.ErrCorrupt, owner, qr.Period)
	}
	return isolate.Limits(lr), Quota{period, qr.Requests, qr.CPU, qr.Shared}, nil
}

func newPlanRecord(p *Plan) (store.Plan, error) {
	r := store.Plan{Name: p.Name, Tags: p.Tags, Scripts: p.Scripts, Weight: p.Weight, Created: p.Created, Modified: p.Modified}
	var err error
	if r.Egress, err = encodeEgress(p.Egress); err != nil {
		return r, err
	}
	r.Limits, r.Quota, err = encodeTerms(p.Limits, p.Quota)
	return r, err
}

func readPlan(r *store.Plan) (Plan, error) {
	p := Plan{Name: r.Name, Tags: r.Tags, Scripts: r.Scripts, Weight: r.Weight, Created: r.Created, Modified: r.Modified}
	var err error
	if p.Egress, err = decodeEgress(r.Egress); err != nil {
		return p, fmt.Errorf("%w: plan %s: %w", store.ErrCorrupt, r.Name, err)
	}
	p.Limits, p.Quota, err = decodeTerms("plan "+r.Name, r.Limits, r.Quota)
	return p, err
}

const (
	maxPlans       = 1000
	maxPlanTags    = 100
	maxPlanScripts = 1000
	maxWeight      = 100
)

func checkPlan(p *Plan) error {
	if err := checkName("name", p.Name); err != nil {
		return err
	}
	if p.Weight < 0 || p.Weight > maxWeight {
		return invalid("weight", "%d is not between 1 and %d", p.Weight, maxWeight)
	}
	if len(p.Tags) > maxPlanTags {
		return invalid("tags", "there are %d tags, at most %d are allowed", len(p.Tags), maxPlanTags)
	}
	for i, tag := range p.Tags {
		if err := checkTag(fmt.Sprintf("tags[%d]", i), tag); err != nil {
			return err
		}
	}
	if len(p.Scripts) > maxPlanScripts {
		return invalid("scripts", "there are %d scripts, at most %d are allowed: use a tag", len(p.Scripts), maxPlanScripts)
	}
	for i, script := range p.Scripts {
		if _, err := parsePlanScript(fmt.Sprintf("scripts[%d]", i), script); err != nil {
			return err
		}
	}
	if err := checkLimits(&p.Limits); err != nil {
		return err
	}
	return checkQuota(&p.Quota)
}

func checkQuota(q *Quota) error {
	switch {
	case *q == Quota{}:
		return nil
	case q.Period != PeriodDay && q.Period != PeriodMonth:
		return invalid("quota.period", `must be "day" or "month"`)
	case q.Requests < 0 || q.CPU < 0:
		return invalid("quota", "a ceiling is negative")
	case q.Requests == 0 && q.CPU == 0:
		return invalid("quota", "names neither requests nor cpu_ms")
	}
	return nil
}
