package wpt

import (
	"fmt"
	"strings"
)

// Row is one area's line of the table. All but Scripts count sub-tests.
type Row struct {
	Area    string
	Scripts int
	Run     int // that ended
	Ours    int // that we pass
	Workerd int // that workerd passes, of the scripts that were run
	Must    int // that workerd and Node both pass
	Passed  int // of these, by us
	Absent  int // of these, not among the fetched tests: another release
}

// Tables sums outcomes up by area, in the order in which the areas come.
func Tables(bar Bar, outcomes []Outcome) []Row {
	var rows []Row
	for _, o := range outcomes {
		if area := o.Script.Area; len(rows) == 0 || rows[len(rows)-1].Area != area {
			rows = append(rows, Row{Area: area})
		}
		rows[len(rows)-1].add(bar[o.Script.Key], o)
	}
	return rows
}

func (r *Row) add(bar map[string]Peers, o Outcome) {
	r.Scripts++
	r.Run += len(o.Results)
	results := o.byName()
	for _, result := range results {
		if result.Passed {
			r.Ours++
		}
	}
	for name, who := range bar {
		if who&Workerd != 0 {
			r.Workerd++
		}
		if who != Both {
			continue
		}
		r.Must++
		result, ran := results[name]
		if result.Passed {
			r.Passed++
		} else if !ran && o.absent() {
			r.Absent++
		}
	}
}

// Percent is the share of the must-pass sub-tests that we pass, of those that the fetched tests have.
func (r Row) Percent() float64 {
	if r.Must == r.Absent {
		return 100
	}
	return 100 * float64(r.Passed) / float64(r.Must-r.Absent)
}

// Format is the table in Markdown.
func Format(rows []Row) string {
	var b strings.Builder
	b.WriteString("| area | scripts | sub-tests | ours | workerd | must pass | passed | absent | % |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %.1f |\n",
			r.Area, r.Scripts, r.Run, r.Ours, r.Workerd, r.Must, r.Passed, r.Absent, r.Percent())
	}
	return b.String()
}
