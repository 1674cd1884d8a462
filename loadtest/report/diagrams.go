package report

import (
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"

	"switchyard/loadtest"
)

// colors are told apart by people who see red and green alike (Okabe and Ito).
var colors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000"}

func color(i int) string { return colors[i%len(colors)] }

// timeScale is shared by all diagrams over time of one run.
func timeScale(r *loadtest.Result) scale {
	s := scale{unit: seconds}
	s.fit(math.Max(r.Seconds, float64(len(r.Windows))))
	s.to = math.Max(r.Seconds, 1)
	return s
}

// latencies over time: p50 dashed, p99 drawn.
func latencies(r *loadtest.Result, classes []int) plot {
	p := plot{title: "response time by second: p99 (lines), p50 (dashed)", x: timeScale(r), y: scale{log: true, unit: micros}}
	var all []float64
	for n, class := range classes {
		c := &r.Classes[n]
		p99 := line{name: c.Name, color: color(n)}
		p50 := line{name: "p50", color: color(n), dashed: true}
		for _, w := range r.Windows {
			if class >= len(w.Classes) {
				continue
			}
			l := w.Classes[class].Response
			y99, y50 := l.P99, l.P50
			if l.N == 0 {
				y99, y50 = math.NaN(), math.NaN()
			}
			x := float64(w.Second) + 0.5
			p99.x, p99.y = append(p99.x, x), append(p99.y, y99)
			p50.x, p50.y = append(p50.x, x), append(p50.y, y50)
			all = append(all, y99, y50)
		}
		p.lines = append(p.lines, p99, p50)
	}
	p.y.fit(all...)
	return p
}

// spectrum draws percentiles so that each nine is as wide as the one before.
func spectrum(r *loadtest.Result) (plot, error) {
	p := plot{title: "spectrum: response (lines) and service time (dashed)", y: scale{log: true, unit: micros}, x: scale{log: true, from: 1, to: 10}}
	var all []float64
	for n := range r.Classes {
		c := &r.Classes[n]
		for _, l := range []struct {
			of     loadtest.Latency
			name   string
			dashed bool
		}{{c.Response, c.Name, false}, {c.Service, "service", true}} {
			drawn, err := quantiles(&l.of)
			if err != nil {
				return p, err
			}
			drawn.name, drawn.dashed, drawn.color = l.name, l.dashed, color(n)
			p.lines = append(p.lines, drawn)
			all = append(all, drawn.y...)
			if k := len(drawn.x); k > 0 {
				p.x.to = math.Max(p.x.to, drawn.x[k-1])
			}
		}
	}
	p.y.fit(all...)
	for v, text := 1.0, "p0"; v <= p.x.to; v *= 10 {
		if v == 10 {
			text = "p90"
		} else if v > 10 {
			nines := int(math.Round(math.Log10(v)))
			text = "p99" + map[bool]string{true: "." + strings.Repeat("9", nines-2)}[nines > 2]
		}
		p.xTicks = append(p.xTicks, tick{v, text})
	}
	return p, nil
}

// quantiles are 1/(1-q) and the value there.
func quantiles(l *loadtest.Latency) (line, error) {
	bars, err := l.Bars()
	var out line
	below := int64(0)
	for _, b := range bars {
		left := float64(l.N-below) / float64(l.N)
		below += b.Count
		out.x, out.y = append(out.x, 1/left), append(out.y, b.To)
	}
	return thin(out), err
}

const mostPoints = 400

// thin keeps a path short: a point for each step of the axis that can be seen.
func thin(l line) line {
	if len(l.x) <= mostPoints {
		return l
	}
	out, step := line{}, math.Log(l.x[len(l.x)-1])/mostPoints
	next := 0.0
	for i := range l.x {
		if at := math.Log(l.x[i]); at >= next || i == len(l.x)-1 {
			out.x, out.y = append(out.x, l.x[i]), append(out.y, l.y[i])
			next = at + step
		}
	}
	return out
}

// resources: the server's CPU, the generator's, and the server's memory on a scale of its own.
func resources(r *loadtest.Result) plot {
	p := plot{title: "CPU cores and, right, the server's resident memory", x: timeScale(r), y: scale{unit: number}, second: scale{unit: func(v float64) string { return number(v) + " MiB" }}}
	server, client, rss := line{name: "server CPU", color: color(1)}, line{name: "generator CPU", color: color(6)}, line{name: "server RSS", color: color(0), dashed: true, onSecond: true}
	for _, w := range r.Windows {
		x := float64(w.Second) + 0.5
		client.x, client.y = append(client.x, x), append(client.y, w.Client.CPU)
		if w.Server != nil {
			server.x, server.y = append(server.x, x), append(server.y, w.Server.CPU)
			rss.x, rss.y = append(rss.x, x), append(rss.y, w.Server.RSS)
		}
	}
	p.y.fit(append(append([]float64{}, server.y...), client.y...)...)
	p.second.fit(rss.y...)
	p.lines = []line{server, client, rss}
	return p
}

