package loadtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print writes a result for a person.
func (r *Result) Print(w io.Writer) {
	title := fmt.Sprintf("run %d", r.Repeat)
	if r.Phase != "" {
		title += ", victims " + r.Phase
	}
	fmt.Fprintf(w, "%s: %.0f good answers/s over %.1f s, sent %d, dropped %d, late starts %d\n", title, r.Rate, r.Seconds, r.Sent, r.Dropped, r.Late)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "µs\tn\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	for i := range r.Classes {
		c := &r.Classes[i]
		row(tw, c.Name+" response", c.Response)
		row(tw, c.Name+" service", c.Service)
		for _, state := range slices.Sorted(maps.Keys(c.Isolates)) {
			row(tw, c.Name+" "+state, c.Isolates[state].Response)
		}
		if c.Overrun != nil {
			row(tw, c.Name+" past the CPU limit", *c.Overrun)
		}
	}
	row(tw, "generator's lag", r.Lag)
	if r.Churn != nil {
		row(tw, "deploys", r.Churn.Took)
	}
	tw.Flush()
	for i := range r.Classes {
		r.Classes[i].print(w)
	}
	r.printUsage(w)
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	for _, reason := range r.Invalid {
		fmt.Fprintf(w, "INVALID: %s\n", reason)
	}
}

func row(w io.Writer, name string, l Latency) {
	fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t\n", name, l.N, l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max)
}

func (c *ClassResult) print(w io.Writer) {
	outcomes := c.Outcomes.ByName()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, outcomes[name]))
	}
	fmt.Fprintf(w, "%s: %s; %.0f/s; %s; errors %.3f %%\n", c.Name, c.Loop, c.Rate, strings.Join(parts, ", "), 100*c.Errors())
	if c.Fairness.Tenants > 1 {
		fmt.Fprintf(w, "  %d tenants, Jain's index: goodput %.4f, latency %.3f\n", c.Fairness.Tenants, c.Fairness.Goodput, c.Fairness.Latency)
	}
	if n := c.Outcomes[leak]; n > 0 {
		fmt.Fprintf(w, "  LEAK: %d answers were meant for another tenant or request\n", n)
	}
	for _, b := range c.Broken {
		fmt.Fprintf(w, "  SLO broken: %s\n", b)
	}
	if c.SLO != "" && len(c.Broken) == 0 {
		fmt.Fprintf(w, "  SLO kept: %s\n", c.SLO)
	}
}

func (r *Result) printUsage(w io.Writer) {
	if r.Server != nil {
		fmt.Fprintf(w, "server: %v\n", *r.Server)
	}
	fmt.Fprintf(w, "generator: %v", r.Client)
	if r.Server != nil && r.Server.PerRequest > 0 {
		fmt.Fprintf(w, "; %.2f of the server's", r.Client.PerRequest/r.Server.PerRequest)
	}
	fmt.Fprintf(w, "\nLittle's law: %.3f under way, %.3f by rate and time\n", r.Little.L, r.Little.LambdaW)
	if c := r.Churn; c != nil {
		fmt.Fprintf(w, "deploys: %d acknowledged, %d failed, %d not begun in time\n", c.Deploys, c.Failed, c.Missed)
		for _, e := range c.Errors {
			fmt.Fprintf(w, "  %s\n", e)
		}
	}
}

// Print writes how much victims suffer.
func (i Isolation) Print(w io.Writer) {
	fmt.Fprintf(w, "isolation of %s: p99 %.0f µs alone, %.0f µs beside aggressors: index %.2f; %d errors\n", i.Class, i.Alone, i.Together, i.Index, i.Errors)
}
