package engine

import (
	"context"
	"time"

	"switchyard/engine/store"
)

// rollUp sums minutes into hours and hours into days that are over, and lets go of what has been
// kept for long enough. It is done again after a crash: a row is replaced by its like.
func (a *accounting) rollUp(ctx context.Context) error {
	minute := a.minuteEnd().Add(-store.Minute)
	rolled := false
	for _, step := range []struct{ from, to time.Duration }{{store.Minute, store.Hour}, {store.Hour, store.Day}} {
		did, err := a.rollSpan(ctx, step.from, step.to, minute)
		if err != nil {
			return err
		}
		rolled = rolled || did
	}
	if !rolled {
		return nil
	}
	return storeError(a.store.PutUsage(ctx, nil, map[time.Duration]time.Time{
		store.Minute: a.minutesFrom(), store.Hour: a.hoursFrom(), store.Day: a.now().UTC().Add(-a.keep.days).Truncate(store.Day),
	}))
}

// minutesFrom and hoursFrom are where rows of minutes and of hours begin: what is before may be gone.
func (a *accounting) minutesFrom() time.Time {
	return a.now().UTC().Add(-a.keep.minutes).Truncate(store.Hour)
}

func (a *accounting) hoursFrom() time.Time {
	return a.now().UTC().Add(-a.keep.hours).Truncate(store.Day)
}

// rollSpan makes the rows of the span to that are over at end, out of those of the span from.
func (a *accounting) rollSpan(ctx context.Context, from, to time.Duration, end time.Time) (did bool, err error) {
	for {
		start, found, err := a.store.UsageFrom(from, a.rolledUntil(to))
		if err != nil || !found {
			return did, storeError(err)
		}
		start = start.Truncate(to)
		if start.Add(to).After(end) {
			return did, nil
		}
		rows, err := a.sumSpan(from, to, start)
		if err == nil {
			err = a.store.PutUsage(ctx, rows, nil)
		}
		if err != nil {
			return did, storeError(err)
		}
		a.mu.Lock()
		a.mu.rolled[to] = start.Add(to)
		a.mu.Unlock()
		did = true
	}
}

func (a *accounting) rolledUntil(span time.Duration) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.mu.rolled[span]; ok {
		return t
	}
	return time.Unix(0, 0)
}

func (a *accounting) sumSpan(from, to time.Duration, start time.Time) (rows []store.Usage, err error) {
	index := map[usageID]int{}
	err = a.store.Usage(from, start, start.Add(to), func(u store.Usage) error {
		id := usageID{u.NamespaceID, u.ScriptID}
		i, ok := index[id]
		if !ok {
			i, index[id] = len(rows), len(rows)
			rows = append(rows, store.Usage{NamespaceID: u.NamespaceID, ScriptID: u.ScriptID, Span: to, Start: start})
		}
		row := &rows[i]
		row.Namespace, row.Script, row.Tags, row.Plan = u.Namespace, u.Script, u.Tags, u.Plan
		addCounts(&row.Counts, &u.Counts)
		return nil
	})
	return rows, err
}

// read calls f with the rows of [from, to): by the minute where minutes are kept, else by the hour, else by
// the day. coarse takes hours and days as soon as there are any: fewer rows, for a range that begins with a day.
func (a *accounting) read(from, to time.Time, coarse bool, f func(store.Usage) error) error {
	days, hours := a.hoursFrom(), a.minutesFrom()
	if coarse {
		days, hours = a.rolledUntil(store.Day), a.rolledUntil(store.Hour)
	}
	days = earlier(days, hours)
	for _, part := range []struct {
		span     time.Duration
		from, to time.Time
	}{
		{store.Day, from, earlier(to, days)},
		{store.Hour, later(from, days), earlier(to, hours)},
		{store.Minute, later(from, hours), to},
	} {
		if err := a.store.Usage(part.span, part.from, part.to, f); err != nil {
			return storeError(err)
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
