package engine

import (
	"fmt"
	"strings"
	"testing"
)

// However many scripts there are, /metrics names no more than it may, what it says only grows,
// and together it is everything.
func TestMetricSlots(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.MetricScripts = 3 })
	p.namespace("production", "other")
	for i := range 8 {
		p.deploy(fmt.Sprintf("production/s%d", i), "say hello")
	}
	p.deploy("other/s0", "say hello")
	before := map[string]int{}
	for round := range 6 {
		for i := range 8 {
			for range 1 + 40*(i*round/10) { // others are the busiest later
				p.want(fmt.Sprintf("http://s%d.test/", i), "hello")
			}
		}
		if round == 3 {
			if err := p.DeleteNamespace(t.Context(), "other"); err != nil {
				t.Fatal(err)
			}
		}
		var metrics strings.Builder
		p.WriteMetrics(&metrics)
		sum, names := 0, 0
		for line := range strings.Lines(metrics.String()) {
			labels, ok := strings.CutPrefix(line, "switchyard_script_calls_total")
			if !ok {
				continue
			}
			var n int
			label, value, _ := strings.Cut(labels, " ")
			fmt.Sscan(value, &n)
			sum += n
			names++
			if n < before[label] && label == `{namespace="",script=""}` {
				t.Errorf("round %d: %s fell from %d to %d", round, label, before[label], n)
			}
			before[label] = n
		}
		if all := total(p.Engine, "production").Calls; uint64(sum) != all || names != 4 {
			t.Errorf("round %d: %d names with %d calls, there were %d", round, names, sum, all)
		}
	}
}
