package control

import (
	"fmt"
	"time"

	"switchyard/isolate"
)

// limits of a script, a plan or a namespace. Zero would mean "no limit" further down, so it is not
// accepted here. All but the first two are ours.
type limits struct {
	CPU           *int64   `json:"cpu_ms,omitempty"`
	Subrequests   *int64   `json:"subrequests,omitempty"`
	Wall          *int64   `json:"wall_ms,omitempty"`
	Memory        *int64   `json:"memory_mb,omitempty"` // the JavaScript heap, or a wasm module's memory
	RequestBytes  *int64   `json:"request_bytes,omitempty"`
	ResponseBytes *int64   `json:"response_bytes,omitempty"`
	LogBytes      *int64   `json:"log_bytes,omitempty"`
	EgressBytes   *int64   `json:"egress_bytes,omitempty"`
	Concurrent    *int64   `json:"concurrent,omitempty"`
	Rate          *float64 `json:"rate,omitempty"` // requests per second
}

const (
	maxLimit  = 1 << 31
	maxBytes  = 1 << 50
	leastHeap = 4 // MiB: what the standard library takes, and room for a small Worker
	mostHeap  = 4096
)

func (l *limits) decode() (isolate.Limits, error) {
	var out isolate.Limits
	for _, it := range []struct {
		key         string
		given       *int64
		least, most int64
	}{
		{"cpu_ms", l.CPU, 1, maxLimit},
		{"subrequests", l.Subrequests, 1, maxLimit},
		{"wall_ms", l.Wall, 1, maxLimit},
		{"memory_mb", l.Memory, leastHeap, mostHeap},
		{"request_bytes", l.RequestBytes, 1, maxBytes},
		{"response_bytes", l.ResponseBytes, 1, maxBytes},
		{"log_bytes", l.LogBytes, 1, maxBytes},
		{"egress_bytes", l.EgressBytes, 1, maxBytes},
		{"concurrent", l.Concurrent, 1, maxLimit},
	} {
		if it.given != nil && (*it.given < it.least || *it.given > it.most) {
			return out, refuse(fmt.Sprintf("limits.%s: %d is not between %d and %d", it.key, *it.given, it.least, it.most))
		}
	}
	if l.Rate != nil && *l.Rate <= 0 {
		return out, refuse(fmt.Sprintf("limits.rate: %g is not greater than 0", *l.Rate))
	}
	return isolate.Limits{
		CPU:           time.Duration(valueOf(l.CPU)) * time.Millisecond,
		Subrequests:   int(valueOf(l.Subrequests)),
		Wall:          time.Duration(valueOf(l.Wall)) * time.Millisecond,
		Memory:        valueOf(l.Memory) << 20,
		RequestBytes:  valueOf(l.RequestBytes),
		ResponseBytes: valueOf(l.ResponseBytes),
		LogBytes:      valueOf(l.LogBytes),
		EgressBytes:   valueOf(l.EgressBytes),
		Concurrent:    int(valueOf(l.Concurrent)),
		Rate:          valueOf(l.Rate),
	}, nil
}

// valueOf is what p points to, 0 when it was not given.
func valueOf[T int64 | float64](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// given is the way back: nil for what is not limited.
func given[T int64 | float64](v T) *T {
	if v == 0 {
		return nil
	}
	return &v
}

func describeLimits(l isolate.Limits) *limits {
	out := limits{
		CPU:           given(l.CPU.Milliseconds()),
		Subrequests:   given(int64(l.Subrequests)),
		Wall:          given(l.Wall.Milliseconds()),
		Memory:        given(l.Memory >> 20),
		RequestBytes:  given(l.RequestBytes),
		ResponseBytes: given(l.ResponseBytes),
		LogBytes:      given(l.LogBytes),
		EgressBytes:   given(l.EgressBytes),
		Concurrent:    given(int64(l.Concurrent)),
		Rate:          given(l.Rate),
	}
	if out == (limits{}) {
		return nil
	}
	return &out
}
