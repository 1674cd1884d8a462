package loadtest

import "time"

// gauge integrates the number of requests without an answer over time. What it has, and the rate
// times the time that requests took, are counted apart: Little's law, L = λ·W, holds between the
// two, or requests were lost or counted twice, and the figures are not to be trusted.
type gauge struct {
	at      time.Duration
	flying  int
	area    float64 // request-seconds in this window
	from    time.Duration
	first   int // flying when the window began
	total   Little
	started bool
}

// Little compares both sides of Little's law over a time.
type Little struct {
	L        float64 `json:"l"`        // requests under way, by the gauge
	LambdaW  float64 `json:"lambda_w"` // answers per second times their mean time
	Edge     float64 `json:"edge"`     // what requests that cross the time's borders can explain
	Seconds  float64 `json:"seconds"`
	Answered int64   `json:"answered"`
}

// start begins at the end of the warm-up.
func (g *gauge) start(now time.Duration) {
	g.started, g.from, g.at, g.first = true, now, now, g.flying
}

// change counts a request that begins (1) or ends (-1).
func (g *gauge) change(now time.Duration, by int) {
	g.advance(now)
	g.flying += by
}

func (g *gauge) advance(now time.Duration) {
	if g.started && now > g.at {
		g.area += float64(g.flying) * (now - g.at).Seconds()
		g.at = now
	}
}

// little closes a window.
func (g *gauge) little(now time.Duration, answered int64, service time.Duration) Little {
	g.advance(now)
	seconds := (now - g.from).Seconds()
	if seconds <= 0 {
		return Little{}
	}
	l := Little{L: g.area / seconds, LambdaW: service.Seconds() / seconds, Seconds: seconds, Answered: answered}
	if answered > 0 {
		l.Edge = float64(g.first+g.flying) * service.Seconds() / float64(answered) / seconds
	}
	g.from, g.first, g.area = now, g.flying, 0
	g.total.L += l.L * seconds
	g.total.LambdaW += l.LambdaW * seconds
	g.total.Edge += l.Edge * seconds
	g.total.Seconds += seconds
	g.total.Answered += answered
	return l
}

// whole is the comparison over the run. The borders of its windows are not its own.
func (g *gauge) whole() Little {
	t := g.total
	if t.Seconds == 0 {
		return t
	}
	return Little{L: t.L / t.Seconds, LambdaW: t.LambdaW / t.Seconds, Seconds: t.Seconds, Answered: t.Answered}
}

// Broken reports a difference of more than 5 % that borders do not explain. Times with so few
// answers that one decides prove nothing.
func (l *Little) Broken() bool {
	difference := max(l.L-l.LambdaW, l.LambdaW-l.L)
	return l.Answered >= 200 && l.L > 0 && difference > 0.05*l.L+l.Edge
}
