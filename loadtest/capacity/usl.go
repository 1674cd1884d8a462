// Package capacity says how many machines a forecast needs, from what one was measured to do. It
// predicts within twice of what was measured and refuses beyond.
package capacity

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// ErrExtrapolation is a question about more than twice of what was measured.
var ErrExtrapolation = errors.New("more than twice of what was measured: measure more")

// Point is a throughput at a concurrency.
type Point struct {
	N float64 `json:"n"` // requests under way
	X float64 `json:"x"` // answers per second
}

// USL is Gunther's Universal Scalability Law, X(N) = λN / (1 + σ(N−1) + κN(N−1)).
type USL struct {
	Lambda float64 `json:"lambda"` // answers per second of one alone
	Sigma  float64 `json:"sigma"`  // what waits in line
	Kappa  float64 `json:"kappa"`  // what each must agree on with each other
	R2     float64 `json:"r2"`
	MostN  float64 `json:"most_n"` // measured
}

const leastPoints = 6

// FitUSL finds the law by least squares of relative errors, σ and κ not negative. It needs six
// points of three different N.
func FitUSL(points []Point) (USL, error) {
	distinct := map[float64]bool{}
	u := USL{}
	for _, p := range points {
		if !(p.N > 0 && p.X > 0) {
			return u, fmt.Errorf("usl: a point of N %v and X %v", p.N, p.X)
		}
		distinct[p.N] = true
		u.MostN = math.Max(u.MostN, p.N)
	}
	if len(points) < leastPoints || len(distinct) < 3 {
		return u, fmt.Errorf("usl: %d points of %d different N are too few: 6 of 3 at least", len(points), len(distinct))
	}
	lambda := 0.0
	for _, p := range points {
		lambda = math.Max(lambda, p.X/p.N)
	}
	// Squares keep parameters from being negative, and λ is in units of its first guess.
	at := func(x []float64) USL {
		return USL{Lambda: lambda * x[0] * x[0], Sigma: x[1] * x[1], Kappa: x[2] * x[2], MostN: u.MostN}
	}
	cost := func(x []float64) float64 {
		law, sum := at(x), 0.0
		for _, p := range points {
			e := law.at(p.N)/p.X - 1
			sum += e * e
		}
		return sum
	}
	best := math.Inf(1)
	for _, start := range [][]float64{{1, 0.1, 0.01}, {1, 0.5, 0.1}, {1, 0.02, 0.001}} { // the valley is flat: one start may stop in it
		result, err := optimize.Minimize(optimize.Problem{Func: cost}, start, &optimize.Settings{MajorIterations: 20_000}, &optimize.NelderMead{})
		if err != nil {
			return u, fmt.Errorf("usl: %w", err)
		}
		if result.F < best {
			best, u = result.F, at(result.X)
		}
	}
	u.R2 = u.fit(points)
	return u, nil
}

func (u USL) at(n float64) float64 {
	return u.Lambda * n / (1 + u.Sigma*(n-1) + u.Kappa*n*(n-1))
}

// fit is R², the share of the variance that the law explains.
func (u USL) fit(points []Point) float64 {
	mean, residual, total := 0.0, 0.0, 0.0
	for _, p := range points {
		mean += p.X / float64(len(points))
	}
	for _, p := range points {
		residual += (p.X - u.at(p.N)) * (p.X - u.at(p.N))
		total += (p.X - mean) * (p.X - mean)
	}
	if total == 0 {
		return 0
	}
	return 1 - residual/total
}

// Predict is the throughput at a concurrency up to twice the highest that was measured.
func (u USL) Predict(n float64) (float64, error) {
	if n > 2*u.MostN {
		return 0, fmt.Errorf("usl: %v under way, %v measured: %w", n, u.MostN, ErrExtrapolation)
	}
	return u.at(n), nil
}

// Peak is the concurrency of the highest throughput; +Inf where nothing is agreed on.
func (u USL) Peak() float64 {
	if u.Kappa == 0 {
		return math.Inf(1)
	}
	return math.Sqrt(math.Max(0, 1-u.Sigma) / u.Kappa)
}
