package ingress

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the ingress' counters. Labels are bounded: nothing a client or a tenant says
// becomes one.
type meters struct {
	set      *metrics.Set
	answers  [6]*metrics.Counter // by the status' first digit
	refused  *metrics.Counter
	received *metrics.Counter
	sent     *metrics.Counter
	panics   *metrics.Counter
}

func newMeters() meters {
	m := meters{set: metrics.NewSet()}
	for class := 2; class < len(m.answers); class++ {
		m.answers[class] = m.set.NewCounter(fmt.Sprintf(`switchyard_ingress_responses_total{status="%dxx"}`, class))
	}
	m.refused = m.set.NewCounter("switchyard_ingress_connections_refused_total")
	m.received = m.set.NewCounter("switchyard_ingress_received_bytes_total")
	m.sent = m.set.NewCounter("switchyard_ingress_sent_bytes_total")
	m.panics = m.set.NewCounter("switchyard_ingress_panics_total")
	return m
}

func (m *meters) open(count func() int) {
	m.set.NewGauge("switchyard_ingress_connections_open", func() float64 { return float64(count()) })
}

// answered counts a response. status is 200 to 599.
func (m *meters) answered(status int) { m.answers[status/100].Inc() }
