package loadtest

import (
	"time"
)

// meter counts what happens in a run. One thread writes it, and reads it once the run is over.
type meter struct {
	warmup   time.Duration
	classes  []*series // by the class's index
	lag      histogram // how late requests were sent: the generator's own delay
	late     int64     // sent more than lateAfter after they were due
	retries  int64
	last     time.Duration // when the last measured answer came
	nextTick time.Duration
	windows  []Window
	inFlight gauge
	client   stopwatch
	began    Usage // this process's, at the end of the warm-up
	onWindow func(*Window)
}

// series is what is known of one class.
type series struct {
	name              string
	outcomes          Outcomes
	dropped           int64
	response, service histogram
	isolates          [isolateStates]split
	overrun           histogram // CPU time past the limit, of those it killed
	tenants           []tenantCount
	heat              *heat
	window            windowSeries
}

// split is a class's answers from isolates in one state.
type split struct {
	response histogram
	cpu      int64 // µs, of those that told
	told     int64
}

type tenantCount struct {
	sent, bad int64
	sum       time.Duration // of response times
}

type windowSeries struct {
	response histogram
	outcomes Outcomes
	dropped  int64
	service  time.Duration // sum over all that ended
	ended    int64
}

// lateAfter is what counts as a late start.
const lateAfter = time.Millisecond

const windowLength = time.Second

func newMeter(s *Scenario, crowds []*crowd, onWindow func(*Window)) *meter {
	m := &meter{warmup: s.Warmup, lag: newHistogram(), nextTick: s.Warmup + windowLength, onWindow: onWindow}
	for _, c := range crowds {
		m.classes = append(m.classes, &series{
			name: c.Name, response: newHistogram(), service: newHistogram(),
			tenants: make([]tenantCount, c.Tenants.total()), heat: newHeat(c.Tenants.total(), s.Duration),
			window: windowSeries{response: newHistogram()},
		})
	}
	return m
}

func (m *meter) drop(r *request) {
	if r.due >= m.warmup {
		s := m.classes[r.class]
		s.dropped++
		s.window.dropped++
	}
}

// add records a request's end. resp is nil where nothing was sent.
func (m *meter) add(r *request, o outcome, sent, done time.Duration, resp *response) {
	if m.inFlight.started { // those due before the warm-up's end too
		m.classes[r.class].window.service += done - sent
		m.classes[r.class].window.ended++
	}
	if r.due < m.warmup {
		return
	}
	lag := sent - r.due
	m.lag.record(lag)
	if lag > lateAfter {
		m.late++
	}
	m.last = done
	s := m.classes[r.class]
	s.outcomes[o]++
	s.window.outcomes[o]++
	t := &s.tenants[r.tenant-1]
	t.sent++
	t.sum += done - r.due
	if !o.good() {
		t.bad++
	}
	s.response.record(done - r.due)
	s.service.record(done - sent)
	s.window.response.record(done - r.due)
	s.heat.add(r.tenant, done-m.warmup, done-r.due)
	if resp != nil && resp.isolate != unknown {
		s.addIsolate(resp, done-r.due)
	}
}

func (s *series) addIsolate(resp *response, took time.Duration) {
	in := &s.isolates[resp.isolate]
	if in.response.Histogram == nil {
		in.response = newHistogram()
	}
	in.response.record(took)
	if resp.cpu >= 0 {
		in.cpu += resp.cpu
		in.told++
	}
}

// addKill records how much CPU time past its limit a call got, where the server told.
func (m *meter) addKill(r *request, over time.Duration) {
	if r.due < m.warmup || over < 0 {
		return
	}
	s := m.classes[r.class]
	if s.overrun.Histogram == nil {
		s.overrun = newHistogram()
	}
	s.overrun.record(over)
}

// Window is one second of a run.
type Window struct {
	Second  int           `json:"second"` // since the end of the warm-up
	Classes []ClassWindow `json:"classes"`
	Flying  int           `json:"flying"` // requests without an answer at its end
	Little  Little        `json:"little"`
	Server  *Usage        `json:"server,omitempty"` // spent in it
	Client  Usage         `json:"client"`
}

// ClassWindow is one class in it, by when answers came.
type ClassWindow struct {
	Response Latency  `json:"response"`
	Outcomes Outcomes `json:"outcomes"`
	Dropped  int64    `json:"dropped,omitempty"`
}

// tick closes windows that are over.
func (m *meter) tick(now time.Duration) {
	if now >= m.warmup && !m.inFlight.started {
		m.began = m.client.start()
		m.inFlight.start(now)
	}
	if now < m.nextTick {
		return
	}
	w := Window{Second: int((m.nextTick-m.warmup)/windowLength) - 1, Flying: m.inFlight.flying}
	ended, service := int64(0), time.Duration(0)
	for _, s := range m.classes {
		w.Classes = append(w.Classes, ClassWindow{s.window.response.summary(), s.window.outcomes, s.window.dropped})
		ended += s.window.ended
		service += s.window.service
		s.window.response.Reset()
		s.window = windowSeries{response: s.window.response}
	}
	w.Client = m.client.since()
	w.Little = m.inFlight.little(now, ended, service)
	m.nextTick += max(windowLength, (now-m.nextTick)/windowLength*windowLength+windowLength)
	m.windows = append(m.windows, w)
	if m.onWindow != nil {
		m.onWindow(&m.windows[len(m.windows)-1])
	}
}

// clientUsage is what this process spent up to the end of the last window.
func (m *meter) clientUsage() Usage { return m.client.last.minus(m.began) }
