// Command bench measures Switchyard beside its peers, in one run on one machine:
//
//	go run ./bench -run fasthttp-plain,wasm-hello,js-hello,js-dispatch
//
// The first figure of a row is the one to trust: CPU time of the server process, user and
// system, per request. README.md says how it is measured.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
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
	rounds  int
	seconds time.Duration
	conns   int
	rate    int
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == plainServerArg {
		servePlain()
		return
	}
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse() (options, error) {
	var o options
	run := flag.String("run", strings.Join(scenarioNames(), ","), "scenarios, separated by commas; or core")
	flag.BoolVar(&o.list, "list", false, "print the scenarios and measure nothing")
	flag.StringVar(&o.json, "json", "", "also write one JSON object a row to `FILE`")
	flag.IntVar(&o.rounds, "rounds", 5, "measured rounds of each scenario; the median is printed")
	flag.IntVar(&o.rounds, "n", 5, "short for -rounds")
	flag.DurationVar(&o.seconds, "time", 3*time.Second, "length of a round, of each of its two halves")
	flag.IntVar(&o.conns, "conns", 64, "keep-alive connections, each with one request at a time")
	flag.IntVar(&o.rate, "rate", 20000, "requests per second of the paced half; 0 leaves it out")
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if o.rounds < 1 || o.conns < 1 || o.seconds <= 0 || o.rate < 0 {
		return o, errors.New("-rounds, -time and -conns must be positive, -rate not negative")
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
	if slices.Equal(o.run, []string{"core"}) {
		return benchCore(os.Stdout)
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
	running, err := startAll(chosen, dir)
	defer stopAll(running)
	if err != nil {
		return err
	}
	rows, err := measure(running, o)
	if err != nil {
		return err
	}
	printTable(os.Stdout, rows, o.rate)
	if o.json == "" {
		return nil
	}
	return writeJSON(o.json, rows)
}

// measure runs warm-up and rounds. Every round goes through all scenarios, in an order of its
// own, so that a slow minute of the machine or a neighbour in the order favours none.
func measure(running []*target, o options) ([]row, error) {
	rounds := make([][]round, len(running))
	for n := -1; n < o.rounds; n++ {
		for _, i := range rand.Perm(len(running)) {
			t := running[i]
			r, err := t.round(o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.scenario.name, err)
			}
			if n >= 0 { // the first one warms up
				rounds[i] = append(rounds[i], r)
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", n+1, o.rounds)
	}
	rows := make([]row, len(running))
	for i, t := range running {
		rows[i] = summarise(t, rounds[i])
	}
	addRatios(rows, rounds)
	return rows, nil
}

func writeJSON(file string, rows []row) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}
