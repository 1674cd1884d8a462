package loadtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SLO is what a class must keep to pass: "p99<50ms,errors<0.1%". Latencies are response times.
type SLO []objective

type objective struct {
	name  string
	limit float64 // µs, or a share
}

// ParseSLO reads objectives p50, p90, p99, p99.9, max (a duration) and errors (a percentage).
func ParseSLO(text string) (SLO, error) {
	var slo SLO
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, limit, ok := strings.Cut(strings.TrimSpace(part), "<")
		if !ok {
			return nil, fmt.Errorf("slo: %q is not NAME<LIMIT", part)
		}
		o := objective{name: name}
		var err error
		switch name {
		case "p50", "p90", "p99", "p99.9", "max":
			var d time.Duration
			d, err = time.ParseDuration(limit)
			o.limit = float64(d) / float64(time.Microsecond)
		case "errors", "err":
			o.name = "errors"
			o.limit, err = strconv.ParseFloat(strings.TrimSuffix(limit, "%"), 64)
			o.limit /= 100
		default:
			err = fmt.Errorf("no objective is called %q", name)
		}
		if err == nil && !(o.limit > 0) {
			err = fmt.Errorf("the limit is not above 0")
		}
		if err != nil {
			return nil, fmt.Errorf("slo: %q: %w", part, err)
		}
		slo = append(slo, o)
	}
	return slo, nil
}

// Broken lists the objectives that a class does not keep.
func (s SLO) Broken(c *ClassResult) []string {
	broken := []string{}
	for _, o := range s {
		if o.name == "errors" {
			if e := c.Errors(); e >= o.limit {
				broken = append(broken, fmt.Sprintf("errors are %.3f %%, not below %.3f %%", 100*e, 100*o.limit))
			}
		} else if v := o.of(&c.Response); v >= o.limit || c.Response.N == 0 {
			broken = append(broken, fmt.Sprintf("%s is %.0f µs, not below %.0f µs", o.name, v, o.limit))
		}
	}
	return broken
}

func (o objective) of(l *Latency) float64 {
	switch o.name {
	case "p50":
		return l.P50
	case "p90":
		return l.P90
	case "p99":
		return l.P99
	case "p99.9":
		return l.P999
	}
	return l.Max
}
