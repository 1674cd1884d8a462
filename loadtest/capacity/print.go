package capacity

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Print writes a plan for a person.
func (p *Plan) Print(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "month\tpeak req/s\tmachines\t95 %\tbinding\theadroom\twarm\tcost\tper Mreq\t")
	for _, m := range p.Months {
		fmt.Fprintf(tw, "%d\t%.0f\t%d\t%d–%d\t%s\t%.0f %%\t%.1f %%\t%.0f\t%.4f\t\n", m.Month, m.Rate, m.Machines, m.Low, m.High, m.Binding, 100*m.Headroom, 100*m.Warm, m.Cost, m.PerMreq)
	}
	tw.Flush()
	fmt.Fprintln(w, "\nmachines in the last month when an input is 20 % lower, as it is, 20 % higher:")
	tw = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, s := range p.Sensitivity {
		fmt.Fprintf(tw, "%s\t%.2f\t%.2f\t%.2f\t\n", s.Input, s.Low, s.Base, s.High)
	}
	tw.Flush()
	for _, n := range p.Notes {
		fmt.Fprintln(w, "note:", n)
	}
}
