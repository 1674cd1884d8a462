package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// Options of a run that are not the scenario's.
type Options struct {
	AllowRemote bool        // targets other than loopback
	Platform    *Platform   // control API: tells how requests were served, takes churn's deploys. Default: none
	Usage       UsageSource // of the server. Default: none
	RealTime    bool        // the generator's thread goes before all others, for machines with other work. Needs the right to
	Repeats     int         // of everything. Default: 1
	Progress    func(Progress)
}

// Progress is what a person who waits may want to know, once a second.
type Progress struct {
	Phase  string
	Repeat int
	Window *Window
	Total  int // seconds of this run
}

// phase is a part of a scenario: which classes run in it.
type phase struct {
	name  string
	roles map[string]bool // nil: all
}

// phases are one, or with aggressors two: victims alone, then beside them.
func (s *Scenario) phases() []phase {
	victims, aggressors := false, false
	for i := range s.Classes {
		victims = victims || s.Classes[i].Role != "aggressor"
		aggressors = aggressors || s.Classes[i].Role == "aggressor"
	}
	if !victims || !aggressors {
		return []phase{{}}
	}
	return []phase{{"alone", map[string]bool{"": true, "victim": true}}, {name: "together"}}
}

// Run sends a scenario's requests and measures them. It ends after the scenario's duration and
// the last answer, or when ctx does. Tenants are there already: Platform.Setup makes them.
func Run(ctx context.Context, s Scenario, o Options) ([]*Result, error) {
	s, err := s.Complete()
	if err != nil {
		return nil, err
	}
	if err := s.checkRemote(o.AllowRemote); err != nil {
		return nil, err
	}
	crowds := newCrowds(&s)
	var results []*Result
	sch := &schedule{all: crowds, warmup: s.Warmup}
	for repeat := range max(o.Repeats, 1) {
		for _, p := range s.phases() {
			r, err := runPhase(ctx, &s, o, sch, p, repeat+1)
			if err != nil {
				return results, err
			}
			results = append(results, r)
			if ctx.Err() != nil {
				return results, nil
			}
		}
	}
	return results, nil
}

func (s *Scenario) checkRemote(allowed bool) error {
	text, err := s.address()
	if err != nil {
		return err
	}
	to, err := resolve(text)
	if err != nil {
		return err
	}
	return checkLoopback("target", to.Addr(), allowed)
}

// ErrRemote is a target on another machine that nobody allowed.
var ErrRemote = errors.New("another machine; --allow-remote says that you may load it")

// checkLoopback keeps load off others' machines unless it is meant.
func checkLoopback(what string, a netip.Addr, allowed bool) error {
	if allowed || a.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s: %v is %w", what, a, ErrRemote)
}

func runPhase(ctx context.Context, s *Scenario, o Options, sch *schedule, p phase, repeat int) (*Result, error) {
	sch.crowds = nil
	for _, c := range sch.all {
		if p.roles == nil || p.roles[c.Role] {
			c.start(s)
			sch.crowds = append(sch.crowds, c)
		}
	}
	m := newMeter(s, sch.all, func(w *Window) {
		if o.Progress != nil {
			o.Progress(Progress{p.name, repeat, w, int(s.Duration.Seconds())})
		}
	})
	sender, err := newSender(s, sch, m, &o)
	if err != nil {
		return nil, err
	}
	samples := startSampler(o.Usage, s.Warmup)
	deploys := startChurn(ctx, s, o.Platform, sch.all)
	err = sender.run(ctx)
	churn := deploys.finish()
	server, seconds, serverErr := samples.finish(m.windows)
	if err != nil {
		return nil, err
	}
	r := m.result(s, sch.crowds)
	r.Phase, r.Repeat, r.Churn = p.name, repeat, churn
	r.addUsage(m.clientUsage(), server, seconds)
	r.judge()
	if serverErr != nil {
		r.Warnings = append(r.Warnings, "the server's usage is unknown: "+serverErr.Error())
	}
	return r, nil
}

// addUsage lays CPU beside the requests of the windows it was measured in.
func (r *Result) addUsage(client, server Usage, seconds float64) {
	requests := int64(0)
	for _, w := range r.Windows {
		for _, c := range w.Classes {
			requests += c.Outcomes.Total()
		}
	}
	r.Client = spent(client, r.Little.Seconds, requests)
	if seconds > 0 {
		s := spent(server, seconds, int64(float64(requests)*seconds/max(r.Little.Seconds, 1)))
		r.Server = &s
	}
}
