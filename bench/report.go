package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// answers are a scenario's rows.
type answers struct {
	scenario *scenario
	rows     []row
}

// print writes the table for a terminal.
func (a answers) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s\n", a.scenario.name, a.scenario.what)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range a.table() {
		fmt.Fprintln(tw, strings.Join(line, "\t"))
	}
	tw.Flush()
	for _, r := range a.rows {
		if r.Peer == product && len(r.Ratio) > 0 {
			fmt.Fprintf(w, "%s\n", strings.Join(r.ratios(), "\n"))
		}
	}
}

// table is the rows as text, a header first.
func (a answers) table() [][]string {
	if a.scenario.study != nil {
		return a.studyTable()
	}
	table := [][]string{{"peer", "CPU µs/req", "95 %", "req/s", "open loop: rate/s", "CPU µs/req", "p50 µs", "p99 µs", "RSS MiB", "allocs/req"}}
	for _, r := range a.rows {
		table = append(table, r.line())
	}
	return table
}

func (r row) name() string {
	name := r.Peer
	if r.Case != "" {
		name = r.Case + " " + name
	}
	if r.Note != "" {
		name += " (" + r.Note + ")"
	}
	return name
}

func (r row) line() []string {
	if r.Missing != "" {
		return []string{r.name(), "missing: " + r.Missing}
	}
	between, rate := "–", "–"
	if r.CPU95 != nil {
		between = spread{low: r.CPU95[0], high: r.CPU95[1]}.String()
	}
	if r.Rate > 0 {
		rate = fmt.Sprint(r.Rate)
	}
	return []string{r.name(), text(r.CPU, "%.2f"), between, text(r.RPS, "%.0f"), rate, text(r.PacedCPU, "%.2f"),
		text(r.P50, "%.0f"), text(r.P99, "%.0f"), text(r.RSS, "%.0f"), text(r.Allocs, "%.3f")}
}

func text(v *float64, format string) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf(format, *v)
}

// ratios words the comparison with each peer: "1.10× fasthttp (1.05–1.14; 1.04× in the open loop)".
func (r row) ratios() []string {
	var lines []string
	for _, peer := range slices.Sorted(maps.Keys(r.Ratio)) {
		line := fmt.Sprintf("%.2f× %s (%s", r.Ratio[peer], peer, spread{low: r.Ratio95[peer][0], high: r.Ratio95[peer][1]})
		if paced, ok := r.Paced[peer]; ok {
			line += fmt.Sprintf("; %.2f× in the open loop", paced)
		}
		if line += ")"; r.Case != "" {
			line = r.Case + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}

// studyTable has a column for every figure that a row has.
func (a answers) studyTable() [][]string {
	var names []string
	for _, r := range a.rows {
		for _, name := range r.order {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	table := [][]string{append([]string{"row"}, names...)}
	for _, r := range a.rows {
		line := []string{r.name()}
		if r.Missing != "" {
			line = append(line, "missing: "+r.Missing)
		}
		for _, name := range names {
			if v, ok := r.Figures[name]; ok {
				line = append(line, fmt.Sprintf("%.4g", v))
			} else if r.Missing == "" {
				line = append(line, "–")
			}
		}
		table = append(table, line)
	}
	return table
}
