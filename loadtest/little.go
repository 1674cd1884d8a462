package loadtest

import "time"

// gauge integrates the number of requests without an answer over time. That, and the time which
// requests took, are counted apart: Little's law, L = λ·W, holds between the two, or requests were
// lost or counted twice, and the figures are not to be trusted.
type gauge struct {
	at      time.Duration
	flying  int
	sent    time.Duration // sum of when those that fly were sent
	area    float64       // request-seconds in this window
	from    time.Duration
	before  time.Duration // what those flying when the window began had taken by then
	total   Little
	started bool
}

// Little compares both sides of Little's law over a time. What requests across its borders took
// on the other side of them is left out of W.
type Little struct {
	L        float64 `json:"l"`        // requests under way, by the gauge
	LambdaW  float64 `json:"lambda_w"` // answers per second times their mean time
	Seconds  float64 `json:"seconds"`
	Answered int64   `json:"answered"`
}

// start begins at the end of the warm-up.
func (g *gauge) start(now time.Duration) {
	g.started, g.from, g.at, g.before = true, now, now, g.elapsed(now)
}

// elapsed is what the requests that fly have taken so far.
func (g *gauge) elapsed(now time.Duration) time.Duration {
	return time.Duration(g.flying)*now - g.sent
}

// begin and end count a request.
func (g *gauge) begin(sent time.Duration) {
	g.advance(sent)
	g.flying++
	g.sent += sent
}

func (g *gauge) end(sent, now time.Duration) {
	g.advance(now)
	g.flying--
	g.sent -= sent
}

func (g *gauge) advance(now time.Duration) {
	if g.started && now > g.at {
		g.area += float64(g.flying) * (now - g.at).Seconds()
		g.at = now
	}
}

// little closes a window in which so many requests ended, having taken service together.
func (g *gauge) little(now time.Duration, ended int64, service time.Duration) Little {
	g.advance(now)
	seconds, after := (now - g.from).Seconds(), g.elapsed(now)
	l := Little{L: g.area / seconds, LambdaW: (service - g.before + after).Seconds() / seconds, Seconds: seconds, Answered: ended}
	g.from, g.before, g.area = now, after, 0
	g.total.L += l.L * seconds
	g.total.LambdaW += l.LambdaW * seconds
	g.total.Seconds += seconds
	g.total.Answered += ended
	return l
}

// whole is the comparison over the run.
func (g *gauge) whole() Little {
	t := g.total
	if t.Seconds == 0 {
		return t
	}
	return Little{L: t.L / t.Seconds, LambdaW: t.LambdaW / t.Seconds, Seconds: t.Seconds, Answered: t.Answered}
}

// Broken reports a difference of more than 5 %. Times with so few answers that one decides prove
// nothing.
func (l *Little) Broken() bool {
	return l.Answered >= 200 && max(l.L-l.LambdaW, l.LambdaW-l.L) > 0.05*l.L
}
