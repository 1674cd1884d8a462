package loadtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// Print writes the result for a person.
func (r *Result) Print(w io.Writer) {
	arrivals := "constant"
	if r.Plan.Poisson {
		arrivals = "Poisson"
	}
	fmt.Fprintf(w, "open loop, %s arrivals at %.0f/s for %v, %d tenants (skew %g), seed %d\n",
		arrivals, r.Plan.Rate, r.Plan.Duration, r.Plan.Tenants, r.Plan.Skew, r.Plan.Seed)
	fmt.Fprintf(w, "answered %.0f/s, sent %d, dropped %d, errors %.3f %%\n", r.Rate, r.Sent, r.Dropped, 100*r.Errors())
	for _, outcome := range slices.Sorted(maps.Keys(r.Outcomes)) {
		fmt.Fprintf(w, "  %s: %d\n", outcome, r.Outcomes[outcome])
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "µs\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, row := range []struct {
		name string
		l    Latency
	}{{"response", r.Response}, {"service", r.Service}, {"lag", r.Lag}} {
		fmt.Fprintf(tw, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t\n", row.name, row.l.Mean, row.l.P50, row.l.P90, row.l.P99, row.l.P999, row.l.Max)
	}
	tw.Flush()
	if r.Invalid != "" {
		fmt.Fprintf(w, "INVALID: %s\n", r.Invalid)
	}
}
