package loadtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Arrivals says when the requests of a class are due: a process around a rate that a shape
// changes over time.
type Arrivals struct {
	Process string        `yaml:"process" json:"process"` // constant, poisson, gamma (bursty by cv) or mmpp (bursty by peak, share, burst). Default: poisson
	Rate    float64       `yaml:"rate" json:"rate"`       // per second, up to 1e6; the base of every shape. Required
	CV      float64       `yaml:"cv" json:"cv"`           // of a gamma process's gaps, 0.1 to 20. Default: 3
	Peak    float64       `yaml:"peak" json:"peak"`       // rate in a burst of an mmpp, times Rate, above 1. Default: 5
	Share   float64       `yaml:"share" json:"share"`     // of the time in bursts; Peak·Share is at most 1. Default: 0.1
	Burst   time.Duration `yaml:"burst" json:"burst"`     // mean length of one. Default: 1s

	Shape  string        `yaml:"shape" json:"shape"`   // flat, ramp (Rate to To), step (in Steps), spike (To from At for For) or diurnal. Default: flat
	To     float64       `yaml:"to" json:"to"`         // per second
	Steps  int           `yaml:"steps" json:"steps"`   // 2 to 1,000. Default: 5
	At     time.Duration `yaml:"at" json:"at"`         // since the beginning, warm-up included. Default: the middle
	For    time.Duration `yaml:"for" json:"for"`       // Default: a tenth of the run
	Period time.Duration `yaml:"period" json:"period"` // of a diurnal sine. Default: the run
	Depth  float64       `yaml:"depth" json:"depth"`   // of the sine: Rate·(1±Depth), 0 to 1. Default: 0.5
}

func (a *Arrivals) complete(total time.Duration) error {
	orDefault(&a.Process, "poisson")
	orDefault(&a.Shape, "flat")
	if !(a.Rate > 0 && a.Rate <= maxRate) {
		return fmt.Errorf("rate: %v is not above 0 and at most %d", a.Rate, maxRate)
	}
	if err := a.completeProcess(); err != nil {
		return err
	}
	return a.completeShape(total)
}

func (a *Arrivals) completeProcess() error {
	switch a.Process {
	case "constant", "poisson":
	case "gamma":
		orDefault(&a.CV, 3)
		if !(a.CV >= 0.1 && a.CV <= 20) {
			return fmt.Errorf("cv: %v is not from 0.1 to 20", a.CV)
		}
	case "mmpp":
		orDefault(&a.Peak, 5)
		orDefault(&a.Share, 0.1)
		orDefault(&a.Burst, time.Second)
		if !(a.Peak > 1) || !(a.Share > 0 && a.Peak*a.Share <= 1) || a.Burst <= 0 {
			return fmt.Errorf("peak, share, burst: %v, %v, %v: peak is above 1, peak times share at most 1, burst above 0", a.Peak, a.Share, a.Burst)
		}
	default:
		return fmt.Errorf("process: %q is not constant, poisson, gamma or mmpp", a.Process)
	}
	return nil
}

func (a *Arrivals) completeShape(total time.Duration) error {
	switch a.Shape {
	case "flat":
		return nil
	case "ramp", "step", "spike":
		orDefault(&a.Steps, 5)
		orDefault(&a.At, total/2)
		orDefault(&a.For, total/10)
		if !(a.To > 0 && a.To <= maxRate) {
			return fmt.Errorf("to: %v is not above 0 and at most %d", a.To, maxRate)
		}
		if a.Steps < 2 || a.Steps > 1000 || a.At < 0 || a.For <= 0 {
			return fmt.Errorf("steps, at, for: %d, %v, %v: 2 to 1,000 steps, times that are not negative", a.Steps, a.At, a.For)
		}
	case "diurnal":
		orDefault(&a.Period, total)
		orDefault(&a.Depth, 0.5)
		if !(a.Depth > 0 && a.Depth <= 1) || a.Period < time.Second {
			return fmt.Errorf("depth, period: %v, %v: depth is above 0 and at most 1, the period a second or more", a.Depth, a.Period)
		}
	default:
		return fmt.Errorf("shape: %q is not flat, ramp, step, spike or diurnal", a.Shape)
	}
	return nil
}

func (a *Arrivals) String() string {
	text := fmt.Sprintf("%s arrivals at %.4g/s", a.Process, a.Rate)
	switch a.Shape {
	case "ramp", "step", "spike":
		text += fmt.Sprintf(", %s to %.4g/s", a.Shape, a.To)
	case "diurnal":
		text += fmt.Sprintf(" ± %.0f %%, a sine of %v", 100*a.Depth, a.Period)
	}
	return text
}

