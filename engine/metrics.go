package engine

import (
	"errors"
	"fmt"
	"io"

	"switchyard/isolate"
)

// faults names the ways in which a call ends without a response, and the limits that a guest may
// reach and go on. The last one, "other", is what is in none of them.
var faults = [...]struct {
	err  error
	kind string
}{
	{isolate.ErrCPULimit, "cpu_limit"},
	{isolate.ErrWallLimit, "wall_limit"},
	{isolate.ErrMemoryLimit, "memory_limit"},
	{isolate.ErrSubrequests, "subrequest_limit"},
	{isolate.ErrStack, "stack"},
	{isolate.ErrTrap, "trap"},
	{isolate.ErrReset, "reset"},
	{isolate.ErrNoResponse, "no_response"},
	{isolate.ErrBusy, "busy"},
	{isolate.ErrNoRoom, "no_room"},
	{isolate.ErrClosed, "closed"},
	{isolate.ErrCanceled, "canceled"},
	{isolate.ErrBodyTooLarge, "request_limit"},
	{isolate.ErrResponseTooLarge, "response_limit"},
	{errLogLimit, "log_limit"},
	{ErrRate, "rate_limit"},
	{ErrConcurrent, "concurrency_limit"},
	{ErrEgressBytes, "egress_limit"},
	{ErrEgressDenied, "egress_denied"},
	{ErrEgressRate, "egress_rate"},
	{ErrQuota, "quota"},
	{ErrWorkerNotFound, "not_found"},
	{ErrLoop, "loop"},
	{errException, "exception"},
}

// errException stands for every *isolate.Exception in faults, errLogLimit for lines that were dropped.
var (
	errException = errors.New("exception")
	errLogLimit  = errors.New("log limit")
)

// Kinds of faults that are counted where no error passes by.
var (
	faultSubrequests = faultKind(isolate.ErrSubrequests)
	faultLog         = faultKind(errLogLimit)
)

func faultKind(err error) int {
	if _, ok := errors.AsType[*isolate.Exception](err); ok {
		err = errException
	}
	for i, f := range faults {
		if errors.Is(err, f.err) {
			return i
		}
	}
	return len(faults)
}

// WriteMetrics writes the engine's metrics in the Prometheus text format. The namespace of
// plain Workers is "".
func (e *Engine) WriteMetrics(w io.Writer) {
	e.usage.writeMetrics(w, append([]*namespace{e.catalog.plain}, e.catalog.all()...))
	fmt.Fprintf(w, "switchyard_ingress_requests_total %d\n", e.requests.Load())
	fmt.Fprintf(w, "switchyard_dispatch_fallbacks_total %d\n", e.fellBack.Load())
	fmt.Fprintf(w, "switchyard_versions_loaded %d\n", e.pools.size())
	fmt.Fprintf(w, "switchyard_cold_starts_total{from=\"snapshot\"} %d\n", e.pools.thawed.Load())
	fmt.Fprintf(w, "switchyard_cold_starts_total{from=\"modules\"} %d\n", e.pools.evaluated.Load())
	bytes, hits, misses := e.assets.kept.stats()
	fmt.Fprintf(w, "switchyard_asset_cache_bytes %d\n", bytes)
	fmt.Fprintf(w, "switchyard_asset_cache_lookups_total{found=\"true\"} %d\n", hits)
	fmt.Fprintf(w, "switchyard_asset_cache_lookups_total{found=\"false\"} %d\n", misses)
	e.writeTraceMetrics(w)
	s := e.pools.runtime.Stats()
	fmt.Fprintf(w, "switchyard_isolates %d\n", s.Isolates)
	fmt.Fprintf(w, "switchyard_isolates_spare %d\n", s.Spare)
	fmt.Fprintf(w, "switchyard_warm_bytes{counted=\"reckoned\"} %d\n", s.Reckoned+s.ImageBytes)
	fmt.Fprintf(w, "switchyard_warm_bytes{counted=\"measured\"} %d\n", s.Measured)
	fmt.Fprintf(w, "switchyard_snapshot_bytes %d\n", s.ImageBytes)
	fmt.Fprintf(w, "switchyard_slow_calls{state=\"running\"} %d\n", s.Slow)
	fmt.Fprintf(w, "switchyard_slow_calls{state=\"waiting\"} %d\n", s.SlowWaiting)
	fmt.Fprintf(w, "switchyard_isolate_reset{method=%q} 1\n", s.Reset)
}

func faultName(i int) string {
	if i == len(faults) {
		return "other"
	}
	return faults[i].kind
}

// writeMetrics writes what the Workers of each namespace did, and those that have a place did by name.
func (a *accounting) writeMetrics(w io.Writer, namespaces []*namespace) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drainLocked()
	for _, n := range namespaces {
		name, t := n.name(), &n.totals
		fmt.Fprintf(w, "switchyard_worker_requests_total{namespace=%q} %d\n", name, t[countCalls])
		fmt.Fprintf(w, "switchyard_asset_responses_total{namespace=%q} %d\n", name, t[countAssets])
		fmt.Fprintf(w, "switchyard_requests_total{namespace=%q} %d\n", name, t[countRequests])
		fmt.Fprintf(w, "switchyard_worker_subrequests_total{namespace=%q} %d\n", name, t[countSubrequests])
		fmt.Fprintf(w, "switchyard_worker_cpu_seconds_total{namespace=%q} %g\n", name, float64(t[countOwnCPU])/1e9)
		for s, word := range []string{"dispatch", "user", "outbound"} {
			fmt.Fprintf(w, "switchyard_stage_cpu_seconds_total{namespace=%q,stage=%q} %g\n", name, word, float64(t[countCPU+counter(s)])/1e9)
		}
		fmt.Fprintf(w, "switchyard_egress_bytes_total{namespace=%q,direction=\"received\"} %d\n", name, t[countEgressReceived])
		fmt.Fprintf(w, "switchyard_egress_bytes_total{namespace=%q,direction=\"sent\"} %d\n", name, t[countEgressSent])
		fmt.Fprintf(w, "switchyard_scripts{namespace=%q} %d\n", name, n.scripts.size.Load())
		for i, count := range t[countErrors:] {
			if count > 0 {
				fmt.Fprintf(w, "switchyard_worker_errors_total{namespace=%q,kind=%q} %d\n", name, faultName(i), count)
			}
		}
	}
	a.slots.write(w)
}
