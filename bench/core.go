package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// coreRow is a figure of the isolate core, which a Go benchmark beside the code measures, and what it
// should be at most.
type coreRow struct {
	what, benchmark, unit string
	most                  float64 // of unit; 0: no target
}

var coreRows = []coreRow{
	{"take an idle isolate and put it back", "Acquire/alone", "ns/op", 0},
	{"call of the wasm hello, warm", "WasmHello/reuse", "ns/op", 0},
	{"the same, reset afterwards", "WasmHello/request", "ns/op", 0},
	{"reset, 0 dirty pages", "Reset/pagemap_scan/0", "ns/op", 0},
	{"reset, 4 dirty pages", "Reset/pagemap_scan/4", "ns/op", 2000},
	{"reset, 16 dirty pages", "Reset/pagemap_scan/16", "ns/op", 4000},
	{"reset, 64 dirty pages", "Reset/pagemap_scan/64", "ns/op", 0},
	{"re-skin, 30 differing pages, 33 dirty ones", "Become/30/whole=false", "ns/op", 15_000},
	{"clone and close, QuickJS", "Clone/js", "ns/op", 60_000},
	{"clone and close, Go reactor", "Clone/go", "ns/op", 300_000},
	{"one of 10,000 warm tiny isolates, anonymous memory", "Density", "anon-KiB/isolate", 32},
	{"of Go's heap", "Density", "heap-KiB/isolate", 32},
}

const coreBenchmarks = "^BenchmarkAcquire$/^alone$|^BenchmarkDensity$|^BenchmarkWasmHello$/^(reuse|request)$|" +
	"^BenchmarkReset$/^pagemap_scan$/^(0|4|16|64)$|^BenchmarkBecome$/^30$/^whole=false$|^BenchmarkClone$/^(js|go)$"

// studyCore runs the Go benchmarks of the isolate core: measured beside target.
func studyCore(*options, string) ([]row, error) {
	out, err := run("test", "./isolate", "-run", "^$", "-bench", coreBenchmarks, "-benchtime", "200ms")
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, c := range coreRows {
		v, ok := figureOf(out, c.benchmark, c.unit)
		if !ok {
			return nil, fmt.Errorf("go test -bench printed no %s of Benchmark%s", c.unit, c.benchmark)
		}
		r := row{Scenario: "core", Case: c.what, Peer: product, Note: c.unit, Rounds: 1}
		r.figure("measured", v)
		if c.most > 0 {
			r.figure("at most", c.most)
			r.figure("of that", v/c.most)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func run(args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return out, nil
}

// figureOf finds a figure in what go test -bench printed: name-PROCS, runs, then pairs of value and unit.
func figureOf(out []byte, name, unit string) (v float64, ok bool) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || f[0] != "Benchmark"+name && !strings.HasPrefix(f[0], "Benchmark"+name+"-") {
			continue
		}
		for i := 2; i+1 < len(f); i += 2 {
			if f[i+1] == unit {
				_, err := fmt.Sscan(f[i], &v)
				return v, err == nil
			}
		}
	}
	return 0, false
}
