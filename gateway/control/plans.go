package control

import (
	"encoding/json"
	"fmt"
	"time"

	"switchyard/engine"
)

// quotaJSON is a ceiling over a period.
type quotaJSON struct {
	Period   string `json:"period"` // "day" or "month", of the calendar in UTC
	Requests *int64 `json:"requests,omitempty"`
	CPU      *int64 `json:"cpu_ms,omitempty"`
	Scope    string `json:"scope,omitempty"` // "script" (the default): each script has its own; "plan": all of the plan's share one
}

// maxQuotaMS is what a duration can hold.
const maxQuotaMS = int64(1<<63-1) / int64(time.Millisecond)

func (q *quotaJSON) decode() (out engine.Quota, err error) {
	if q == nil {
		return out, nil
	}
	var ok bool
	if out.Period, ok = engine.ParsePeriod(q.Period); !ok {
		return out, refuse("quota.period: " + quote(q.Period) + ` is neither "day" nor "month"`)
	}
	switch q.Scope {
	case "", "script":
	case "plan":
		out.Shared = true
	default:
		return out, refuse("quota.scope: " + quote(q.Scope) + ` is neither "script" nor "plan"`)
	}
	if q.Requests != nil && *q.Requests < 1 {
		return out, refuse(fmt.Sprintf("quota.requests: %d is less than 1", *q.Requests))
	}
	if q.CPU != nil && (*q.CPU < 1 || *q.CPU > maxQuotaMS) {
		return out, refuse(fmt.Sprintf("quota.cpu_ms: %d is not between 1 and %d", *q.CPU, maxQuotaMS))
	}
	out.Requests = valueOf(q.Requests)
	out.CPU = time.Duration(valueOf(q.CPU)) * time.Millisecond
	return out, nil
}

func describeQuota(q engine.Quota) *quotaJSON {
	if q == (engine.Quota{}) {
		return nil
	}
	out := &quotaJSON{Period: q.Period.String(), Requests: given(q.Requests), CPU: given(q.CPU.Milliseconds()), Scope: "script"}
	if q.Shared {
		out.Scope = "plan"
	}
	return out
}

// decodeShared is decode of a namespace's quota, which all of its Workers spend together. An empty
// one takes it away.
func (q *quotaJSON) decodeShared() (engine.Quota, error) {
	if *q == (quotaJSON{}) {
		return engine.Quota{}, nil
	}
	if q.Scope != "" {
		return engine.Quota{}, refuse("quota.scope: a namespace's quota is of all of its Workers together")
	}
	return q.decode()
}

func describeShared(q engine.Quota) *quotaJSON {
	out := describeQuota(q)
	if out != nil {
		out.Scope = ""
	}
	return out
}

// planJSON is a plan.
type planJSON struct {
	Name       string               `json:"name"`
	Tags       []string             `json:"tags"`
	Scripts    []string             `json:"scripts"`
	Weight     int                  `json:"weight"`
	Limits     *limits              `json:"limits,omitempty"`
	Quota      *quotaJSON           `json:"quota,omitempty"`
	Egress     *engine.EgressPolicy `json:"egress,omitempty"`
	CreatedOn  time.Time            `json:"created_on"`
	ModifiedOn time.Time            `json:"modified_on"`
}

func describePlan(p engine.Plan) planJSON {
	return planJSON{
		Name: p.Name, Tags: listed(p.Tags), Scripts: listed(p.Scripts), Weight: max(1, p.Weight),
		Limits: describeLimits(p.Limits), Quota: describeQuota(p.Quota), Egress: p.Egress, CreatedOn: stamp(p.Created), ModifiedOn: stamp(p.Modified),
	}
}

func (s *server) listPlans(c *call) (any, error) {
	return onePage(c, collect(s.Platform.Plans(), describePlan)), nil
}

func (s *server) getPlan(c *call) (any, error) {
	return described(describePlan)(s.Platform.Plan(c.param("plan")))
}

// putPlan makes a plan, or replaces the whole of it.
func (s *server) putPlan(c *call) (any, error) {
	var body struct {
		Tags    []string        `json:"tags"`
		Scripts []string        `json:"scripts"`
		Weight  *int64          `json:"weight"`
		Limits  *limits         `json:"limits"`
		Quota   *quotaJSON      `json:"quota"`
		Egress  json.RawMessage `json:"egress"`
	}
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	p := engine.Plan{Name: c.param("plan"), Tags: body.Tags, Scripts: body.Scripts}
	if body.Weight != nil {
		if *body.Weight < 1 || *body.Weight > 100 {
			return nil, refuse(fmt.Sprintf("weight: %d is not between 1 and 100", *body.Weight))
		}
		p.Weight = int(*body.Weight)
	}
	var err error
	if body.Limits != nil {
		if p.Limits, err = body.Limits.decode(); err != nil {
			return nil, err
		}
	}
	if p.Quota, err = body.Quota.decode(); err != nil {
		return nil, err
	}
	if p.Egress, err = readEgress("egress", body.Egress); err != nil {
		return nil, err
	}
	return described(describePlan)(s.Platform.PutPlan(c.context(), p))
}

func (s *server) deletePlan(c *call) (any, error) {
	return noResult, s.Platform.DeletePlan(c.context(), c.param("plan"))
}
