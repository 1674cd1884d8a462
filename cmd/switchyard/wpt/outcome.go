package wpt

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Result is what became of one sub-test.
type Result struct {
	Name    string
	Message string // why it failed
	Passed  bool
}

// Outcome is what became of one script.
type Outcome struct {
	Script  Script
	Error   string   // why there may be sub-tests missing: a timeout, an exception outside of a test
	Results []Result // each name once
}

// Failed is the outcome of a script whose Worker could not be deployed or asked.
func Failed(s Script, err error) Outcome { return Outcome{Script: s, Error: err.Error()} }

// Parse reads the answer of s' Worker. The bar knows names up to their first NUL; of sub-tests with one name all must pass.
func Parse(s Script, body []byte) (Outcome, error) {
	var answer struct {
		Error   *string
		Results [][3]any
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Outcome{}, fmt.Errorf("%s: %w", s.Key, err)
	}
	o := Outcome{Script: s}
	if answer.Error != nil {
		o.Error = *answer.Error
	}
	index := map[string]int{}
	for _, r := range answer.Results {
		name, _, _ := strings.Cut(fmt.Sprint(r[1]), "\x00")
		result := Result{Name: name, Passed: r[0] == 0.0}
		if r[2] != nil {
			result.Message = fmt.Sprint(r[2])
		}
		if i, seen := index[result.Name]; !seen {
			index[result.Name] = len(o.Results)
			o.Results = append(o.Results, result)
		} else if o.Results[i].Passed {
			o.Results[i] = result
		}
	}
	return o, nil
}

// byName finds results by their names.
func (o Outcome) byName() map[string]Result {
	m := make(map[string]Result, len(o.Results))
	for _, r := range o.Results {
		m[r.Name] = r
	}
	return m
}

// absent tells whether a sub-test that did not run is one that this release of the tests does not have.
func (o Outcome) absent() bool { return !o.Script.Measured && o.Error == "" }

// why says why a sub-test was not passed.
func (o Outcome) why(r Result, ran bool) string {
	switch {
	case ran:
		return r.Message
	case o.Error != "":
		return "did not end: " + o.Error
	}
	return "the script ended without it"
}
