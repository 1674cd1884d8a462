package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

// figures are one measurement under one kind of load.
type figures struct {
	cpu    float64 // µs of the server's processes per request
	rps    float64
	p50    float64 // µs
	p99    float64
	allocs float64 // heap objects of the whole process per request
}

// round is one measurement of one contender.
type round struct {
	closed figures
	paced  figures // NaN when the server did not keep up with the rate, or there was none
	rss    float64 // MiB at the end
}

var nothing = figures{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()}

const (
	keepsUp    = 0.98 // the part of the offered rate that a server must answer: below, it is saturated
	pacedShare = 0.5  // of what the slowest contender can: the highest rate that is offered to all
)

// rows measures one case: warm-up, then rounds. Every round goes through all contenders in an
// order of its own, so that a slow minute of the machine or a neighbour in the order favours none.
func (s *scenario) rows(o *options, running []*server, name string) ([]row, error) {
	if err := s.check(running, s.path+name); err != nil {
		return nil, err
	}
	rate, err := warmUp(o, running)
	if err != nil {
		return nil, err
	}
	rounds := make([][]round, len(running))
	for n := range o.rounds {
		for _, i := range rand.Perm(len(running)) {
			r := running[i]
			if r.missing != nil {
				continue
			}
			m, err := r.round(o, rate)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.contender.peer, err)
			}
			rounds[i] = append(rounds[i], m)
		}
		fmt.Fprintf(os.Stderr, "\r%s %s: round %d of %d ", s.name, name, n+1, o.rounds)
	}
	fmt.Fprintln(os.Stderr)
	if o.profile != "" {
		if err := profile(o, s.name+name, running); err != nil {
			return nil, err
		}
	}
	rows := make([]row, len(running))
	for i, r := range running {
		rows[i] = summarise(s.name, name, r, rounds[i], rate)
	}
	addRatios(rows, rounds)
	return rows, nil
}

// warmUp loads each contender once and returns the rate of the paced halves.
func warmUp(o *options, running []*server) (int, error) {
	slowest := math.Inf(1)
	for _, r := range running {
		if r.missing != nil {
			continue
		}
		f, err := r.measure(o.conns, o.seconds, 0)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", r.contender.peer, err)
		}
		slowest = min(slowest, f.rps)
	}
	return min(o.rate, roundDown(pacedShare*slowest)), nil
}

// roundDown keeps two digits, so that runs on one machine mostly agree on the rate.
func roundDown(v float64) int {
	unit := math.Pow(10, math.Floor(math.Log10(max(v, 1)))-1)
	return max(1, int(math.Floor(v/unit)*unit))
}

func (r *server) round(o *options, rate int) (m round, err error) {
	if m.closed, err = r.measure(o.conns, o.seconds, 0); err != nil {
		return m, err
	}
	m.paced = nothing
	if o.rate > 0 {
		if m.paced, err = r.measure(o.conns, o.seconds, rate); err != nil {
			return m, err
		}
		if m.paced.rps < keepsUp*float64(rate) {
			m.paced = nothing
		}
	}
	m.rss, err = r.process.rss()
	return m, err
}

func (r *server) measure(conns int, d time.Duration, rate int) (f figures, err error) {
	mallocs0, err := r.process.heapObjects()
	if err != nil {
		return f, err
	}
	cpu0, err := r.process.cpu()
	if err != nil {
		return f, err
	}
	start := time.Now()
	latencies, err := r.client.load(conns, d, rate)
	if err != nil {
		return f, err
	}
	took := time.Since(start)
	cpu1, err := r.process.cpu()
	if err != nil {
		return f, err
	}
	mallocs1, err := r.process.heapObjects()
	if err != nil {
		return f, err
	}
	slices.Sort(latencies)
	n := float64(len(latencies))
	return figures{
		cpu:    float64(cpu1-cpu0) / float64(time.Microsecond) / n,
		rps:    n / took.Seconds(),
		p50:    quantile(latencies, 0.5),
		p99:    quantile(latencies, 0.99),
		allocs: float64(mallocs1-mallocs0) / n,
	}, nil
}

func quantile(sorted []uint32, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return float64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))])
}
