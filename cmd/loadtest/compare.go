package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"switchyard/loadtest"
)

func compareCommand(_ context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("compare", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprintln(fs.Output(), "usage: loadtest compare A.ndjson B.ndjson\nexit status 1 when B is slower, with p < 0.05 and an interval above 1")
	}
	if err := parse(fs, args, 2); err != nil {
		return 0, err
	}
	if fs.NArg() != 2 {
		return 0, mistake{errors.New("compare: two records, please")}
	}
	var records [2]*loadtest.Record
	for i := range records {
		var err error
		if records[i], err = loadtest.ReadRecordFile(fs.Arg(i)); err != nil {
			return 0, mistake{err}
		}
		warnInvalid(fs.Arg(i), records[i])
	}
	comparisons, err := loadtest.Compare(records[0], records[1])
	if err != nil {
		return 0, mistake{err}
	}
	status := exitOK
	for _, c := range comparisons {
		c.Print(os.Stdout)
		if c.Verdict() == "B is higher" {
			status = exitBroken
		}
		if c.Units == "seconds" && c.Figure == "mean" {
			fmt.Println("  seconds of a run follow from one another: use --repeats 5 or more for intervals to rely on")
		}
	}
	return status, nil
}

func warnInvalid(name string, r *loadtest.Record) {
	for _, result := range r.Results {
		if len(result.Invalid) > 0 {
			fmt.Fprintf(os.Stderr, "loadtest: %s holds INVALID runs: %s\n", name, result.Invalid[0])
			return
		}
	}
}
