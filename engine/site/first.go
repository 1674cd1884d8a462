package site

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	maxFirstRules = 100
	maxFirstRule  = 100 // bytes
)

// workerFirst says which requests are the Worker's even where there is a file: all of them, or
// those of some paths.
type workerFirst struct {
	all    bool
	ruled  bool     // there are rules; the paths of none are for the files, the not-found handling included
	files  []string // from "!/…": the files' before all else
	worker []string // from "/…"
}

// parseWorkerFirst reads true, false or a list of rules. "true" and "false" come as text from
// clients that send forms.
func parseWorkerFirst(doc json.RawMessage) (w workerFirst, err error) {
	const field = "config.run_worker_first"
	switch text := strings.Trim(string(doc), ` "`); text {
	case "", "null", "false":
		return w, nil
	case "true":
		return workerFirst{all: true}, nil
	}
	var rules []string
	if err := json.Unmarshal(doc, &rules); err != nil {
		return w, refuse(field, "is neither a boolean nor a list of paths")
	}
	if len(rules) == 0 || len(rules) > maxFirstRules {
		return w, refuse(field, "has %d rules, 1 to %d are allowed", len(rules), maxFirstRules)
	}
	w.ruled = true
	for i, rule := range rules {
		at := fmt.Sprintf("%s[%d]", field, i)
		path, negative := strings.CutPrefix(rule, "!")
		switch {
		case len(rule) > maxFirstRule:
			return w, refuse(at, "is longer than %d bytes", maxFirstRule)
		case !strings.HasPrefix(path, "/"):
			return w, refuse(at, "%q begins with neither / nor !/", rule)
		case negative:
			w.files = append(w.files, path)
		default:
			w.worker = append(w.worker, path)
		}
	}
	if len(w.worker) == 0 {
		return w, refuse(field, "has only rules that begin with !: at least one must name what the Worker sees first")
	}
	return w, nil
}

func matchesAny(globs []string, path string) bool {
	for _, g := range globs {
		if glob(g, path) {
			return true
		}
	}
	return false
}

// glob reports whether path is pattern with each * standing for any bytes. It never looks back
// before the last * it passed, so that its time is at most that of len(pattern)·len(path) steps.
func glob(pattern, path string) bool {
	star, resume := -1, 0
	p, s := 0, 0
	for s < len(path) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, s
			p++
		case p < len(pattern) && pattern[p] == path[s]:
			p, s = p+1, s+1
		case star >= 0:
			resume++
			p, s = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
