package main

import (
	"context"
	"flag"
	"fmt"

	"switchyard/loadtest"
)

func findCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("find", flag.ContinueOnError)
	var t target
	t.register(fs)
	search := loadtest.Search{}
	fs.Float64Var(&search.Start, "start", 0, "requests per second to begin with (default: the scenario's)")
	fs.Float64Var(&search.Most, "most", 0, "requests per second to end with (default 1,000,000)")
	fs.DurationVar(&search.Probe, "probe", 0, "one run; up to 10 times longer where a p99 needs more answers (default 30s)")
	fs.Float64Var(&search.Precision, "precision", 0, "of the answer (default 0.03)")
	fs.IntVar(&search.Confirm, "confirm", 0, "runs at the answer (default 3)")
	out := fs.String("out", "", "write the probes' raw data to this `FILE`, NDJSON")
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	u, err := t.prepare(ctx)
	if err != nil {
		return 0, err
	}
	defer u.close()
	record := &loadtest.Record{Head: loadtest.NewHead(u.scenario, u.version)}
	search.Probed = func(p loadtest.Probe) {
		record.Results = append(record.Results, p.Result)
		printProbe(p)
	}
	found, err := loadtest.Find(ctx, u.scenario, u.options, search)
	if found == nil {
		return 0, mistake{err}
	}
	if err != nil {
		return 0, err
	}
	if *out != "" {
		if err := record.WriteFile(*out); err != nil {
			return 0, err
		}
	}
	return printFound(found), nil
}

func printProbe(p loadtest.Probe) {
	verdict := "kept"
	if !p.Good {
		verdict = p.Why
	}
	c := &p.Result.Classes[0]
	server := ""
	if p.Result.Server != nil {
		server = fmt.Sprintf("  server %.2f cores", p.Result.Server.Cores)
	}
	fmt.Printf("%8.0f/s  answered %8.0f/s  p50 %7.0f µs  p99 %8.0f µs%s  %s\n", p.Rate, p.Result.Rate, c.Response.P50, c.Response.P99, server, verdict)
}

func printFound(f *loadtest.Found) int {
	if f.Limit != "" {
		fmt.Printf("not the server's limit: %s\nlast good %.0f/s\n", f.Limit, f.LastGood)
		return exitBroken
	}
	if f.LastGood < 1 {
		fmt.Println("no rate keeps the objectives")
		return exitBroken
	}
	fmt.Printf("throughput at the objectives: %.0f requests/s (first bad %.0f/s)\n", f.LastGood, f.FirstBad)
	return exitOK
}
