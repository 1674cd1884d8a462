package capacity

import (
	"fmt"
	"math"
)

// Popularity is tenants that are asked as often as 1/k^Zipf.
type Popularity struct {
	Count int     `yaml:"count" json:"count"`
	Zipf  float64 `yaml:"zipf" json:"zipf"`
}

const mostTenants = 10_000_000

func (p Popularity) check() error {
	if p.Count < 1 || p.Count > mostTenants || !(p.Zipf >= 0 && p.Zipf <= 10) {
		return fmt.Errorf("tenants: count %d, zipf %v: 1 to %d, 0 to 10", p.Count, p.Zipf, mostTenants)
	}
	return nil
}

// group is tenants of about the same share.
type group struct{ count, share float64 }

// groups has the most asked one by one, and the others in groups whose ranks are 3 % apart: a
// million tenants are 500 groups.
func (p Popularity) groups() []group {
	const alone, apart = 64, 1.03
	var out []group
	sum := 0.0
	for from := 1; from <= p.Count; {
		to := from
		if from > alone {
			to = min(p.Count, int(float64(from)*apart))
		}
		g := group{count: float64(to - from + 1)}
		g.share = (math.Pow(float64(from), -p.Zipf) + math.Pow(float64(to), -p.Zipf)) / 2
		sum += g.count * g.share
		out = append(out, g)
		from = to + 1
	}
	for i := range out {
		out[i].share /= sum
	}
	return out
}

// resident is how many tenants are in memory, and which share of requests finds its own there, when
// what was not asked for in t requests goes.
func resident(groups []group, t float64) (tenants, requests float64) {
	for _, g := range groups {
		in := -math.Expm1(-g.share * t)
		tenants += g.count * in
		requests += g.count * g.share * in
	}
	return tenants, requests
}

// solve finds the t at which below turns false; it grows with t.
func solve(below func(t float64) bool) float64 {
	low, high := 0.0, 1.0
	for below(high) && high < 1e18 {
		low, high = high, 2*high
	}
	for range 50 {
		if middle := (low + high) / 2; below(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// Warm is the share of requests that find their tenant in memory, when the least recently used of
// more tenants than slots go: Che's approximation. A tenant of share p is there with probability
// 1−e^(−pT), where T, in requests, makes these add up to the slots.
func (p Popularity) Warm(slots float64) float64 {
	if slots >= float64(p.Count) {
		return 1
	}
	if slots <= 0 {
		return 0
	}
	groups := p.groups()
	_, warm := resident(groups, solve(func(t float64) bool {
		tenants, _ := resident(groups, t)
		return tenants < slots
	}))
	return warm
}

// Slots is the inverse: how many make a share of the requests warm, below 1.
func (p Popularity) Slots(warm float64) float64 {
	groups := p.groups()
	tenants, _ := resident(groups, solve(func(t float64) bool {
		_, requests := resident(groups, t)
		return requests < warm
	}))
	return tenants
}
