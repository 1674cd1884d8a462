package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"switchyard/engine/store"
)

// Spent is what Workers spent: sums. One request of the platform is counted once, for the first
// user Worker of its chain, or where there is none for the Worker that the ingress called. The
// CPU time of the whole chain is counted for whoever the request, or the fetch, was for.
type Spent struct {
	Requests    uint64 // chains of Workers that the ingress began
	Calls       uint64 // of the Workers themselves
	Assets      uint64 // responses with static assets
	CPUDispatch time.Duration
	CPUUser     time.Duration
	CPUOutbound time.Duration
	Wall        time.Duration // from the ingress to the head of the response
	Subrequests uint64
	// Bytes of bodies: to and from clients, to and from origins.
	IngressReceived, IngressSent, EgressReceived, EgressSent uint64
	Errors                                                   map[string]uint64 // by kind: calls that ended without a response, and limits that were reached
}

// UsageGroup is what usage is summed by.
type UsageGroup string

const (
	ByScript    UsageGroup = "script"
	ByTag       UsageGroup = "tag" // a script with two tags is in both sums
	ByPlan      UsageGroup = "plan"
	ByNamespace UsageGroup = "namespace"
	ByNothing   UsageGroup = "total"
)

// UsageQuery asks for usage. Names that are "" do not restrict.
type UsageQuery struct {
	From, To  time.Time // of spans that begin in [From, To). Default of To: now
	Namespace string
	Plain     bool // of plain Workers alone
	Script    string
	Tag       string
	Plan      string
	Group     UsageGroup    // Default: ByScript
	Interval  time.Duration // one row a minute, an hour or a day; 0: one for the whole range
}

// UsageRow is one sum.
type UsageRow struct {
	Start     time.Time // of the interval; zero without one
	Namespace string
	Script    string
	Tag       string
	Plan      string
	Spent
}

// maxUsageRows bounds an answer.
const maxUsageRows = 100_000

// Usage sums what was spent, up to this moment but for calls that are not over.
func (e *Engine) Usage(ctx context.Context, q UsageQuery) ([]UsageRow, error) {
	if err := q.check(e.usage.now()); err != nil {
		return nil, err
	}
	if err := e.usage.flush(ctx); err != nil {
		return nil, err
	}
	s := usageSummer{query: &q, index: map[usageKey]int{}}
	err := e.usage.read(q.From.UTC().Truncate(store.Minute), q.To, false, func(u store.Usage) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return s.take(&u)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(s.rows, compareUsage)
	return s.rows, nil
}

func (q *UsageQuery) check(now time.Time) error {
	q.Group = cmp.Or(q.Group, ByScript)
	switch q.Group {
	case ByScript, ByTag, ByPlan, ByNamespace, ByNothing:
	default:
		return invalid("group", `%.40q is none of "script", "tag", "plan", "namespace", "total"`, string(q.Group))
	}
	switch q.Interval {
	case 0, store.Minute, store.Hour, store.Day:
	default:
		return invalid("interval", "is none of minute, hour, day")
	}
	if q.To.IsZero() {
		q.To = now.Add(time.Second)
	}
	if q.From.Before(time.Unix(0, 0)) {
		q.From = time.Unix(0, 0)
	}
	if q.To.Before(q.From) {
		return invalid("until", "is before since")
	}
	return nil
}

// usageKey is what makes a row another one.
type usageKey struct {
	start                        time.Time
	namespace, script, tag, plan string
}

type usageSummer struct {
	query *UsageQuery
	index map[usageKey]int
	rows  []UsageRow
}

func (s *usageSummer) take(u *store.Usage) error {
	q := s.query
	if q.Namespace != "" && u.Namespace != q.Namespace || q.Plain && u.Namespace != "" || q.Script != "" && u.Script != q.Script ||
		q.Plan != "" && u.Plan != q.Plan || q.Tag != "" && !slices.Contains(u.Tags, q.Tag) {
		return nil
	}
	key := usageKey{}
	if q.Interval > 0 {
		key.start = u.Start.Truncate(q.Interval)
	}
	switch q.Group {
	case ByScript:
		key.namespace, key.script, key.plan = u.Namespace, u.Script, u.Plan
	case ByPlan:
		key.plan = u.Plan
	case ByNamespace:
		key.namespace = u.Namespace
	case ByTag:
		return s.takeTags(key, u)
	}
	return s.add(key, u)
}

func (s *usageSummer) takeTags(key usageKey, u *store.Usage) error {
	tags := u.Tags
	if len(tags) == 0 {
		tags = []string{""}
	}
	for _, tag := range tags {
		if s.query.Tag != "" && tag != s.query.Tag {
			continue
		}
		key.tag = tag
		if err := s.add(key, u); err != nil {
			return err
		}
	}
	return nil
}

func (s *usageSummer) add(key usageKey, u *store.Usage) error {
	i, ok := s.index[key]
	if !ok {
		if len(s.rows) == maxUsageRows {
			return invalid("since", "the answer has more than %d rows: ask for a shorter range, a longer interval or another group", maxUsageRows)
		}
		i, s.index[key] = len(s.rows), len(s.rows)
		s.rows = append(s.rows, UsageRow{Start: key.start, Namespace: key.namespace, Script: key.script, Tag: key.tag, Plan: key.plan})
	}
	s.rows[i].add(&u.Counts)
	return nil
}

func (s *Spent) add(c *store.Counts) {
	s.Requests += c.Requests
	s.Calls += c.Calls
	s.Assets += c.Assets
	s.CPUDispatch += time.Duration(c.CPUDispatch)
	s.CPUUser += time.Duration(c.CPUUser)
	s.CPUOutbound += time.Duration(c.CPUOutbound)
	s.Wall += time.Duration(c.Wall)
	s.Subrequests += c.Subrequests
	s.IngressReceived += c.IngressReceived
	s.IngressSent += c.IngressSent
	s.EgressReceived += c.EgressReceived
	s.EgressSent += c.EgressSent
	s.Errors = addErrors(s.Errors, c.Errors)
}

func compareUsage(a, b UsageRow) int {
	return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Script, b.Script),
		strings.Compare(a.Tag, b.Tag), strings.Compare(a.Plan, b.Plan))
}

// FaultKinds are the keys that Spent.Errors can have.
func FaultKinds() []string {
	var kinds []string
	for i := range len(faults) + 1 {
		if name := faultName(i); !slices.Contains(kinds, name) {
			kinds = append(kinds, name)
		}
	}
	return kinds
}
