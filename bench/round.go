package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// round is one measurement of one scenario.
type round struct {
	cpu    float64 // µs of the server process per request
	rps    float64
	p50    float64 // µs
	p99    float64
	rss    float64 // MiB at the end
	allocs float64 // heap objects of the whole process per request
}

func (t *target) round(o options) (r round, err error) {
	mallocs0, err := t.mallocs()
	if err != nil {
		return r, err
	}
	cpu0, err := t.process.cpu()
	if err != nil {
		return r, err
	}
	start := time.Now()
	latencies, err := t.client.load(o.conns, o.seconds)
	if err != nil {
		return r, err
	}
	took := time.Since(start)
	cpu1, err := t.process.cpu()
	if err != nil {
		return r, err
	}
	mallocs1, err := t.mallocs()
	if err != nil {
		return r, err
	}
	r.rss, err = t.process.rss()
	slices.Sort(latencies)
	n := float64(len(latencies))
	r.cpu = float64(cpu1-cpu0) / float64(time.Microsecond) / n
	r.rps = n / took.Seconds()
	r.p50, r.p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
	r.allocs = float64(mallocs1-mallocs0) / n
	return r, err
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

// row is one line of the report: the median of each figure over the rounds.
type row struct {
	Scenario string             `json:"scenario"`
	Peer     string             `json:"peer"`
	CPU      float64            `json:"cpu_us_per_request"`
	RPS      float64            `json:"rps"`
	P50      float64            `json:"p50_us"`
	P99      float64            `json:"p99_us"`
	RSS      float64            `json:"rss_mib"`
	Allocs   *float64           `json:"allocs_per_request"` // null where the process cannot be asked
	Rounds   int                `json:"rounds"`
	Ratio    map[string]float64 `json:"ratio"` // this row's CPU per request over each peer row's
	what     string
	low, top float64 // of CPU over the rounds
}

func summarise(t *target, rounds []round) row {
	s := t.scenario
	of := func(get func(round) float64) []float64 {
		var values []float64
		for _, r := range rounds {
			values = append(values, get(r))
		}
		slices.Sort(values)
		return values
	}
	median := func(get func(round) float64) float64 { v := of(get); return v[len(v)/2] }
	cpus := of(func(r round) float64 { return r.cpu })
	var allocs *float64
	if t.process.mallocs != nil {
		allocs = new(median(func(r round) float64 { return r.allocs }))
	}
	return row{
		Scenario: s.name, Peer: s.peer, what: s.what, Rounds: len(rounds),
		CPU: cpus[len(cpus)/2], low: cpus[0], top: cpus[len(cpus)-1],
		RPS:    median(func(r round) float64 { return r.rps }),
		P50:    median(func(r round) float64 { return r.p50 }),
		P99:    median(func(r round) float64 { return r.p99 }),
		RSS:    median(func(r round) float64 { return r.rss }),
		Allocs: allocs,
	}
}

// addRatios compares every row with every row of another product.
func addRatios(rows []row) {
	for i := range rows {
		rows[i].Ratio = map[string]float64{}
		for _, other := range rows {
			if other.Peer != rows[i].Peer {
				rows[i].Ratio[other.Scenario] = rows[i].CPU / other.CPU
			}
		}
	}
}

func printTable(w io.Writer, rows []row) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "scenario\tCPU µs/req\tmin–max\tratio\trps\tp50 µs\tp99 µs\tRSS MiB\tallocs/req\t")
	for _, r := range rows {
		allocs := "–"
		if r.Allocs != nil {
			allocs = fmt.Sprintf("%.3f", *r.Allocs)
		}
		fmt.Fprintf(tw, "%s\t%.2f\t%.2f–%.2f\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t\n",
			r.Scenario, r.CPU, r.low, r.top, r.ratios(), r.RPS, r.P50, r.P99, r.RSS, allocs)
	}
	tw.Flush()
	for _, r := range rows {
		fmt.Fprintf(w, "%s: %s\n", r.Scenario, r.what)
	}
}

// ratios words the comparison, smallest peer first.
func (r row) ratios() string {
	if r.Peer != "switchyard" {
		return "1"
	}
	type pair struct {
		name  string
		value float64
	}
	var pairs []pair
	for name, v := range r.Ratio {
		pairs = append(pairs, pair{name, v})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.name, b.name) })
	text := ""
	for i, p := range pairs {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%.2f× %s", p.value, p.name)
	}
	return text
}
