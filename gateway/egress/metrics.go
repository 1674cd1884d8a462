package egress

import (
	"errors"
	"io"

	"github.com/VictoriaMetrics/metrics"

	"switchyard/engine"
)

// meters are the egress' counters. No label says what a tenant or an origin said.
type meters struct {
	set      *metrics.Set
	answered *metrics.Counter // fetches that got a response
	refused  *metrics.Counter // by the guard, before or at the socket
	denied   *metrics.Counter // by a policy
	failed   *metrics.Counter // all other
}

func newMeters(d *dialer) meters {
	set := metrics.NewSet()
	set.NewGauge("switchyard_egress_connections_open", func() float64 { return float64(d.open.Load()) })
	return meters{
		set:      set,
		answered: set.NewCounter(`switchyard_egress_fetches_total{result="answered"}`),
		refused:  set.NewCounter(`switchyard_egress_fetches_total{result="refused"}`),
		denied:   set.NewCounter(`switchyard_egress_fetches_total{result="denied"}`),
		failed:   set.NewCounter(`switchyard_egress_fetches_total{result="failed"}`),
	}
}

// count counts a fetch that ended with err. Each hop along redirects is one.
func (m *meters) count(err error) {
	switch {
	case err == nil:
		m.answered.Inc()
	case errors.Is(err, errClosed), errors.Is(err, errPort), errors.Is(err, errScheme):
		m.refused.Inc()
	case errors.Is(err, engine.ErrEgressDenied), errors.Is(err, engine.ErrEgressRate):
		m.denied.Inc()
	default:
		m.failed.Inc()
	}
}

// WriteMetrics writes the client's metrics in the Prometheus text format.
func (c *Client) WriteMetrics(w io.Writer) { c.metrics.set.WritePrometheus(w) }
