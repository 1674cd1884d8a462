package main

import (
	"fmt"
	"math"
	"slices"
)

// spread is a figure over the rounds: its median, and the interval that holds the true median
// with 95 % confidence, by order statistics. With fewer than six rounds no interval is that
// sure: then it is the least and the most.
type spread struct{ low, median, high float64 }

// spreadOf leaves out rounds without the figure; without any left, all three are NaN.
func spreadOf(values []float64) spread {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	n := len(values)
	if n == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	median := values[n/2]
	if n%2 == 0 {
		median = (values[n/2-1] + values[n/2]) / 2
	}
	k := medianRank(n)
	return spread{values[k], median, values[n-1-k]}
}

// medianRank is the largest k for which fewer than k+1 of n values lie on one side of the median with a
// probability of at most 2.5 %: the interval from the k-th to the (n-1-k)-th value, counted from 0.
func medianRank(n int) int {
	p := math.Pow(0.5, float64(n)) // of exactly i values below the median
	sum := 0.0
	for i := range n {
		if sum += p; sum > 0.025 {
			return max(0, i-1)
		}
		p *= float64(n-i) / float64(i+1)
	}
	return 0
}

func (s spread) String() string { return fmt.Sprintf("%.2f–%.2f", s.low, s.high) }

// over is the figure of every round by get.
func over(rounds []round, get func(round) float64) []float64 {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = get(r)
	}
	return values
}

func closedCPU(r round) float64 { return r.closed.cpu }

// pacedCPU is unknown where a slow pace left less than the clock's tick.
func pacedCPU(r round) float64 {
	if r.paced.cpu == 0 {
		return math.NaN()
	}
	return r.paced.cpu
}

// ratio compares a's figure with b's, round by round: what the machine does to one it does to
// the other of the same round.
func ratio(a, b []round, get func(round) float64) spread {
	values := make([]float64, min(len(a), len(b)))
	for i := range values {
		values[i] = get(a[i]) / get(b[i])
	}
	return spreadOf(values)
}
