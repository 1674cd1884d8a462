package loadtest

import (
	"math"
	"time"
)

// heat holds p99 by tenant and time, for the report: few bytes a cell, 19 % wide steps.
type heat struct {
	rows, columns int
	width         time.Duration // of a column
	cells         []heatCell
}

type heatCell struct {
	n    uint32
	bars [heatBars]uint16
}

const (
	heatRows    = 48
	heatColumns = 60
	heatBars    = 96 // 4 an octave from 10 µs: to 160 s
)

func newHeat(tenants int, d time.Duration) *heat {
	h := &heat{rows: min(tenants, heatRows), columns: min(heatColumns, max(1, int(d/time.Second)))}
	h.width = d / time.Duration(h.columns)
	h.cells = make([]heatCell, h.rows*h.columns)
	return h
}

func (h *heat) add(tenant int, at, took time.Duration) {
	if tenant > h.rows || at < 0 {
		return
	}
	column := min(int(at/h.width), h.columns-1)
	bar := int(4 * math.Log2(max(1, float64(took)/float64(10*time.Microsecond))))
	c := &h.cells[(tenant-1)*h.columns+column]
	c.n++
	if b := &c.bars[min(bar, heatBars-1)]; *b < math.MaxUint16 {
		*b++
	}
}

// p99 is the middle of the step that holds it, in µs; 0 where nothing was asked.
func (c *heatCell) p99() float64 {
	if c.n == 0 {
		return 0
	}
	above := uint32(0)
	for bar := heatBars - 1; bar >= 0; bar-- {
		if above += uint32(c.bars[bar]); above*100 >= c.n {
			return 10 * math.Exp2((float64(bar)+0.5)/4)
		}
	}
	return 0
}

// Heat is the map as the report shows it.
type Heat struct {
	Seconds float64     `json:"seconds"` // of a column
	Tenants [][]float64 `json:"tenants"` // p99 in µs by tenant and column, 0 where nothing was asked
}

func (h *heat) table() Heat {
	t := Heat{Seconds: h.width.Seconds()}
	for r := range h.rows {
		row := make([]float64, h.columns)
		for c := range row {
			row[c] = math.Round(h.cells[r*h.columns+c].p99())
		}
		t.Tenants = append(t.Tenants, row)
	}
	return t
}
