// Command bench measures Switchyard beside its peers, in one run on one machine:
//
//	go run ./bench -list
//	go run ./bench -run wasm-hello,js-hello -json rows.ndjson
//
// The first figure of a row is the one to trust: CPU time of the server's processes, user and
// system, per request. README.md says how it is measured.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// options are the command line.
type options struct {
	list    bool
	run     []string
	json    string
	results string
	profile string
	rounds  int
	seconds time.Duration
	conns   int
	rate    int
	tenants int
}

func main() {
	if len(os.Args) > 1 {
		if serve := ownServers[os.Args[1]]; serve != nil {
			serve()
			return
		}
	}
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse() (options, error) {
	var o options
	run := flag.String("run", strings.Join(scenarioNames(), ","), "scenarios, separated by commas")
	flag.BoolVar(&o.list, "list", false, "print the scenarios and measure nothing")
	flag.StringVar(&o.json, "json", "", "also write one JSON object a row to `FILE`")
	flag.StringVar(&o.results, "results", "", "also write the report in Markdown to `FILE`")
	flag.StringVar(&o.profile, "profile", "", "also write CPU profiles of Switchyard to `FOLDER`, by perf(1)")
	flag.IntVar(&o.rounds, "rounds", 15, "measured rounds of each scenario; the median is printed")
	flag.IntVar(&o.rounds, "n", 15, "short for -rounds")
	flag.DurationVar(&o.seconds, "time", time.Second, "length of a round, of each of its two halves")
	flag.IntVar(&o.conns, "conns", 64, "keep-alive connections, each with one request at a time")
	flag.IntVar(&o.rate, "rate", 20000, "requests per second of the paced half, or less: half of what the slowest can; 0 leaves it out")
	flag.IntVar(&o.tenants, "tenants", 10_000, "most tenants of density, tenants and cold")
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if o.rounds < 1 || o.conns < 1 || o.seconds <= 0 || o.rate < 0 || o.tenants < 100 {
		return o, errors.New("-rounds, -time and -conns must be positive, -rate not negative, -tenants at least 100")
	}
	o.run = strings.Split(*run, ",")
	return o, nil
}

func bench() error {
	o, err := parse()
	if err != nil {
		return err
	}
	if o.list {
		printScenarios(os.Stdout)
		return nil
	}
	chosen, err := choose(o.run)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "switchyard-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var all []answers
	for i := range chosen {
		s := &chosen[i]
		fmt.Fprintf(os.Stderr, "%s: %s\n", s.name, s.what)
		rows, err := s.answer(&o, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		a := answers{s, rows}
		a.print(os.Stdout)
		all = append(all, a)
		if err := save(&o, all); err != nil { // after each: a long run that breaks off has said what it knew
			return err
		}
	}
	return nil
}

func save(o *options, all []answers) error {
	if o.json != "" {
		if err := writeJSON(o.json, all); err != nil {
			return err
		}
	}
	if o.results != "" {
		return writeResults(o, all)
	}
	return nil
}

// choose returns the scenarios of these names, each once, in the order asked for.
func choose(names []string) ([]scenario, error) {
	var chosen []scenario
	for _, name := range names {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-run: no scenario %q, there are %s", name, strings.Join(scenarioNames(), ", "))
		}
		chosen = append(chosen, scenarios[i])
	}
	return chosen, nil
}
