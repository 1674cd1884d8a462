package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// plot is one diagram, drawn as SVG: time or quantile to the right, a value up.
//
//	left  ┌──────────────┐ right (a second scale, where there is one)
//	      │              │
//	      └──────────────┘
//	        bottom
type plot struct {
	title        string
	x, y, second scale
	xTicks       []tick // else the scale's own
	lines        []line
	bars         []bar
}

type tick struct {
	at   float64
	text string
}

// scale maps values to 0 to 1.
type scale struct {
	from, to float64
	log      bool
	unit     func(float64) string
}

type line struct {
	name, color string
	x, y        []float64 // NaN is a gap
	dashed      bool
	onSecond    bool
}

// bar is a stacked column's part.
type bar struct {
	x, width, from, to float64
	color, title       string
}

const (
	width, height = 900.0, 260.0
	left, right   = 70.0, 70.0
	top, bottom   = 28.0, 34.0
)

func (s *scale) place(v float64) float64 {
	if s.log {
		return (math.Log(math.Max(v, s.from)) - math.Log(s.from)) / (math.Log(s.to) - math.Log(s.from))
	}
	return (v - s.from) / (s.to - s.from)
}

// fit makes the scale hold the values, with round ends.
func (s *scale) fit(values ...float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) && (!s.log || v > 0) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	switch {
	case math.IsInf(low, 1):
		s.from, s.to = 1, 10
	case s.log:
		s.from, s.to = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high*1.0001)))
	default:
		step := niceStep(high)
		s.from, s.to = 0, math.Max(step, math.Ceil(high/step-1e-9)*step)
	}
}

// niceStep divides 0 to high into about five.
func niceStep(high float64) float64 {
	if high <= 0 {
		return 1
	}
	base := math.Pow(10, math.Floor(math.Log10(high/5)))
	for _, m := range []float64{1, 2, 5} {
		if high/(m*base) <= 5 {
			return m * base
		}
	}
	return 10 * base
}

func (s *scale) ticks() []tick {
	var out []tick
	if s.log {
		for v := s.from; v <= s.to*1.001; v *= 10 {
			out = append(out, tick{v, s.unit(v)})
		}
		return out
	}
	step := niceStep(s.to)
	for v := s.from; v <= s.to+step/1000; v += step {
		out = append(out, tick{v, s.unit(v)})
	}
	return out
}

func (p *plot) px(v float64) float64 { return left + p.x.place(v)*(width-left-right) }

func (p *plot) py(s *scale, v float64) float64 {
	return height - bottom - s.place(v)*(height-top-bottom)
}

// svg draws it.
func (p *plot) svg() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img"><title>%s</title>`, width, height, template.HTMLEscapeString(p.title))
	p.grid(&b)
	for _, r := range p.bars {
		y0, y1 := p.py(&p.y, r.from), p.py(&p.y, r.to)
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s</title></rect>`, p.px(r.x), y1, math.Max(0.5, p.px(r.x+r.width)-p.px(r.x)-0.5), y0-y1, r.color, template.HTMLEscapeString(r.title))
	}
	for i := range p.lines {
		p.draw(&b, &p.lines[i])
	}
	p.legend(&b)
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func (p *plot) grid(b *strings.Builder) {
	fmt.Fprintf(b, `<text x="%g" y="16" class="t">%s</text>`, left, template.HTMLEscapeString(p.title))
	for _, t := range p.y.ticks() {
		y := p.py(&p.y, t.at)
		fmt.Fprintf(b, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" class="g"/><text x="%g" y="%.1f" class="e">%s</text>`, left, width-right, y, y, left-6, y+4, template.HTMLEscapeString(t.text))
	}
	if p.second.unit != nil {
		for _, t := range p.second.ticks() {
			fmt.Fprintf(b, `<text x="%g" y="%.1f">%s</text>`, width-right+6, p.py(&p.second, t.at)+4, template.HTMLEscapeString(t.text))
		}
	}
	ticks := p.xTicks
	if ticks == nil {
		ticks = p.x.ticks()
	}
	for _, t := range ticks {
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%g" y2="%g" class="g"/><text x="%.1f" y="%g" class="m">%s</text>`, p.px(t.at), p.px(t.at), top, height-bottom, p.px(t.at), height-bottom+16, template.HTMLEscapeString(t.text))
	}
}

func (p *plot) draw(b *strings.Builder, l *line) {
	s := &p.y
	if l.onSecond {
		s = &p.second
	}
	var path strings.Builder
	pen := "M"
	for i := range l.x {
		if math.IsNaN(l.y[i]) || s.log && l.y[i] <= 0 {
			pen = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", pen, p.px(l.x[i]), p.py(s, l.y[i]))
		pen = "L"
	}
	dash := ""
	if l.dashed {
		dash = ` stroke-dasharray="5 3"`
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.8"%s><title>%s</title></path>`, path.String(), l.color, dash, template.HTMLEscapeString(l.name))
}

func (p *plot) legend(b *strings.Builder) {
	x := width - right
	for i := len(p.lines) - 1; i >= 0; i-- {
		l := &p.lines[i]
		x -= 7.2*float64(len([]rune(l.name))) + 30
		dash := ""
		if l.dashed {
			dash = ` stroke-dasharray="5 3"`
		}
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="12" y2="12" stroke="%s" stroke-width="3"%s/><text x="%.1f" y="16">%s</text>`, x, x+18, l.color, dash, x+22, template.HTMLEscapeString(l.name))
	}
}

// Units of axes.
func micros(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g s", round(v/1e6))
	case v >= 1e3:
		return fmt.Sprintf("%g ms", round(v/1e3))
	}
	return fmt.Sprintf("%g µs", round(v))
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

func seconds(v float64) string { return fmt.Sprintf("%g s", round(v)) }

func number(v float64) string { return fmt.Sprintf("%g", round(v)) }
