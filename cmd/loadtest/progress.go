package main

import (
	"fmt"
	"os"

	"switchyard/loadtest"
)

// onTerminal reports whether a person watches standard error.
func onTerminal() bool {
	info, err := os.Stderr.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress keeps one line of a terminal up to date; nil elsewhere.
func progress() func(loadtest.Progress) {
	if !onTerminal() {
		return nil
	}
	return func(p loadtest.Progress) {
		answered, bad, worst := int64(0), int64(0), 0.0
		for i := range p.Window.Classes {
			c := &p.Window.Classes[i]
			answered += c.Outcomes.Total()
			bad += c.Outcomes.Bad() + c.Dropped
			worst = max(worst, c.Response.P99)
		}
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s %d/%d s  %d answers/s  p99 %.1f ms  %d errors  %d under way", p.Phase, p.Window.Second+1, p.Total, answered, worst/1000, bad, p.Window.Flying)
		if p.Window.Second+1 >= p.Total {
			fmt.Fprint(os.Stderr, "\r\x1b[K")
		}
	}
}

func setupProgress() func(done, total int) {
	if !onTerminal() {
		return nil
	}
	return func(done, total int) {
		fmt.Fprintf(os.Stderr, "\r\x1b[Ksetting up tenant %d of %d", done, total)
		if done == total {
			fmt.Fprint(os.Stderr, "\r\x1b[K")
		}
	}
}
