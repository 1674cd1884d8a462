package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"switchyard/loadtest"
)

func runCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	var t target
	t.register(fs)
	out := fs.String("out", "", "write the raw data to this `FILE`, NDJSON; - is standard output")
	repeats := fs.Int("repeats", 1, "run it all so many times, 100 at most")
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	if *repeats < 1 || *repeats > 100 {
		return 0, mistake{fmt.Errorf("--repeats: %d is not from 1 to 100", *repeats)}
	}
	u, err := t.prepare(ctx)
	if err != nil {
		return 0, err
	}
	defer u.close()
	u.options.Repeats = *repeats
	record := &loadtest.Record{Head: loadtest.NewHead(u.scenario, u.version)}
	record.Results, err = loadtest.Run(ctx, u.scenario, u.options)
	if err != nil {
		return 0, err
	}
	return finish(record, *out)
}

// finish prints and writes what was measured. The exit status is the verdict.
func finish(record *loadtest.Record, out string) (int, error) {
	human := os.Stdout
	if out == "-" {
		human = os.Stderr
	}
	status := exitOK
	for i, r := range record.Results {
		if i > 0 {
			fmt.Fprintln(human)
		}
		r.Print(human)
		if r.Phase == "together" && i > 0 {
			for _, isolation := range loadtest.Isolations(record.Results[i-1], r) {
				isolation.Print(human)
			}
		}
		if r.Failed() {
			status = exitBroken
		}
	}
	if out != "" {
		return status, record.WriteFile(out)
	}
	return status, nil
}

func setupCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("setup", flag.ContinueOnError)
	var t target
	t.register(fs)
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	if t.control == "" {
		return 0, mistake{fmt.Errorf("--control: where shall the tenants be set up?")}
	}
	_, err := t.prepare(ctx)
	return exitOK, err
}

func cleanupCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("cleanup", flag.ContinueOnError)
	var t target
	t.register(fs)
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	p, err := loadtest.NewPlatform(t.control, t.token, t.allowRemote)
	if err != nil {
		return 0, mistake{err}
	}
	override(&p.Account, t.account)
	override(&p.Namespace, t.namespace)
	return exitOK, p.Cleanup(ctx)
}

func kindsCommand(_ context.Context, args []string) (int, error) {
	if err := parse(flag.NewFlagSet("kinds", flag.ContinueOnError), args, 0); err != nil {
		return 0, err
	}
	fmt.Print(loadtest.KindTable())
	return exitOK, nil
}

func originCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("origin", flag.ContinueOnError)
	var o loadtest.Origin
	listen := fs.String("listen", "127.0.0.1:0", "`ADDR`")
	fs.StringVar(&o.Latency, "latency", "", "constant, exponential or lognormal (the default)")
	fs.DurationVar(&o.Median, "median", 0, "(default 10ms)")
	fs.Float64Var(&o.Sigma, "sigma", 0, "of the lognormal (default 0.5)")
	fs.Float64Var(&o.Errors, "errors", 0, "share of answers that are a 500")
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	return exitOK, loadtest.ServeOrigin(ctx, o, *listen, func(addr string) { fmt.Println("origin: http://" + addr) })
}
