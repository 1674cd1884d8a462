package main

import (
	"encoding/json"
	"math"
	"os"
)

// row is one line of the report. What cannot be asked of a contender is null.
type row struct {
	Scenario string              `json:"scenario"`
	Case     string              `json:"case,omitempty"`
	Peer     string              `json:"peer"`
	Note     string              `json:"note,omitempty"`
	Missing  string              `json:"missing,omitempty"` // why a peer was not measured
	CPU      *float64            `json:"cpu_us_per_request"`
	CPU95    *interval           `json:"cpu_us_per_request_95,omitempty"`
	RPS      *float64            `json:"rps"`    // closed loop
	P50      *float64            `json:"p50_us"` // open loop at Rate, from when a request was due
	P99      *float64            `json:"p99_us"`
	RSS      *float64            `json:"rss_mib"`
	Allocs   *float64            `json:"allocs_per_request"`
	Rounds   int                 `json:"rounds"`
	Ratio    map[string]float64  `json:"ratio"` // this row's CPU per request over each peer's
	Ratio95  map[string]interval `json:"ratio_95,omitempty"`
	Rate     int                 `json:"rate,omitempty"`                     // requests a second of the open loop
	PacedCPU *float64            `json:"paced_cpu_us_per_request,omitempty"` // at Rate
	Paced    map[string]float64  `json:"paced_ratio,omitempty"`
	Figures  map[string]float64  `json:"figures,omitempty"` // of a study, by name with its unit
	order    []string            // of Figures
}

// interval is what holds the figure with 95 % confidence.
type interval [2]float64

func summarise(scenario, name string, r *server, rounds []round, rate int) row {
	out := row{Scenario: scenario, Case: name, Peer: r.contender.peer, Note: r.contender.note, Rounds: len(rounds), Ratio: map[string]float64{}}
	if r.missing != nil {
		out.Missing = r.missing.Error()
		return out
	}
	median := func(get func(round) float64) *float64 { return known(spreadOf(over(rounds, get)).median) }
	cpu := spreadOf(over(rounds, closedCPU))
	out.CPU, out.CPU95 = known(cpu.median), &interval{cpu.low, cpu.high}
	out.RPS = median(func(r round) float64 { return r.closed.rps })
	out.RSS = median(func(r round) float64 { return r.rss })
	if r.process.mallocs != nil {
		out.Allocs = median(func(r round) float64 { return r.closed.allocs })
	}
	if out.PacedCPU = median(pacedCPU); out.PacedCPU != nil {
		out.Rate, out.Paced = rate, map[string]float64{}
		out.P50 = median(func(r round) float64 { return r.paced.p50 })
		out.P99 = median(func(r round) float64 { return r.paced.p99 })
	}
	return out
}

// known is v for a row: JSON has no word for NaN.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// addRatios compares every row with every row of another product. rounds belong to rows.
func addRatios(rows []row, rounds [][]round) {
	for i := range rows {
		for j := range rows {
			a, b := &rows[i], &rows[j]
			if a.Peer == b.Peer || a.Missing != "" || b.Missing != "" {
				continue
			}
			r := ratio(rounds[i], rounds[j], closedCPU)
			a.Ratio[b.Peer] = r.median
			if a.Ratio95 == nil {
				a.Ratio95 = map[string]interval{}
			}
			a.Ratio95[b.Peer] = interval{r.low, r.high}
			if paced := known(ratio(rounds[i], rounds[j], pacedCPU).median); paced != nil && a.Paced != nil {
				a.Paced[b.Peer] = *paced
			}
		}
	}
}

// figure adds one to a study's row; its name says the unit.
func (r *row) figure(name string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if r.Figures == nil {
		r.Figures = map[string]float64{}
	}
	r.Figures[name] = v
	r.order = append(r.order, name)
}

// writeJSON writes one object a row.
func writeJSON(file string, all []answers) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, a := range all {
		for _, r := range a.rows {
			if err := enc.Encode(r); err != nil {
				f.Close()
				return err
			}
		}
	}
	return f.Close()
}
