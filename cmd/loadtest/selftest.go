package main

import (
	"context"
	"flag"
	"fmt"

	"switchyard/loadtest"
)

func selftestCommand(ctx context.Context, args []string) (int, error) {
	fs := flag.NewFlagSet("selftest", flag.ContinueOnError)
	quick := fs.Bool("quick", false, "leave out what needs a quiet machine")
	var o loadtest.Options
	fs.BoolVar(&o.RealTime, "realtime", false, "schedule the generator before everything else, for a machine with other work (needs the right to)")
	if err := parse(fs, args, 0); err != nil {
		return 0, err
	}
	status := exitOK
	for _, c := range loadtest.Checks() {
		if *quick && c.Timed {
			continue
		}
		detail, err := c.Run(ctx, o)
		if err != nil {
			status = exitBroken
			fmt.Printf("FAIL  %s: %v\n", c.Name, err)
			continue
		}
		fmt.Printf("ok    %s: %s\n", c.Name, detail)
	}
	return status, nil
}
