package loadtest

// Fairness is Jain's index over the tenants of a class, (Σx)²/(n·Σx²): 1 when all are served
// alike, 1/n when one has everything.
type Fairness struct {
	Goodput float64 `json:"goodput"` // x: share of its requests that a tenant got answered well
	Latency float64 `json:"latency"` // x: its mean response time
	Tenants int     `json:"tenants"` // that asked
}

func fairness(tenants []tenantCount) Fairness {
	var good, latency []float64
	for _, t := range tenants {
		if t.sent > 0 {
			good = append(good, float64(t.sent-t.bad)/float64(t.sent))
			latency = append(latency, t.sum.Seconds()/float64(t.sent))
		}
	}
	return Fairness{jain(good), jain(latency), len(good)}
}

func jain(x []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += v
		squares += v * v
	}
	if squares == 0 {
		return 1
	}
	return sum * sum / (float64(len(x)) * squares)
}

// Isolation is how much worse victims are off beside aggressors than alone.
type Isolation struct {
	Class    string  `json:"class"`
	Alone    float64 `json:"alone"`    // p99 of the response time in µs
	Together float64 `json:"together"` // the same beside aggressors
	Index    float64 `json:"index"`    // their ratio: 1 is perfect
	Errors   int64   `json:"errors"`   // of victims, beside aggressors
}

// Isolations compares two phases.
func Isolations(alone, together *Result) []Isolation {
	var out []Isolation
	for i := range alone.Classes {
		a := &alone.Classes[i]
		if b := together.Class(a.Name); b != nil && a.Response.P99 > 0 {
			out = append(out, Isolation{a.Name, a.Response.P99, b.Response.P99, b.Response.P99 / a.Response.P99, b.Outcomes.Bad() + b.Dropped})
		}
	}
	return out
}
