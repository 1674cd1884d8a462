package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	"switchyard/loadtest"
	"switchyard/loadtest/capacity"
)

func planCommand(_ context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("plan", flag.ContinueOnError)
	profile := fs.String("profile", "", "`FILE` that loadtest profile wrote")
	forecast := fs.String("forecast", "", "`FILE` in YAML or JSON: what is to come")
	seed := fs.Uint64("seed", 1, "of the bootstrap")
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	p, err := capacity.ReadProfile(*profile)
	if err != nil {
		return 0, mistake{err}
	}
	f, err := capacity.ReadForecast(*forecast)
	if err != nil {
		return 0, mistake{err}
	}
	plan, err := capacity.NewPlan(p, f, *seed)
	if err != nil {
		return 0, mistake{err}
	}
	if *asJSON {
		return exitOK, json.NewEncoder(os.Stdout).Encode(plan)
	}
	plan.Print(os.Stdout)
	return exitOK, nil
}

// measureFlags are those of profile and validate.
func measureFlags(fs *flag.FlagSet, m *capacity.MeasureOptions) {
	fs.Float64Var(&m.Cores, "cores", 0, "that the server can use (default: all of this machine, or as many as --cpus has)")
	fs.DurationVar(&m.Run, "run", 0, "each run (default 3s)")
	fs.IntVar(&m.Runs, "runs", 0, "at each load (default 2)")
	fs.IntVar(&m.Tenants, "in-memory", 0, "tenants that are brought into memory (default 200)")
	m.Log = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
}

func profileCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("profile", flag.ContinueOnError)
	var t target
	var m capacity.MeasureOptions
	t.register(fs)
	measureFlags(fs, &m)
	fs.Float64Var(&m.Load, "load", 0, "highest share of the highest throughput that is measured (default 0.6)")
	out := fs.String("out", "profile.json", "`FILE`")
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	var err error
	if t.kinds == "" {
		t.kinds = "js-hello,wasm-hello,json:25"
	}
	if m.Kinds, err = parseKinds(t.kinds); err != nil {
		return 0, err
	}
	m.SLO, m.Cores = t.slo, t.cores(m.Cores)
	t.noSetup = true // Measure makes its own tenants
	u, err := t.prepare(ctx)
	if err != nil {
		return 0, err
	}
	defer u.close()
	p, err := capacity.Measure(ctx, u.scenario.Target, u.options, m)
	if err != nil {
		return 0, err
	}
	return exitOK, p.WriteFile(*out)
}

// cores are those that were given, or that the server is kept to, or all.
func (t *target) cores(given float64) float64 {
	if given > 0 {
		return given
	}
	n := 0
	for part := range strings.SplitSeq(t.cpus, ",") {
		var from, to int
		if k, _ := fmt.Sscanf(part, "%d-%d", &from, &to); k == 2 {
			n += max(0, to-from+1)
		} else if k == 1 {
			n++
		}
	}
	if n > 0 {
		return float64(n)
	}
	return float64(runtime.NumCPU())
}

func validateCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("validate", flag.ContinueOnError)
	var t target
	var m capacity.MeasureOptions
	t.register(fs)
	measureFlags(fs, &m)
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	if t.serve == "" {
		return 0, mistake{errors.New("validate: it starts its own servers: --serve BINARY")}
	}
	m.Cores = t.cores(m.Cores)
	predictions, err := capacity.Validate(ctx, t.launch, m)
	if err != nil {
		return 0, err
	}
	status := exitOK
	for _, p := range predictions {
		p.Print(os.Stdout)
		if e := p.Error(); e > p.Allowed || e < -p.Allowed {
			status = exitBroken
		}
	}
	return status, nil
}

// launch starts one more server.
func (t *target) launch(ctx context.Context, warmMB int) (string, loadtest.Options, func(), error) {
	another := *t
	another.warmMB, another.noSetup = warmMB, true
	u, err := another.prepare(ctx)
	if err != nil {
		return "", loadtest.Options{}, nil, err
	}
	return u.scenario.Target, u.options, u.close, nil
}
