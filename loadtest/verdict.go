package loadtest

import "fmt"

// Limits of what a run's figures still bear.
const (
	maxLag        = 1000.0 // µs at p99, whatever the server's latency is
	lagFloor      = 150.0  // µs that waking up costs; a tenth of a faster server's p99 is not asked for
	maxClientCost = 1.0 / 3
	maxClientCore = 0.9 // of the generator's one thread
	wantClient    = 0.5 // of it: above, waits in the generator begin to show
)

// judge says whether the figures may be used.
func (r *Result) judge() {
	r.Invalid, r.Warnings = []string{}, []string{}
	invalid := func(format string, args ...any) { r.Invalid = append(r.Invalid, fmt.Sprintf(format, args...)) }
	warn := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	if r.Sent == 0 {
		invalid("nothing was sent")
		return
	}
	if p99 := r.p99(); r.Lag.P99 > maxLag {
		invalid("the generator was late itself: p99 of its lag is %.0f µs, above 1 ms", r.Lag.P99)
	} else if r.Lag.P99 > max(lagFloor, p99/10) {
		invalid("the generator was late itself: p99 of its lag is %.0f µs, above a tenth of the p99 of %.0f µs", r.Lag.P99, p99)
	}
	if r.Dropped > 0 {
		invalid("%d requests were never sent: in_flight requests had no answer already", r.Dropped)
	}
	if r.Little.Broken() {
		invalid("Little's law does not hold: %.2f requests under way, %.2f by rate and time", r.Little.L, r.Little.LambdaW)
	}
	broken := 0
	for i := range r.Windows {
		if r.Windows[i].Little.Broken() {
			broken++
		}
	}
	if broken > 0 {
		invalid("Little's law does not hold in %d of %d seconds", broken, len(r.Windows))
	}
	if o := r.Outcomes(); o[other] > 0 {
		invalid("%d requests failed in the generator's own system", o[other])
	}
	switch {
	case r.Client.Cores > maxClientCore:
		invalid("the generator is the bottleneck: it took %.2f cores of its one", r.Client.Cores)
	case r.Client.Cores > wantClient:
		warn("the generator took %.2f cores of its one: it may be the bottleneck", r.Client.Cores)
	}
	if r.Server != nil && r.Server.PerRequest > 0 && r.Client.PerRequest > maxClientCost*r.Server.PerRequest {
		warn("the generator took %.2f of the server's CPU time a request, more than a third: on a shared machine it is in the server's way", r.Client.PerRequest/r.Server.PerRequest)
	}
	for i := range r.Classes {
		if c := &r.Classes[i]; c.Response.N < 1000 && c.SLO != "" {
			warn("class %s has %d answers: too few for a p99", c.Name, c.Response.N)
		}
	}
}

// p99 is that of the fastest class: lag must be small beside it.
func (r *Result) p99() float64 {
	least := 0.0
	for i := range r.Classes {
		if p := r.Classes[i].Response.P99; p > 0 && (least == 0 || p < least) {
			least = p
		}
	}
	return least
}
