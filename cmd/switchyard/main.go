// Command switchyard runs other people's code behind one HTTP ingress.
//
//	switchyard serve    run the platform
//	switchyard check    verify every record and blob of a data directory
//	switchyard backup   write a data directory's content to one file
//	switchyard restore  make a data directory from such a file
//	switchyard rotate-key  give a data directory another key for its secrets
//	switchyard namespace  list, create and delete dispatch namespaces
//	switchyard script   list, deploy, delete and roll back scripts
//	switchyard token    create, list, roll and revoke API tokens
//	switchyard compile  make native code of a module, for serve
//	switchyard version  print the version
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// command is one subcommand; its errors end the process with status 1, a usageError with 2.
type command struct {
	name, summary string
	run           func(args []string, stdout, stderr io.Writer) error
}

func commands() []command {
	return []command{
		{"serve", "run the platform", serveCommand},
		{"check", "verify every record and blob of a data directory", checkCommand},
		{"backup", "write a data directory's content to one file", backupCommand},
		{"restore", "make a data directory from such a file", restoreCommand},
		{"rotate-key", "give a data directory another key for its secrets", rotateKeyCommand},
		{"namespace", "list, create and delete dispatch namespaces", namespaceCommand},
		{"script", "list, deploy, delete and roll back scripts", scriptCommand},
		{"token", "create, list, roll and revoke API tokens", tokenCommand},
		{"compile", "make native code of a module, for serve", compileCommand},
		{"version", "print the version", versionCommand},
	}
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	if args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		usage(stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(args[1:], stdout, stderr)
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.As(err, new(usageError)):
			fmt.Fprintf(stderr, "switchyard %s: %v\n", c.name, err)
			return 2
		}
		fmt.Fprintf(stderr, "switchyard %s: %v\n", c.name, err)
		return 1
	}
	fmt.Fprintf(stderr, "switchyard: unknown command %q\n", args[0])
	usage(stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: switchyard COMMAND [flags]")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
}

func versionCommand(_ []string, stdout, _ io.Writer) error {
	_, err := fmt.Fprintln(stdout, "switchyard", version())
	return err
}

// version is the module's version, or the commit that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