// rates are answers per second, errors by kind on top of one another.
func rates(r *loadtest.Result) plot {
	p := plot{title: "answers per second, by outcome", x: timeScale(r), y: scale{unit: number}}
	kinds := outcomeNames(r)
	highest := 0.0
	for _, w := range r.Windows {
		sums := map[string]int64{}
		for _, c := range w.Classes {
			for name, n := range c.Outcomes.ByName() {
				sums[name] += n
			}
			if c.Dropped > 0 {
				sums["dropped"] += c.Dropped
			}
		}
		at := 0.0
		for i, name := range kinds {
			if n := float64(sums[name]); n > 0 {
				p.bars = append(p.bars, bar{float64(w.Second), 1, at, at + n, outcomeColor(name, i), fmt.Sprintf("second %d: %s %d", w.Second, name, sums[name])})
				at += n
			}
		}
		highest = math.Max(highest, at)
	}
	p.y.fit(highest)
	for i, name := range kinds {
		p.lines = append(p.lines, line{name: name, color: outcomeColor(name, i)})
	}
	return p
}

func outcomeColor(name string, i int) string {
	if name == "ok" {
		return "#9ecae1"
	}
	return color(i + 1)
}

// outcomeNames has ok first, at the bottom.
func outcomeNames(r *loadtest.Result) []string {
	o := r.Outcomes()
	names := slices.Sorted(maps.Keys(o.ByName()))
	if r.Dropped > 0 {
		names = append(names, "dropped")
	}
	if i := slices.Index(names, "ok"); i > 0 {
		names = append([]string{"ok"}, slices.Delete(names, i, i+1)...)
	}
	return names
}

// isolates is the distribution by the state of the isolate that served.
func isolates(c *loadtest.ClassResult) (plot, error) {
	p := plot{title: c.Name + ": share answered within a time, by isolate", x: scale{log: true, unit: micros}, y: scale{from: 0, to: 1, unit: func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }}}
	var all []float64
	for i, state := range slices.Sorted(maps.Keys(c.Isolates)) {
		l := c.Isolates[state].Response
		bars, err := l.Bars()
		if err != nil {
			return p, err
		}
		drawn, below := line{name: fmt.Sprintf("%s (%d)", state, l.N), color: color(i)}, int64(0)
		every := max(1, len(bars)/mostPoints)
		for n, b := range bars {
			below += b.Count
			if n%every == 0 || n == len(bars)-1 {
				drawn.x, drawn.y = append(drawn.x, b.To), append(drawn.y, float64(below)/float64(l.N))
			}
		}
		all = append(all, drawn.x...)
		p.lines = append(p.lines, drawn)
	}
	p.x.fit(all...)
	return p, nil
}

// heatMap has a row a tenant, a column a stretch of time, and p99 as colour.
func heatMap(c *loadtest.ClassResult) template.HTML {
	const rowHeight = 9.0
	rows := len(c.Heat.Tenants)
	if rows == 0 || len(c.Heat.Tenants[0]) == 0 {
		return ""
	}
	s := scale{log: true, unit: micros}
	for _, row := range c.Heat.Tenants {
		s.fitMore(row)
	}
	columns := len(c.Heat.Tenants[0])
	h := top + bottom + rowHeight*float64(rows)
	cell := (width - left - right) / float64(columns)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img"><text x="%g" y="16" class="t">%s: p99 by tenant (rows, the most asked on top) and time; dark is slow</text>`, width, h, left, template.HTMLEscapeString(c.Name))
	for r, row := range c.Heat.Tenants {
		if r%8 == 0 {
			fmt.Fprintf(&b, `<text x="%g" y="%.1f" class="e">tenant %d</text>`, left-6, top+rowHeight*float64(r)+8, r+1)
		}
		for i, v := range row {
			if v > 0 {
				fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%g" fill="%s"><title>tenant %d, %.0f s: %s</title></rect>`,
					left+cell*float64(i), top+rowHeight*float64(r), cell-0.4, rowHeight-0.6, heatColor(s.place(v)), r+1, float64(i)*c.Heat.Seconds, micros(v))
			}
		}
	}
	for i := range 11 {
		x := left + float64(i)*22
		v := math.Exp(math.Log(s.from) + float64(i)/10*(math.Log(s.to)-math.Log(s.from)))
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="22" height="8" fill="%s"/>`, x, h-bottom+6, heatColor(float64(i)/10))
		if i%5 == 0 {
			fmt.Fprintf(&b, `<text x="%.1f" y="%.1f">%s</text>`, x, h-bottom+26, micros(v))
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// fitMore widens a logarithmic scale.
func (s *scale) fitMore(values []float64) {
	for _, v := range values {
		if v > 0 && (s.from == 0 || v < s.from) {
			s.from = v
		}
		s.to = math.Max(s.to, v)
	}
	if s.to <= s.from {
		s.to = s.from * 2
	}
}

// heatColor goes from pale yellow over orange to dark purple.
func heatColor(at float64) string {
	at = math.Min(1, math.Max(0, at))
	stops := [][3]float64{{255, 250, 205}, {253, 174, 97}, {215, 48, 39}, {73, 0, 106}}
	i := min(int(at*3), 2)
	f := at*3 - float64(i)
	mix := func(k int) int { return int(stops[i][k] + f*(stops[i+1][k]-stops[i][k])) }
	return fmt.Sprintf("#%02x%02x%02x", mix(0), mix(1), mix(2))
}
