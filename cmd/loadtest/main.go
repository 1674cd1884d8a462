// Command loadtest puts load on a running platform and reports latencies that a user would see:
//
//	loadtest -target http://127.0.0.1:8787 -host customer-%d.example.com -tenants 100 -skew 1 -rate 2000 -poisson -slo 'p99<50ms,errors<0.1%'
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"switchyard/loadtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx))
}

// run returns the exit status: 0, 1 when the run failed or broke an objective, 2 for a mistake
// in the command line.
func run(ctx context.Context) int {
	var p loadtest.Plan
	flag.StringVar(&p.Target, "target", "", "base `URL` that is connected to")
	flag.StringVar(&p.Host, "host", "", "Host header; %d in it is the tenant's number")
	flag.StringVar(&p.Path, "path", "/", "path to ask for")
	flag.IntVar(&p.Tenants, "tenants", 1, "number of tenants")
	flag.Float64Var(&p.Skew, "skew", 0, "of popularity: tenant k is asked as often as 1/k^skew")
	flag.Float64Var(&p.Rate, "rate", 0, "requests per second")
	flag.DurationVar(&p.Duration, "duration", 0, "measured time (default 10s)")
	flag.DurationVar(&p.Warmup, "warmup", 0, "time before it (default 1s)")
	flag.BoolVar(&p.Poisson, "poisson", false, "independent arrivals instead of evenly spaced ones")
	flag.IntVar(&p.InFlight, "in-flight", 0, "requests without an answer at once (default 1000)")
	flag.DurationVar(&p.Timeout, "timeout", 0, "of one request (default 10s)")
	flag.Uint64Var(&p.Seed, "seed", 0, "of arrivals and tenants (default 1)")
	objectives := flag.String("slo", "", "objectives, e.g. p99<50ms,errors<0.1%")
	file := flag.String("json", "", "also write the result to `FILE`")
	flag.Parse()
	var slo loadtest.SLO
	if *objectives != "" {
		var err error
		if slo, err = loadtest.ParseSLO(*objectives); err != nil {
			return complain(2, err)
		}
	}
	result, err := loadtest.Run(ctx, p)
	if err != nil {
		return complain(2, err)
	}
	result.Print(os.Stdout)
	if *file != "" {
		doc, err := json.MarshalIndent(result, "", "  ")
		if err == nil {
			err = os.WriteFile(*file, append(doc, '\n'), 0o644)
		}
		if err != nil {
			return complain(1, err)
		}
	}
	broken := slo.Broken(result)
	for _, b := range broken {
		fmt.Println("SLO broken:", b)
	}
	if len(broken) > 0 || result.Invalid != "" {
		return 1
	}
	return 0
}

func complain(status int, err error) int {
	fmt.Fprintln(os.Stderr, "loadtest:", err)
	return status
}
