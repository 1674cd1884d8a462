package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

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
	Ratio    map[string]float64 `json:"ratio"`           // this row's CPU per request over each peer row's
	Paced    *pacedRow          `json:"paced,omitempty"` // the same at a fixed rate; absent when the server did not keep up
	what     string
	cpu      spread
}

type pacedRow struct {
	CPU   float64            `json:"cpu_us_per_request"`
	RPS   float64            `json:"rps"`
	P50   float64            `json:"p50_us"`
	P99   float64            `json:"p99_us"`
	Ratio map[string]float64 `json:"ratio"`
	cpu   spread
}

func summarise(t *target, rounds []round) row {
	s := t.scenario
	median := func(get func(round) float64) float64 { return spreadOf(rounds, get).median }
	cpu := spreadOf(rounds, closedCPU)
	r := row{
		Scenario: s.name, Peer: s.peer, what: s.what, Rounds: len(rounds), CPU: cpu.median, cpu: cpu,
		RPS:   median(func(r round) float64 { return r.closed.rps }),
		P50:   median(func(r round) float64 { return r.closed.p50 }),
		P99:   median(func(r round) float64 { return r.closed.p99 }),
		RSS:   median(func(r round) float64 { return r.rss }),
		Ratio: map[string]float64{},
	}
	if t.process.mallocs != nil {
		r.Allocs = new(median(func(r round) float64 { return r.closed.allocs }))
	}
	if cpu := spreadOf(rounds, pacedCPU); !math.IsNaN(cpu.median) {
		r.Paced = &pacedRow{
			CPU: cpu.median, cpu: cpu, Ratio: map[string]float64{},
			RPS: median(func(r round) float64 { return r.paced.rps }),
			P50: median(func(r round) float64 { return r.paced.p50 }),
			P99: median(func(r round) float64 { return r.paced.p99 }),
		}
	}
	return r
}

func closedCPU(r round) float64 { return r.closed.cpu }
func pacedCPU(r round) float64  { return r.paced.cpu }

// addRatios compares every row with every row of another product, round by round: what the
// machine does to one it does to the other of the same round. rounds belong to rows.
func addRatios(rows []row, rounds [][]round) {
	for i := range rows {
		for j := range rows {
			a, b := &rows[i], &rows[j]
			if a.Peer == b.Peer {
				continue
			}
			a.Ratio[b.Scenario] = ratio(rounds[i], rounds[j], closedCPU)
			if a.Paced != nil && b.Paced != nil {
				a.Paced.Ratio[b.Scenario] = ratio(rounds[i], rounds[j], pacedCPU)
			}
		}
	}
}

// ratio is the median over the rounds of a's figure over b's.
func ratio(a, b []round, get func(round) float64) float64 {
	n := -1
	return spreadOf(a, func(r round) float64 { n++; return get(r) / get(b[n]) }).median
}

func printTable(w io.Writer, rows []row, rate int) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "scenario\tCPU µs/req\tmin–max\trps\tp50 µs\tp99 µs\tRSS MiB\tallocs/req\tat %d/s: CPU µs/req\tmin–max\tp50 µs\tp99 µs\t\n", rate)
	for _, r := range rows {
		allocs := "–"
		if r.Allocs != nil {
			allocs = fmt.Sprintf("%.3f", *r.Allocs)
		}
		fmt.Fprintf(tw, "%s\t%.2f\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%s\n",
			r.Scenario, r.CPU, r.cpu, r.RPS, r.P50, r.P99, r.RSS, allocs, r.Paced)
	}
	tw.Flush()
	for _, r := range rows {
		fmt.Fprintf(w, "%s: %s%s\n", r.Scenario, r.what, r.ratios())
	}
}

func (s spread) String() string { return fmt.Sprintf("%.2f–%.2f", s.low, s.high) }

func (p *pacedRow) String() string {
	if p == nil {
		return "–\t\t\t\t"
	}
	return fmt.Sprintf("%.2f\t%s\t%.0f\t%.0f\t", p.CPU, p.cpu, p.P50, p.P99)
}

// ratios words the comparison with each peer row: "; 1.10× fasthttp-plain (1.04× paced)".
func (r row) ratios() string {
	if r.Peer != product {
		return ""
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.Ratio)) {
		fmt.Fprintf(&text, "; %.2f× %s", r.Ratio[name], name)
		if r.Paced != nil && r.Paced.Ratio[name] != 0 {
			fmt.Fprintf(&text, " (%.2f× paced)", r.Paced.Ratio[name])
		}
	}
	return text.String()
}
