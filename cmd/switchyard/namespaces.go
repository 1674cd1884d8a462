package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
	"time"
)

const pathDispatch = "$A/workers/dispatch/namespaces"

// namespaceCommand is `switchyard namespace list|create|delete`.
func namespaceCommand(args []string, stdout, stderr io.Writer) error {
	return subcommand("namespace", args, stdout, stderr, []command{
		{"list", "show the dispatch namespaces", namespaceList},
		{"create", "make one: create NAME", namespaceCreate},
		{"delete", "remove one and every script in it: delete NAME --yes", namespaceDelete},
	})
}

func namespaceList(args []string, stdout, stderr io.Writer) error {
	c, rest, err := apiFlags("namespace list", args, stderr, nil)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", rest[0])}
	}
	return withAPI(c, true, stderr, func() error {
		var all []struct {
			Name    string    `json:"namespace_name"`
			ID      string    `json:"namespace_id"`
			Scripts int       `json:"script_count"`
			Trusted bool      `json:"trusted_workers"`
			Created time.Time `json:"created_on"`
		}
		if err := c.call("GET", pathDispatch, nil, &all); err != nil {
			return err
		}
		w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tSCRIPTS\tTRUSTED\tCREATED\tID")
		for _, n := range all {
			fmt.Fprintf(w, "%s\t%d\t%v\t%s\t%s\n", n.Name, n.Scripts, n.Trusted, n.Created.Format(time.DateOnly), n.ID)
		}
		return w.Flush()
	})
}

func namespaceCreate(args []string, stdout, stderr io.Writer) error {
	c, rest, err := apiFlags("namespace create", args, stderr, nil)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError{errors.New("expected the NAME of one namespace")}
	}
	return withAPI(c, true, stderr, func() error {
		if err := c.call("POST", pathDispatch, map[string]string{"name": rest[0]}, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(stdout, "created namespace %s\n", rest[0])
		return err
	})
}

func namespaceDelete(args []string, stdout, stderr io.Writer) error {
	yes := false
	c, rest, err := apiFlags("namespace delete", args, stderr, func(f *flag.FlagSet) {
		f.BoolVar(&yes, "yes", false, "delete it with every script in it")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 || !yes {
		return usageError{errors.New("expected the NAME of one namespace, and --yes: every script in it goes too")}
	}
	return withAPI(c, true, stderr, func() error {
		if err := c.call("DELETE", pathDispatch+"/"+url.PathEscape(rest[0]), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(stdout, "deleted namespace %s\n", rest[0])
		return err
	})
}
