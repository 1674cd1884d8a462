package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

// meterTargets are how much slower a rewritten guest may be.
var meterTargets = []struct {
	benchmark, what string
	median, worst   float64 // 0: no target
}{
	{"MeteringQuickJS", "QuickJS, 20 rows", 1.07, 1.12},
	{"MeteringGo", "a Go guest", 1.05, 0},
	{"MeteringKernels", "tight loops", 0, 1.20},
}

// studyMeter runs the Go benchmarks that call original and rewritten module in turn: every figure is the
// second's time over the first's.
func studyMeter(*options, string) ([]row, error) {
	out, err := run("test", "./isolate/wasm/wasmtest", "-run", "^$", "-bench", "^BenchmarkMetering", "-benchtime", "3x")
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, t := range meterTargets {
		r := row{Scenario: "meter", Case: t.what, Peer: product, Rounds: 1}
		for _, f := range metricsOf(out, t.benchmark) {
			r.figure(f.name, f.value)
		}
		if len(r.Figures) == 0 {
			return nil, fmt.Errorf("go test -bench printed nothing of Benchmark%s", t.benchmark)
		}
		if t.median > 0 {
			r.figure("median at most", t.median)
		}
		if t.worst > 0 {
			r.figure("worst at most", t.worst)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

type metric struct {
	name  string
	value float64
}

// metricsOf are all that a benchmark reported, but its time.
func metricsOf(out []byte, name string) (all []metric) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || f[0] != "Benchmark"+name && !strings.HasPrefix(f[0], "Benchmark"+name+"-") {
			continue
		}
		for i := 2; i+1 < len(f); i += 2 {
			var v float64
			if _, err := fmt.Sscan(f[i], &v); err == nil && f[i+1] != "ns/op" {
				all = append(all, metric{f[i+1], v})
			}
		}
	}
	return all
}
