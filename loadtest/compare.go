package loadtest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
)

// Comparison is one figure in two records.
type Comparison struct {
	Class, Figure string
	A, B          float64 // medians over units, µs
	Ratio         float64 // B over A
	Low, High     float64 // its 95 % interval, by bootstrap
	P             float64 // two-sided, of the Mann-Whitney test
	Units         string  // what is compared: runs or seconds
	NA, NB        int
}

// Verdict says in a word what the comparison shows.
func (c Comparison) Verdict() string {
	switch {
	case c.P >= 0.05 || c.Low <= 1 && c.High >= 1:
		return "no difference shown"
	case c.Ratio < 1:
		return "B is lower"
	}
	return "B is higher"
}

const resamples = 10_000

// Compare holds the classes of two records side by side. Where both have three runs or more, runs
// are the units; else seconds are, which follow from one another: their intervals are too narrow,
// and Units says so.
func Compare(a, b *Record) ([]Comparison, error) {
	var out []Comparison
	for _, class := range classNames(a) {
		for _, figure := range []struct {
			name string
			of   func(*Latency) float64
		}{{"p50", func(l *Latency) float64 { return l.P50 }}, {"p99", func(l *Latency) float64 { return l.P99 }}, {"mean", func(l *Latency) float64 { return l.Mean }}} {
			x, unit := a.units(class, figure.of)
			y, unitB := b.units(class, figure.of)
			if unit != unitB {
				x, unit = a.seconds(class, figure.of), "seconds"
				y = b.seconds(class, figure.of)
			}
			if len(x) >= 3 && len(y) >= 3 {
				out = append(out, compare(class, figure.name, unit, x, y))
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no class is in both records, with three runs or seconds in each")
	}
	return out, nil
}

func classNames(r *Record) []string {
	var names []string
	for _, result := range r.Results {
		for i := range result.Classes {
			if n := result.Classes[i].Name; !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// units are runs where there are three, the last phase of each; else seconds.
func (r *Record) units(class string, of func(*Latency) float64) ([]float64, string) {
	var runs []float64
	for _, result := range r.Results {
		if result.Phase == "alone" {
			continue
		}
		if c := result.Class(class); c != nil && c.Response.N > 0 {
			runs = append(runs, of(&c.Response))
		}
	}
	if len(runs) >= 3 {
		return runs, "runs"
	}
	return r.seconds(class, of), "seconds"
}

func (r *Record) seconds(class string, of func(*Latency) float64) []float64 {
	index := -1
	for i := range r.Head.Scenario.Classes {
		if r.Head.Scenario.Classes[i].Name == class {
			index = i
		}
	}
	var seconds []float64
	for _, result := range r.Results {
		if result.Phase == "alone" {
			continue
		}
		for _, w := range result.Windows {
			if index >= 0 && index < len(w.Classes) && w.Classes[index].Response.N > 0 {
				seconds = append(seconds, of(&w.Classes[index].Response))
			}
		}
	}
	return seconds
}

func compare(class, figure, unit string, x, y []float64) Comparison {
	c := Comparison{Class: class, Figure: figure, A: median(x), B: median(y), Units: unit, NA: len(x), NB: len(y), P: mannWhitney(x, y)}
	c.Ratio = c.B / c.A
	random := rand.New(rand.NewPCG(1, 1))
	ratios := make([]float64, resamples)
	for i := range ratios {
		ratios[i] = median(resample(y, random)) / median(resample(x, random))
	}
	slices.Sort(ratios)
	c.Low, c.High = ratios[resamples/40], ratios[resamples-resamples/40]
	return c
}

func resample(x []float64, random *rand.Rand) []float64 {
	out := make([]float64, len(x))
	for i := range out {
		out[i] = x[random.IntN(len(x))]
	}
	return out
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// mannWhitney is the two-sided p value that x and y are alike: the normal approximation of U, with
// ties and continuity corrected. With fewer than four on each side it can never be small.
func mannWhitney(x, y []float64) float64 {
	type value struct {
		v     float64
		fromX bool
	}
	var all []value
	for _, v := range x {
		all = append(all, value{v, true})
	}
	for _, v := range y {
		all = append(all, value{v, false})
	}
	slices.SortFunc(all, func(a, b value) int { return cmp.Compare(a.v, b.v) })
	rankSum, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		for k := i; k < j; k++ {
			if all[k].fromX {
				rankSum += float64(i+j+1) / 2
			}
		}
		i = j
	}
	n, m := float64(len(x)), float64(len(y))
	u := rankSum - n*(n+1)/2
	variance := n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1)))
	if variance <= 0 {
		return 1
	}
	z := (math.Abs(u-n*m/2) - 0.5) / math.Sqrt(variance)
	return min(1, math.Erfc(max(z, 0)/math.Sqrt2))
}

// Print writes a line.
func (c Comparison) Print(w io.Writer) {
	fmt.Fprintf(w, "%-20s %-5s A %9.0f µs   B %9.0f µs   B/A %.3f [%.3f, %.3f]   p = %.4f   %s (%d and %d %s)\n",
		c.Class, c.Figure, c.A, c.B, c.Ratio, c.Low, c.High, c.P, c.Verdict(), c.NA, c.NB, c.Units)
}
