// Package report makes one HTML page of records: no script, nothing from elsewhere, so that it can
// be mailed, kept and read without a network.
package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"switchyard/loadtest"
)

//go:embed page.html
var page embed.FS

var tmpl = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"us":      micros,
	"percent": func(v float64) string { return fmt.Sprintf("%.3f %%", 100*v) },
	"join":    strings.Join,
}).ParseFS(page, "page.html"))

// maxRuns are drawn of one record: a page of thousands of diagrams helps nobody.
const maxRuns = 24

// view is what the page shows.
type view struct {
	Title   string
	Records []recordView
}

type recordView struct {
	Head     loadtest.Head
	Scenario string
	Runs     []runView
	LeftOut  int
}

type runView struct {
	*loadtest.Result
	Title     string
	Isolation []loadtest.Isolation
	Diagrams  []template.HTML
}

// Write writes the page.
func Write(w io.Writer, title string, records ...*loadtest.Record) error {
	v := view{Title: title}
	for _, r := range records {
		record, err := viewRecord(r)
		if err != nil {
			return err
		}
		v.Records = append(v.Records, record)
	}
	return tmpl.Execute(w, v)
}

func viewRecord(r *loadtest.Record) (recordView, error) {
	doc, err := json.MarshalIndent(r.Head.Scenario, "", " ")
	if err != nil {
		return recordView{}, err
	}
	v := recordView{Head: r.Head, Scenario: string(doc), LeftOut: max(0, len(r.Results)-maxRuns)}
	for i, result := range r.Results[:min(len(r.Results), maxRuns)] {
		run, err := viewRun(&r.Head.Scenario, result)
		if err != nil {
			return v, err
		}
		if result.Phase == "together" && i > 0 {
			run.Isolation = loadtest.Isolations(r.Results[i-1], result)
		}
		v.Runs = append(v.Runs, run)
	}
	return v, nil
}

func viewRun(s *loadtest.Scenario, r *loadtest.Result) (runView, error) {
	v := runView{Result: r, Title: fmt.Sprintf("Run %d", r.Repeat)}
	if r.Phase != "" {
		v.Title += ": victims " + r.Phase
	}
	spectrum, err := spectrum(r)
	if err != nil {
		return v, err
	}
	for _, p := range []plot{latencies(r, classIndices(s, r)), resources(r), rates(r), spectrum} {
		v.Diagrams = append(v.Diagrams, p.svg())
	}
	for i := range r.Classes {
		c := &r.Classes[i]
		if len(c.Heat.Tenants) > 1 {
			v.Diagrams = append(v.Diagrams, heatMap(c))
		}
		if len(c.Isolates) > 0 {
			p, err := isolates(c)
			if err != nil {
				return v, err
			}
			v.Diagrams = append(v.Diagrams, p.svg())
		}
	}
	return v, nil
}

// classIndices are the scenario's numbers of a run's classes: windows have all of them.
func classIndices(s *loadtest.Scenario, r *loadtest.Result) []int {
	var out []int
	for i := range r.Classes {
		for n := range s.Classes {
			if s.Classes[n].Name == r.Classes[i].Name {
				out = append(out, n)
			}
		}
	}
	return out
}
