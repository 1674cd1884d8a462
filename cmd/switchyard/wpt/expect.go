package wpt

import (
	"bufio"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Expectations are the must-pass sub-tests that we fail, each for a reason.
//
//	# why these fail
//	script-key "name of a sub-test"
//	script-key *                     all of the script
//	script* "begins like this"*      a star at the end of either matches any ending
type Expectations []expectation

type expectation struct {
	script, name pattern
}

// pattern is a text, or the beginning of one.
type pattern struct {
	text   string
	prefix bool
}

func (p pattern) matches(s string) bool {
	if p.prefix {
		return strings.HasPrefix(s, p.text)
	}
	return s == p.text
}

//go:embed expectations.txt
var expectationsFile string

// ReadExpectations reads the list that is part of this package.
func ReadExpectations() (Expectations, error) { return parseExpectations(expectationsFile) }

func parseExpectations(text string) (all Expectations, err error) {
	reason := false
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		switch line := strings.TrimSpace(lines.Text()); {
		case line == "":
			reason = false
		case line[0] == '#':
			reason = len(line) > 1
		case !reason:
			return nil, fmt.Errorf("expectations, line %d: no reason above it", n)
		default:
			e, err := parseExpectation(line)
			if err != nil {
				return nil, fmt.Errorf("expectations, line %d: %w", n, err)
			}
			all = append(all, e)
		}
	}
	return all, lines.Err()
}

func parseExpectation(line string) (e expectation, err error) {
	script, name, ok := strings.Cut(line, " ")
	if !ok {
		return e, fmt.Errorf("%q names no sub-test", line)
	}
	e.script.text, e.script.prefix = strings.CutSuffix(script, "*")
	name, e.name.prefix = strings.CutSuffix(name, "*")
	if name != "" {
		e.name.text, err = strconv.Unquote(name)
	} else if !e.name.prefix {
		return e, fmt.Errorf("%q names no sub-test", line)
	}
	if err != nil {
		err = fmt.Errorf("%s is no quoted name: %w", name, err)
	}
	return e, err
}

// expect tells whether a sub-test of script is listed.
func (all Expectations) expect(script, name string) bool {
	return slices.ContainsFunc(all, func(e expectation) bool {
		return e.script.matches(script) && e.name.matches(name)
	})
}

// Surprise is a must-pass sub-test that did what the expectations do not say.
type Surprise struct {
	Name    string
	Message string // of the failure; empty for a pass
}

// Surprises are those of one script, in the order of their names.
type Surprises struct {
	Script           string
	Failures, Passes []Surprise
}

// Compare finds the failures that are not expected and the passes that are, among the must-pass sub-tests of o.
func (all Expectations) Compare(bar Bar, o Outcome) Surprises {
	results, s := o.byName(), Surprises{Script: o.Script.Key}
	for name, who := range bar[s.Script] {
		if who != Both {
			continue
		}
		r, ran := results[name]
		switch expected := all.expect(s.Script, name); {
		case r.Passed && expected:
			s.Passes = append(s.Passes, Surprise{Name: name})
		case !r.Passed && !expected && (ran || !o.absent()):
			s.Failures = append(s.Failures, Surprise{name, o.why(r, ran)})
		}
	}
	byName := func(a, b Surprise) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(s.Failures, byName)
	slices.SortFunc(s.Passes, byName)
	return s
}

// Unmeasured is what failed of a script that the bar does not have.
func Unmeasured(o Outcome) Surprises {
	s := Surprises{Script: o.Script.Key}
	for _, r := range o.Results {
		if !r.Passed {
			s.Failures = append(s.Failures, Surprise{r.Name, r.Message})
		}
	}
	return s
}

// Format is the surprises as lines of the expectations, the first few or all of them.
func (s Surprises) Format(first int) string {
	var b strings.Builder
	list := func(what string, of []Surprise) {
		if len(of) > 0 {
			fmt.Fprintf(&b, "%d %s:\n", len(of), what)
		}
		for _, one := range of[:min(first, len(of))] {
			fmt.Fprintf(&b, "  %s %q\n", s.Script, one.Name)
			if one.Message != "" {
				fmt.Fprintf(&b, "      %.300q\n", one.Message)
			}
		}
	}
	list("failures that are not expected", s.Failures)
	list("passes that are not: take them off the expectations", s.Passes)
	return b.String()
}
