package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a Run measured.
type Result struct {
	Plan     Plan           `json:"plan"`
	Sent     int64          `json:"sent"`
	Dropped  int64          `json:"dropped"`  // due while InFlight requests had no answer
	Outcomes map[string]int `json:"outcomes"` // "2xx" … and kinds of failure
	Rate     float64        `json:"rate"`     // answered per second
	Response Latency        `json:"response"` // from when the request was due
	Service  Latency        `json:"service"`  // from when it was sent
	Lag      Latency        `json:"lag"`      // between the two: the generator's own delay
	Invalid  string         `json:"invalid"`  // why the figures must not be used; "" when they may

	mu struct {
		sync.Mutex
		response, service, lag *hdrhistogram.Histogram
		first, last            time.Time
	}
}

// Latency is a distribution, in microseconds.
type Latency struct {
	Mean, P50, P90, P99, P999, Max float64
}

// Histograms run from 1 µs to 1 minute with three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 60_000_000, 3) }

func newResult(p Plan) *Result {
	r := &Result{Plan: p, Outcomes: map[string]int{}}
	r.mu.response, r.mu.service, r.mu.lag = newHistogram(), newHistogram(), newHistogram()
	return r
}

func (r *Result) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Dropped++
}

func (r *Result) add(outcome string, response, service, lag time.Duration) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Sent++
	r.Outcomes[outcome]++
	record(r.mu.response, response)
	record(r.mu.service, service)
	record(r.mu.lag, lag)
	if r.mu.first.IsZero() {
		r.mu.first = now
	}
	r.mu.last = now
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	h.RecordValue(min(max(d.Microseconds(), 1), h.HighestTrackableValue()))
}

// maxLag is the generator's own delay that figures still bear: 1 ms, or a tenth of what was
// measured.
const maxLag = 1000 // µs

func (r *Result) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Response, r.Service, r.Lag = latency(r.mu.response), latency(r.mu.service), latency(r.mu.lag)
	if took := r.mu.last.Sub(r.mu.first); took > 0 {
		r.Rate = float64(r.Sent-1) / took.Seconds()
	}
	switch {
	case r.Sent == 0:
		r.Invalid = "nothing was sent"
	case r.Lag.P99 > max(maxLag, r.Response.P99/10):
		r.Invalid = fmt.Sprintf("the generator was late itself: p99 of its lag is %.0f µs", r.Lag.P99)
	case r.Dropped > 0:
		r.Invalid = fmt.Sprintf("%d requests were never sent: %d had no answer already", r.Dropped, r.Plan.InFlight)
	}
}

func latency(h *hdrhistogram.Histogram) Latency {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) }
	return Latency{Mean: h.Mean(), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max())}
}

func statusClass(status int) string { return fmt.Sprintf("%dxx", status/100) }

// classify names a failure by what an operator would look into.
func classify(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	}
	return "broken"
}

// Errors is the share of requests that were not answered with a status below 500.
func (r *Result) Errors() float64 {
	if r.Sent+r.Dropped == 0 {
		return 1
	}
	good := r.Outcomes["1xx"] + r.Outcomes["2xx"] + r.Outcomes["3xx"] + r.Outcomes["4xx"]
	return 1 - float64(good)/float64(r.Sent+r.Dropped)
}
