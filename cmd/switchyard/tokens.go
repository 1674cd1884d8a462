package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
)

// tokenCommand is `switchyard token create|list|roll|revoke`.
func tokenCommand(args []string, stdout, stderr io.Writer) error {
	return subcommand("token", args, stdout, stderr, []command{
		{"create", "make an API token and print it, once", tokenCreate},
		{"list", "show the tokens, without their secrets", tokenList},
		{"roll", "give a token another secret: roll ID", tokenRoll},
		{"revoke", "end a token: revoke ID", tokenRevoke},
	})
}

// subcommand runs the one that the first argument names.
func subcommand(name string, args []string, stdout, stderr io.Writer, all []command) error {
	var names []string
	for _, c := range all {
		if len(args) > 0 && args[0] == c.name {
			return c.run(args[1:], stdout, stderr)
		}
		names = append(names, c.name)
	}
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		fmt.Fprintf(stdout, "usage: switchyard %s COMMAND [flags]\n", name)
		for _, c := range all {
			fmt.Fprintf(stdout, "  %-8s %s\n", c.name, c.summary)
		}
		return flag.ErrHelp
	}
	return usageError{fmt.Errorf("expected %s", strings.Join(names, ", "))}
}

// apiFlags parses flags that may stand before and behind the arguments, which are returned.
func apiFlags(name string, args []string, stderr io.Writer, define func(*flag.FlagSet)) (*client, []string, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	c := clientFlags(flags)
	if define != nil {
		define(flags)
	}
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, nil, usageError{err}
		}
		if flags.NArg() == 0 {
			return c, rest, nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// names is a flag that may be given more than once.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }

func (n *names) Set(text string) error {
	*n = append(*n, text)
	return nil
}

func tokenCreate(args []string, stdout, stderr io.Writer) error {
	var (
		name       string
		namespaces names
		readOnly   bool
		expires    time.Duration
	)
	c, rest, err := apiFlags("token create", args, stderr, func(f *flag.FlagSet) {
		f.StringVar(&name, "name", "", "what it is for (`TEXT`): shown in lists and in the audit log")
		f.Var(&namespaces, "namespace", "`NAME` of a dispatch namespace that it is for alone; may be repeated. Default: the whole account")
		f.BoolVar(&readOnly, "read-only", false, "it may change nothing")
		f.DurationVar(&expires, "expires", 0, "`DURATION` until it ends, such as 720h. Default: never")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 || name == "" {
		return usageError{errors.New("expected --name TEXT and no arguments")}
	}
	if expires < 0 {
		return usageError{fmt.Errorf("--expires: %v is negative", expires)}
	}
	return withAPI(c, true, stderr, func() error {
		var made struct{ ID, Value string }
		if err := c.call("POST", "$A/tokens", tokenRequest(c.account, name, namespaces, readOnly, expires), &made); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "token %s: it is shown this once\n", made.ID)
		_, err := fmt.Fprintln(stdout, made.Value)
		return err
	})
}

// tokenRequest is the public API's body for what the flags say.
func tokenRequest(account, name string, namespaces []string, readOnly bool, expires time.Duration) map[string]any {
	group := "Switchyard Admin"
	if readOnly {
		group = "Switchyard Read"
	}
	resources := map[string]string{}
	for _, n := range namespaces {
		resources["switchyard.namespace."+n] = "*"
	}
	if len(namespaces) == 0 {
		resources["com.cloudflare.api.account."+account] = "*"
	}
	body := map[string]any{"name": name, "policies": []any{map[string]any{
		"effect": "allow", "permission_groups": []any{map[string]string{"name": group}}, "resources": resources,
	}}}
	if expires > 0 {
		body["expires_on"] = time.Now().Add(expires).UTC().Format(time.RFC3339)
	}
	return body
}

// withAPI connects, runs and disconnects.
func withAPI(c *client, offline bool, stderr io.Writer, run func() error) error {
	if err := c.connect(offline, stderr); err != nil {
		return err
	}
	return errors.Join(run(), c.close())
}

func tokenList(args []string, stdout, stderr io.Writer) error {
	c, rest, err := apiFlags("token list", args, stderr, nil)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", rest[0])}
	}
	return withAPI(c, true, stderr, func() error {
		var tokens []listedToken
		if err := c.call("GET", "$A/tokens", nil, &tokens); err != nil {
			return err
		}
		w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tSTATUS\tISSUED\tEXPIRES\tMAY")
		for _, t := range tokens {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Status, t.Issued.Format(time.DateOnly), t.expires(), t.may())
		}
		return w.Flush()
	})
}

type listedToken struct {
	ID, Name, Status string
	Issued           time.Time  `json:"issued_on"`
	Expires          *time.Time `json:"expires_on"`
	Policies         []struct {
		Groups    []struct{ Name string } `json:"permission_groups"`
		Resources map[string]string
	}
}

func (t *listedToken) expires() string {
	if t.Expires == nil {
		return "never"
	}
	return t.Expires.Format(time.DateOnly)
}

// may is the token's scope in a line.
func (t *listedToken) may() string {
	var parts []string
	for _, p := range t.Policies {
		for _, g := range p.Groups {
			for r := range p.Resources {
				if strings.HasPrefix(r, "com.cloudflare.api.account.") {
					r = "account"
				}
				parts = append(parts, g.Name+" in "+strings.TrimPrefix(r, "switchyard."))
			}
		}
	}
	return strings.Join(parts, ", ")
}

// tokenByID runs a command of one token.
func tokenByID(name string, args []string, stderr io.Writer, run func(c *client, path string) error) error {
	c, rest, err := apiFlags("token "+name, args, stderr, nil)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError{errors.New("expected the ID of one token")}
	}
	return withAPI(c, true, stderr, func() error { return run(c, "$A/tokens/"+url.PathEscape(rest[0])) })
}

func tokenRoll(args []string, stdout, stderr io.Writer) error {
	return tokenByID("roll", args, stderr, func(c *client, path string) error {
		var secret string
		if err := c.call("PUT", path+"/value", struct{}{}, &secret); err != nil {
			return err
		}
		_, err := fmt.Fprintln(stdout, secret)
		return err
	})
}

func tokenRevoke(args []string, _, stderr io.Writer) error {
	return tokenByID("revoke", args, stderr, func(c *client, path string) error { return c.call("DELETE", path, nil, nil) })
}
