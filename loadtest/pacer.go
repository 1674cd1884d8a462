package loadtest

import (
	"math"
	"math/rand/v2"
	"sort"
	"time"
)

// pacer decides when requests are due. It is pure: it reads no clock.
type pacer struct {
	gap    float64 // mean seconds between two arrivals
	random *rand.Rand
	due    float64 // seconds since the start
}

func newPacer(p *Plan) *pacer {
	pc := &pacer{gap: 1 / p.Rate}
	if p.Poisson {
		pc.random = p.random(1)
	}
	return pc
}

// next returns when the next request is due, since the start.
func (p *pacer) next() time.Duration {
	due := p.due
	if p.random != nil {
		p.due += p.random.ExpFloat64() * p.gap
	} else {
		p.due += p.gap
	}
	return time.Duration(due * float64(time.Second))
}

// popularity picks tenants 1 to n, tenant k in proportion to 1/k^skew.
type popularity struct {
	random *rand.Rand
	upTo   []float64 // cumulated shares
}

func newPopularity(p *Plan) *popularity {
	pop := &popularity{random: p.random(2), upTo: make([]float64, p.Tenants)}
	sum := 0.0
	for k := range pop.upTo {
		sum += math.Pow(float64(k+1), -p.Skew)
		pop.upTo[k] = sum
	}
	return pop
}

func (p *popularity) next() int {
	x := p.random.Float64() * p.upTo[len(p.upTo)-1]
	return 1 + sort.SearchFloat64s(p.upTo, x)
}
