package engine

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"switchyard/isolate"
)

// traffic counts what the Workers of one namespace did. Labels stay bounded: there are few
// namespaces, and what a script did is not a metric but usage.
type traffic struct {
	requests    atomic.Uint64 // calls of Workers, subrequests to Workers among them
	subrequests atomic.Uint64
	assets      atomic.Uint64 // responses with static assets
	cpu         atomic.Uint64 // nanoseconds
	errors      [len(faults) + 1]atomic.Uint64
}

// faults names the ways in which a call ends without a response. The last one, "other", is
// what is in none of them.
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
	{isolate.ErrBodyTooLarge, "body_limit"},
	{isolate.ErrResponseTooLarge, "body_limit"},
	{ErrWorkerNotFound, "not_found"},
	{ErrLoop, "loop"},
	{errException, "exception"},
}

// errException stands for every *isolate.Exception in faults.
var errException = errors.New("exception")

func (t *traffic) failed(err error) { t.errors[faultKind(err)].Add(1) }

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

func (t *traffic) settle(u isolate.Usage) {
	if u.Subrequests > 0 { // the line is shared by all cores
		t.subrequests.Add(uint64(u.Subrequests))
	}
	t.cpu.Add(uint64(u.CPU))
}

// WriteMetrics writes the engine's metrics in the Prometheus text format. The namespace of
// plain Workers is "".
func (e *Engine) WriteMetrics(w io.Writer) {
	namespaces := append([]*namespace{e.catalog.plain}, e.catalog.all()...)
	for _, n := range namespaces {
		name, t := n.name(), &n.traffic
		fmt.Fprintf(w, "switchyard_worker_requests_total{namespace=%q} %d\n", name, t.requests.Load())
		fmt.Fprintf(w, "switchyard_worker_subrequests_total{namespace=%q} %d\n", name, t.subrequests.Load())
		fmt.Fprintf(w, "switchyard_asset_responses_total{namespace=%q} %d\n", name, t.assets.Load())
		fmt.Fprintf(w, "switchyard_worker_cpu_seconds_total{namespace=%q} %g\n", name, float64(t.cpu.Load())/1e9)
		fmt.Fprintf(w, "switchyard_scripts{namespace=%q} %d\n", name, n.scripts.size.Load())
		for i := range t.errors {
			if count := t.errors[i].Load(); count > 0 {
				fmt.Fprintf(w, "switchyard_worker_errors_total{namespace=%q,kind=%q} %d\n", name, faultName(i), count)
			}
		}
	}
	fmt.Fprintf(w, "switchyard_ingress_requests_total %d\n", e.requests.Load())
	fmt.Fprintf(w, "switchyard_versions_loaded %d\n", e.pools.size())
	fmt.Fprintf(w, "switchyard_cold_starts_total{from=\"snapshot\"} %d\n", e.pools.thawed.Load())
	fmt.Fprintf(w, "switchyard_cold_starts_total{from=\"modules\"} %d\n", e.pools.evaluated.Load())
	bytes, hits, misses := e.assets.kept.stats()
	fmt.Fprintf(w, "switchyard_asset_cache_bytes %d\n", bytes)
	fmt.Fprintf(w, "switchyard_asset_cache_lookups_total{found=\"true\"} %d\n", hits)
	fmt.Fprintf(w, "switchyard_asset_cache_lookups_total{found=\"false\"} %d\n", misses)
	s := e.pools.runtime.Stats()
	fmt.Fprintf(w, "switchyard_isolates %d\n", s.Isolates)
	fmt.Fprintf(w, "switchyard_isolates_spare %d\n", s.Spare)
	fmt.Fprintf(w, "switchyard_warm_bytes{counted=\"reckoned\"} %d\n", s.Reckoned+s.ImageBytes)
	fmt.Fprintf(w, "switchyard_warm_bytes{counted=\"measured\"} %d\n", s.Measured)
	fmt.Fprintf(w, "switchyard_snapshot_bytes %d\n", s.ImageBytes)
	fmt.Fprintf(w, "switchyard_isolate_reset{method=%q} 1\n", s.Reset)
}

func faultName(i int) string {
	if i == len(faults) {
		return "other"
	}
	return faults[i].kind
}
