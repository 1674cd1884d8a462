package engine

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine/store"
)

// TestRollUp lets days pass: minutes become hours and hours days, old rows go, and what was spent stays the
// same however it is asked for.
func TestRollUp(t *testing.T) {
	start := time.Date(2026, 3, 1, 10, 58, 30, 0, time.UTC)
	var clock atomic.Int64
	clock.Store(start.UnixNano())
	p := openPlatform(t, func(o *Options) {
		o.now = func() time.Time { return time.Unix(0, clock.Load()).UTC() }
		o.UsageFlush = time.Hour // ticks are the test's
		o.KeepMinutes, o.KeepHours, o.KeepDays = 3*time.Hour, 48*time.Hour, 32*24*time.Hour
	})
	p.namespace("production")
	p.deploy("production/a", "say hello")
	tick := func() { p.usage.tick(t.Context()) }
	pass := func(d time.Duration) { clock.Add(int64(d)); tick() }
	rows := func(span time.Duration) string {
		var b strings.Builder
		if err := p.store.Usage(span, time.Unix(0, 0), start.AddDate(1, 0, 0), func(u store.Usage) error {
			fmt.Fprintf(&b, "%s=%d ", u.Start.Format("02T15:04"), u.Requests)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := func(minutes, hours, days string) {
		t.Helper()
		if got := [3]string{rows(store.Minute), rows(store.Hour), rows(store.Day)}; got != [3]string{minutes, hours, days} {
			t.Errorf("minutes %q, hours %q, days %q", got[0], got[1], got[2])
		}
	}
	asked := uint64(0)
	ask := func(n int) {
		for range n {
			p.want("http://a.test/", "hello")
			asked++
		}
	}
	ask(2)
	tick()
	pass(time.Minute)
	ask(3)
	tick()
	want("01T10:58=2 01T10:59=3 ", "", "")
	pass(time.Minute) // 11:00:30
	ask(4)
	tick()
	want("01T10:58=2 01T10:59=3 01T11:00=4 ", "01T10:00=5 ", "")
	p.reopen()
	pass(3 * time.Hour) // 14:00:30: minutes of 10 and 11 go when an hour is rolled
	ask(1)
	tick()
	want("01T11:00=4 01T14:00=1 ", "01T10:00=5 01T11:00=4 ", "")
	pass(20 * time.Hour) // the next day
	want("", "01T10:00=5 01T11:00=4 01T14:00=1 ", "01T00:00=10 ")
	ask(6)
	pass(72 * time.Hour) // hours of the first day go
	ask(7)
	tick()
	check := func(q UsageQuery) {
		t.Helper()
		got, err := p.Usage(t.Context(), q)
		sum := uint64(0)
		for _, r := range got {
			sum += r.Requests
		}
		if err != nil || sum != asked {
			t.Errorf("%+v: %d requests, want %d (%v)", q, sum, asked, err)
		}
	}
	for _, interval := range []time.Duration{0, store.Minute, store.Hour, store.Day} {
		check(UsageQuery{Interval: interval, From: start.Truncate(24 * time.Hour)})
	}
	p.reopen()
	check(UsageQuery{Group: ByNothing})
	got, err := p.Usage(t.Context(), UsageQuery{Interval: store.Day})
	if err != nil || len(got) != 3 || got[0].Requests != 10 || !got[0].Start.Equal(start.Truncate(24*time.Hour)) || got[2].Requests != 7 {
		t.Errorf("by the day: %+v, %v", got, err)
	}
	pass(40 * 24 * time.Hour)
	ask(1)
	pass(2 * time.Hour)
	if got := total(p.Engine, "production").Requests; got != 1 {
		t.Errorf("%d requests are kept after 40 days", got)
	}
}

// A disk that refuses for a while makes usage late, not lost.
func TestUsageWaitsForTheDisk(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.UsageFlush = time.Hour })
	p.namespace("production")
	p.deploy("production/a", "say hello")
	for range 3 {
		p.want("http://a.test/", "hello")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.usage.flush(gone); err == nil {
		t.Fatal("a flush whose context is over wrote")
	}
	p.want("http://a.test/", "hello")
	if got := total(p.Engine, "production").Requests; got != 4 {
		t.Errorf("%d requests, want 4", got)
	}
}
