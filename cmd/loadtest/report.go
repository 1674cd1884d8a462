package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"switchyard/loadtest"
	"switchyard/loadtest/report"
)

func reportCommand(_ context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	out := fs.String("out", "report.html", "the page's `FILE`")
	title := fs.String("title", "Load test", "of the page")
	if err := parse(fs, args, 20); err != nil {
		return 0, err
	}
	if fs.NArg() == 0 {
		return 0, mistake{errors.New("report: which records? Flags come first")}
	}
	var records []*loadtest.Record
	for _, name := range fs.Args() {
		r, err := loadtest.ReadRecordFile(name)
		if err != nil {
			return 0, mistake{err}
		}
		records = append(records, r)
	}
	f, err := os.Create(*out)
	if err != nil {
		return 0, err
	}
	return exitOK, errors.Join(report.Write(f, *title, records...), f.Close())
}
