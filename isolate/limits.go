package isolate

import "time"

// Limits is the ceiling of one call. The zero value of a field means no limit of its own;
// where several sources name a limit (call, script, plan, namespace) the smallest wins: Min.
// A Pool enforces CPU, Wall, Subrequests, RequestBytes, ResponseBytes and LogBytes. Memory is a
// version's (Spec.Memory); EgressBytes, Concurrent and Rate are for the Host and the caller.
type Limits struct {
	CPU           time.Duration // guest CPU time, waiting not counted
	Wall          time.Duration // from entry to the end of the response body
	Subrequests   int           // fetches and dispatches a call may start
	Memory        int64         // bytes of guest memory
	RequestBytes  int64         // request body
	ResponseBytes int64         // response body
	LogBytes      int64         // console output
	EgressBytes   int64         // sent to and received from origins
	Concurrent    int           // calls of one script at once
	Rate          float64       // requests per second of one script
}

// Min returns the smaller of each pair of limits, where zero counts as infinity.
func (l Limits) Min(o Limits) Limits {
	return Limits{
		CPU:           tighter(l.CPU, o.CPU),
		Wall:          tighter(l.Wall, o.Wall),
		Subrequests:   tighter(l.Subrequests, o.Subrequests),
		Memory:        tighter(l.Memory, o.Memory),
		RequestBytes:  tighter(l.RequestBytes, o.RequestBytes),
		ResponseBytes: tighter(l.ResponseBytes, o.ResponseBytes),
		LogBytes:      tighter(l.LogBytes, o.LogBytes),
		EgressBytes:   tighter(l.EgressBytes, o.EgressBytes),
		Concurrent:    tighter(l.Concurrent, o.Concurrent),
		Rate:          tighter(l.Rate, o.Rate),
	}
}

func tighter[T int | int64 | float64 | time.Duration](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Usage is what one call has spent so far.
type Usage struct {
	CPU         time.Duration // charged at yields and when the guest returns
	Subrequests int
	Refused     int // subrequests over the limit
	LogBytes    int64
}
