package loadtest

import (
	"math"
	"math/rand/v2"
	"sort"
)

// popularity picks tenants 1 to n, tenant k in proportion to 1/k^s, and now and then the one of
// the cold ones behind them that was not asked for longest.
type popularity struct {
	random    *rand.Rand
	upTo      []float64 // cumulated shares
	cold      float64
	coldCount int
	coldNext  int
}

func newPopularity(p *Population, random *rand.Rand) *popularity {
	pop := &popularity{random: random, upTo: make([]float64, p.Count), cold: p.Cold, coldCount: p.ColdCount}
	sum := 0.0
	for k := range pop.upTo {
		sum += math.Pow(float64(k+1), -p.Zipf)
		pop.upTo[k] = sum
	}
	return pop
}

func (p *popularity) next() int {
	if p.cold > 0 && p.random.Float64() < p.cold {
		p.coldNext = p.coldNext%p.coldCount + 1
		return len(p.upTo) + p.coldNext
	}
	x := p.random.Float64() * p.upTo[len(p.upTo)-1]
	return 1 + min(sort.SearchFloat64s(p.upTo, x), len(p.upTo)-1)
}
