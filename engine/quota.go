package engine

import (
	"fmt"
	"sync/atomic"
	"time"
)

// QuotaError is a call that was refused because a quota is spent. It is ErrQuota.
type QuotaError struct {
	Of     string // "requests" or "CPU time"
	Period Period
	Resets time.Time // when the period ends
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("Worker exceeded its quota of %s per %s.", e.Of, e.Period)
}

func (e *QuotaError) Unwrap() error { return ErrQuota }

// spent is what counts towards a quota in one period.
type spent struct {
	start, end time.Time
	requests   atomic.Int64
	cpu        atomic.Int64 // nanoseconds
}

// tally is what is spent of a quota in the period at hand. Requests are counted when they come
// in, so their ceiling is exact; CPU time when it was used, so what runs when the ceiling is
// reached runs on. A period ends when roll sees that it has.
type tally struct {
	period Period
	now    atomic.Pointer[spent]
}

func newTally(p Period, at time.Time, requests, cpu uint64) *tally {
	t := &tally{period: p}
	t.roll(at)
	s := t.now.Load()
	s.requests.Store(int64(requests))
	s.cpu.Store(int64(cpu))
	return t
}

// roll begins a new period when the last one is over.
func (t *tally) roll(at time.Time) {
	if s := t.now.Load(); s != nil && at.Before(s.end) {
		return
	}
	start, end := t.period.bounds(at)
	t.now.Store(&spent{start: start, end: end})
}

// quota is a rule and what a script has spent of it.
type quota struct {
	quotaRule
	*tally
}

// take counts a request, or refuses it. count is false for a call that is part of a request that
// somebody else is charged for.
func (q *quota) take(count bool) error {
	s := q.now.Load()
	if q.CPU > 0 && s.cpu.Load() >= int64(q.CPU) {
		return &QuotaError{"CPU time", q.Period, s.end}
	}
	over := q.Requests > 0 && s.requests.Load() >= q.Requests
	if count && !over {
		over = s.requests.Add(1) > q.Requests && q.Requests > 0
		if over {
			s.requests.Add(-1)
		}
	}
	if over {
		return &QuotaError{"requests", q.Period, s.end}
	}
	return nil
}

// takeAll is take of every quota, all or none.
func takeAll(quotas []quota, count bool) error {
	for i := range quotas {
		if err := quotas[i].take(count); err != nil {
			for j := range quotas[:i] {
				if count {
					quotas[j].now.Load().requests.Add(-1)
				}
			}
			return err
		}
	}
	return nil
}
