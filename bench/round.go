package main

import (
	"math"
	"slices"
	"time"
)

// figures are one measurement under one kind of load.
type figures struct {
	cpu    float64 // µs of the server process per request
	rps    float64
	p50    float64 // µs
	p99    float64
	allocs float64 // heap objects of the whole process per request
}

// round is one measurement of one scenario.
type round struct {
	closed figures
	paced  figures // NaN when the server did not keep up with the rate, or there was none
	rss    float64 // MiB at the end
}

var nothing = figures{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()}

// keepsUp is the part of the offered rate that a server must answer: below, it is saturated.
const keepsUp = 0.98

func (t *target) round(o options) (r round, err error) {
	if r.closed, err = t.measure(o.conns, o.seconds, 0); err != nil {
		return r, err
	}
	r.paced = nothing
	if o.rate > 0 {
		if r.paced, err = t.measure(o.conns, o.seconds, o.rate); err != nil {
			return r, err
		}
		if r.paced.rps < keepsUp*float64(o.rate) {
			r.paced = nothing
		}
	}
	r.rss, err = t.process.rss()
	return r, err
}

func (t *target) measure(conns int, d time.Duration, rate int) (f figures, err error) {
	mallocs0, err := t.mallocs()
	if err != nil {
		return f, err
	}
	cpu0, err := t.process.cpu()
	if err != nil {
		return f, err
	}
	start := time.Now()
	latencies, err := t.client.load(conns, d, rate)
	if err != nil {
		return f, err
	}
	took := time.Since(start)
	cpu1, err := t.process.cpu()
	if err != nil {
		return f, err
	}
	mallocs1, err := t.mallocs()
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

// mallocs is 0 where the process cannot be asked.
func (t *target) mallocs() (uint64, error) {
	if t.process.mallocs == nil {
		return 0, nil
	}
	return t.process.mallocs()
}

func quantile(sorted []uint32, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return float64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))])
}

// spread is a figure over the rounds.
type spread struct{ low, median, high float64 }

// spreadOf leaves out rounds without the figure; without any left, all three are NaN.
func spreadOf(rounds []round, get func(round) float64) spread {
	var values []float64
	for _, r := range rounds {
		if v := get(r); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	return spread{values[0], values[len(values)/2], values[len(values)-1]}
}
