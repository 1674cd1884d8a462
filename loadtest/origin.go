package loadtest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Origin is what fanout Workers fetch from: a server of ours that answers every path with the
// path, after a while.
type Origin struct {
	Latency string        `yaml:"latency" json:"latency"` // constant, exponential or lognormal. Default: lognormal
	Median  time.Duration `yaml:"median" json:"median"`   // 1 min at most. Default: 10ms
	Sigma   float64       `yaml:"sigma" json:"sigma"`     // of the lognormal, 0 to 3. Default: 0.5
	Errors  float64       `yaml:"errors" json:"errors"`   // share of answers that are a 500
}

func (o *Origin) complete() error {
	orDefault(&o.Latency, "lognormal")
	orDefault(&o.Median, 10*time.Millisecond)
	orDefault(&o.Sigma, 0.5)
	switch o.Latency {
	case "constant", "exponential", "lognormal":
	default:
		return fmt.Errorf("origin.latency: %q is not constant, exponential or lognormal", o.Latency)
	}
	if o.Median < 0 || o.Median > time.Minute || !(o.Sigma >= 0 && o.Sigma <= 3) || !(o.Errors >= 0 && o.Errors <= 1) {
		return fmt.Errorf("origin: median %v, sigma %v, errors %v: up to 1 min, up to 3, from 0 to 1", o.Median, o.Sigma, o.Errors)
	}
	return nil
}

// draw is how long one answer takes; a minute at most.
func (o *Origin) draw(random *rand.Rand) time.Duration {
	var factor float64 // of the median
	switch o.Latency {
	case "constant":
		factor = 1
	case "exponential":
		factor = distuv.Exponential{Rate: 0.6931471805599453, Src: random}.Rand() // ln 2: its median is 1
	default:
		factor = distuv.LogNormal{Mu: 0, Sigma: o.Sigma, Src: random}.Rand()
	}
	return min(time.Minute, time.Duration(factor*float64(o.Median)))
}

// ServeOrigin listens on address until ctx ends and tells its own address once it does.
func ServeOrigin(ctx context.Context, o Origin, address string, listening func(addr string)) error {
	if err := o.complete(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	h := &originHandler{origin: o}
	h.mu.random = rand.New(rand.NewPCG(1, 1))
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	listening(l.Addr().String())
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

type originHandler struct {
	origin Origin
	mu     struct {
		sync.Mutex
		random *rand.Rand
	}
}

func (h *originHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	wait, bad := h.origin.draw(h.mu.random), h.mu.random.Float64() < h.origin.Errors
	h.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-r.Context().Done():
		return
	}
	if bad {
		w.WriteHeader(http.StatusInternalServerError)
	}
	io.WriteString(w, r.URL.EscapedPath()) // the client may have gone
}
