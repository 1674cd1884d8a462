// Command loadtest puts load on a Switchyard as its users would, searches what it can carry, and
// plans machines. loadtest/README.md has a worked example.
//
//	loadtest run --serve ./bin/switchyard
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"switchyard/loadtest"
)

// Exit statuses.
const (
	exitOK      = 0
	exitBroken  = 1 // an objective was not kept, the figures are invalid, tenants were mixed up, or the command failed
	exitMistake = 2 // in the command line or a file
)

var commands = []struct {
	name, does string
	run        func(ctx context.Context, args []string) (int, error)
}{
	{"run", "send a scenario's load and report it", runCommand},
	{"find", "the highest rate that keeps the objectives", findCommand},
	{"replay", "send a trace: Azure Functions 2019 or 2021", replayCommand},
	{"profile", "measure what a machine can do, for plan", profileCommand},
	{"plan", "machines for a forecast, from a profile", planCommand},
	{"validate", "hold plan's predictions against measurements", validateCommand},
	{"compare", "two records: is one slower?", compareCommand},
	{"report", "records as one HTML page", reportCommand},
	{"selftest", "hold the generator itself against servers that are known", selftestCommand},
	{"setup", "deploy a scenario's tenants and leave them", setupCommand},
	{"cleanup", "delete them", cleanupCommand},
	{"origin", "the server that fanout Workers fetch from", originCommand},
	{"kinds", "the kinds of Workers tenants can be", kindsCommand},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	if len(args) > 0 {
		for _, c := range commands {
			if c.name == args[0] {
				return end(c.run(ctx, args[1:]))
			}
		}
	}
	fmt.Fprintln(os.Stderr, "usage: loadtest COMMAND [flags]; loadtest COMMAND --help")
	for _, c := range commands {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", c.name, c.does)
	}
	if len(args) == 1 && (args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
		return exitOK
	}
	return exitMistake
}

// mistake is an error of whoever wrote the command line or a file.
type mistake struct{ error }

func (m mistake) Unwrap() error { return m.error }

func end(status int, err error) int {
	var wrong mistake
	switch {
	case err == nil:
		return status
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &wrong), errors.Is(err, loadtest.ErrRemote):
		status = exitMistake
	default:
		status = exitBroken
	}
	fmt.Fprintln(os.Stderr, "loadtest:", err)
	return status
}

// parse reads flags; what is wrong with them is said once, by end.
func parse(fs *flag.FlagSet, args []string, most int) error {
	fs.SetOutput(os.Stderr)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return mistake{fmt.Errorf("%s", err)}
	}
	if fs.NArg() > most {
		return mistake{fmt.Errorf("unexpected argument %q", fs.Arg(most))}
	}
	return nil
}