// segment is a stretch of time in which the rate is a straight line.
type segment struct{ length, from, to float64 } // seconds, per second

// segments draws the shape over total seconds. The last one goes on for ever.
func (a *Arrivals) segments(total float64) []segment {
	r := a.Rate
	switch a.Shape {
	case "ramp":
		return []segment{{total, r, a.To}, {math.Inf(1), a.To, a.To}}
	case "step":
		out := make([]segment, a.Steps)
		for i := range out {
			level := r + (a.To-r)*float64(i)/float64(a.Steps-1)
			out[i] = segment{total / float64(a.Steps), level, level}
		}
		out[a.Steps-1].length = math.Inf(1)
		return out
	case "spike":
		return []segment{{a.At.Seconds(), r, r}, {a.For.Seconds(), a.To, a.To}, {math.Inf(1), r, r}}
	case "diurnal":
		return a.sine(total)
	}
	return []segment{{math.Inf(1), r, r}}
}

// sine draws 64 straight lines a period.
func (a *Arrivals) sine(total float64) []segment {
	step := a.Period.Seconds() / 64
	at := func(t float64) float64 { return a.Rate * (1 + a.Depth*math.Sin(2*math.Pi*t/a.Period.Seconds())) }
	var out []segment
	for t := 0.0; t < total; t += step {
		out = append(out, segment{step, at(t), at(t + step)})
	}
	return append(out, segment{math.Inf(1), a.Rate, a.Rate})
}

// pacer decides when requests are due. It is pure: it reads no clock. A process of rate one is
// stretched by the inverse of the shape's integral.
type pacer struct {
	gap      func() float64 // of the process, in arrivals
	segments []segment
	at       float64 // seconds into segments[0]
	now      float64 // seconds since the start
}

func newPacer(a *Arrivals, total time.Duration, random *rand.Rand) *pacer {
	p := &pacer{segments: a.segments(total.Seconds())}
	switch a.Process {
	case "constant":
		p.gap = func() float64 { return 1 }
	case "gamma":
		shape := 1 / (a.CV * a.CV)
		p.gap = distuv.Gamma{Alpha: shape, Beta: shape, Src: random}.Rand
	case "mmpp":
		p.gap = newMMPP(a, random).gap
	default:
		p.gap = random.ExpFloat64
	}
	return p
}

// next returns when the next request is due, since the start.
func (p *pacer) next() time.Duration {
	due := p.now
	left := p.gap()
	for {
		s := &p.segments[0]
		if t := s.reach(p.at, left); p.at+t <= s.length {
			p.at += t
			p.now += t
			return time.Duration(due * float64(time.Second))
		}
		left -= s.area(p.at, s.length)
		p.now += s.length - p.at
		p.at, p.segments = 0, p.segments[1:]
	}
}

func (s *segment) rate(at float64) float64 {
	if s.from == s.to {
		return s.from
	}
	return s.from + (s.to-s.from)*at/s.length
}

// area is the number of arrivals of rate one between two times.
func (s *segment) area(from, to float64) float64 {
	return (s.rate(from) + s.rate(to)) / 2 * (to - from)
}

// reach is how long after at the area is n: the root of slope/2·t² + rate·t = n.
func (s *segment) reach(at, n float64) float64 {
	r := s.rate(at)
	if s.from == s.to {
		return n / r
	}
	slope := (s.to - s.from) / s.length
	d := r*r + 2*slope*n
	if d < 0 {
		return math.Inf(1) // the rate falls to 0 before
	}
	return 2 * n / (r + math.Sqrt(d))
}

// mmpp is a Poisson process of mean rate one whose rate jumps between two levels, in time
// measured by mean arrivals.
type mmpp struct {
	random    *rand.Rand
	rate      [2]float64 // calm, burst
	stay      [2]float64 // mean
	state     int
	untilJump float64
}

func newMMPP(a *Arrivals, random *rand.Rand) *mmpp {
	burst := a.Burst.Seconds() * a.Rate
	m := &mmpp{random: random, rate: [2]float64{(1 - a.Peak*a.Share) / (1 - a.Share), a.Peak}, stay: [2]float64{burst * (1 - a.Share) / a.Share, burst}}
	m.untilJump = random.ExpFloat64() * m.stay[0]
	return m
}

func (m *mmpp) gap() float64 {
	gap := 0.0
	for {
		t := math.Inf(1)
		if m.rate[m.state] > 0 {
			t = m.random.ExpFloat64() / m.rate[m.state]
		}
		if t < m.untilJump {
			m.untilJump -= t
			return gap + t
		}
		gap += m.untilJump
		m.state ^= 1
		m.untilJump = m.random.ExpFloat64() * m.stay[m.state]
	}
}
