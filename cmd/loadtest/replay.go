package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"switchyard/loadtest"
)

func replayCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("replay", flag.ContinueOnError)
	var t target
	var o loadtest.TraceOptions
	t.register(fs)
	file := fs.String("trace", "", "`FILE`, CSV: Azure Functions 2019 (invocations_per_function) or 2021")
	fs.Float64Var(&o.Speed, "speed", 0, "of the trace's time: 60 sends a minute in a second (default 1)")
	fs.Float64Var(&o.Scale, "scale", 0, "share of the requests that are sent (default 1)")
	fs.DurationVar(&o.From, "from", 0, "beginning of the trace that is left out")
	fs.StringVar(&o.Trigger, "trigger", "", "2019: only functions with this trigger, e.g. http")
	fs.Float64Var(&o.CPUScale, "cpu-scale", 0, "2021: Workers compute so many ms per ms that the function took (default: the kinds are --kinds)")
	fs.IntVar(&o.Most, "most", 0, "requests that are read (default 1,000,000)")
	out := fs.String("out", "", "write the raw data to this `FILE`, NDJSON")
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	trace, err := readTrace(*file, o)
	if err != nil {
		return 0, mistake{err}
	}
	fmt.Fprintf(os.Stderr, "%d requests to %d functions\n", len(trace.Arrivals), trace.Functions)
	t.trace = trace
	u, err := t.prepare(ctx)
	if err != nil {
		return 0, err
	}
	defer u.close()
	record := &loadtest.Record{Head: loadtest.NewHead(u.scenario, u.version)}
	if record.Results, err = loadtest.Run(ctx, u.scenario, u.options); err != nil {
		return 0, err
	}
	return finish(record, *out)
}

func readTrace(file string, o loadtest.TraceOptions) (*loadtest.Trace, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	defer f.Close()
	return loadtest.ReadTrace(f, o)
}
