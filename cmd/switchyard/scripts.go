package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// scriptCommand is `switchyard script list|deploy|delete|rollback`.
func scriptCommand(args []string, stdout, stderr io.Writer) error {
	return subcommand("script", args, stdout, stderr, []command{
		{"list", "show the scripts of a namespace, or the plain Workers", scriptList},
		{"deploy", "upload a file or a folder and give it all traffic: deploy PATH", scriptDeploy},
		{"delete", "remove one: delete NAME", scriptDelete},
		{"rollback", "give all traffic to an older version: rollback NAME [VERSION]", scriptRollback},
	})
}

// scriptFlags are apiFlags with --namespace.
func scriptFlags(name string, args []string, stderr io.Writer, define func(*flag.FlagSet)) (c *client, path string, rest []string, err error) {
	namespace := ""
	c, rest, err = apiFlags("script "+name, args, stderr, func(f *flag.FlagSet) {
		f.StringVar(&namespace, "namespace", "", "dispatch namespace of the script (`NAME`). Default: a plain Worker")
		if define != nil {
			define(f)
		}
	})
	return c, scriptsPath(namespace), rest, err
}

// scriptsPath is where the API has the scripts of a namespace.
func scriptsPath(namespace string) string {
	if namespace == "" {
		return "$A/workers/scripts"
	}
	return pathDispatch + "/" + url.PathEscape(namespace) + "/scripts"
}

func scriptList(args []string, stdout, stderr io.Writer) error {
	tags := ""
	c, path, rest, err := scriptFlags("list", args, stderr, func(f *flag.FlagSet) {
		f.StringVar(&tags, "tags", "", "only those with and without `TAGS`, such as pro:yes,old:no")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", rest[0])}
	}
	return withAPI(c, true, stderr, func() error {
		w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tMODIFIED\tTAGS\tVERSION")
		err := c.eachScript(path+"?tags="+url.QueryEscape(tags), func(s listedScript) {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.ID, s.Modified.Format(time.DateTime), strings.Join(s.Tags, ","), s.Deployment)
		})
		return errors.Join(err, w.Flush())
	})
}

type listedScript struct {
	ID         string    `json:"id"`
	Tags       []string  `json:"tags"`
	Modified   time.Time `json:"modified_on"`
	Deployment string    `json:"deployment_id"`
}

// eachScript follows the list's cursor to its end.
func (c *client) eachScript(path string, f func(listedScript)) error {
	for cursor := ""; ; {
		var page []listedScript
		info, err := c.list(path+"&cursor="+url.QueryEscape(cursor), &page)
		if err != nil {
			return err
		}
		for _, s := range page {
			f(s)
		}
		if cursor = info.Cursor; cursor == "" {
			return nil
		}
	}
}

func scriptDeploy(args []string, stdout, stderr io.Writer) error {
	d := deployment{}
	c, path, rest, err := scriptFlags("deploy", args, stderr, d.define)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError{errors.New("expected the PATH of one file or folder")}
	}
	contentType, body, err := d.form(rest[0])
	if err != nil {
		return err
	}
	return withAPI(c, false, stderr, func() error {
		var made struct {
			ID      string `json:"id"`
			Version string `json:"deployment_id"`
			Startup int    `json:"startup_time_ms"`
		}
		if err := c.send("PUT", path+"/"+url.PathEscape(d.name), contentType, body, &made); err != nil {
			return err
		}
		_, err := fmt.Fprintf(stdout, "deployed %s: version %s, started in %d ms\n", made.ID, made.Version, made.Startup)
		return err
	})
}

func scriptDelete(args []string, stdout, stderr io.Writer) error {
	c, path, rest, err := scriptFlags("delete", args, stderr, nil)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError{errors.New("expected the NAME of one script")}
	}
	return withAPI(c, true, stderr, func() error {
		if err := c.call("DELETE", path+"/"+url.PathEscape(rest[0]), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(stdout, "deleted %s\n", rest[0])
		return err
	})
}

// scriptRollback deploys the version that the arguments name, or the one that had all traffic
// before what has it now.
func scriptRollback(args []string, stdout, stderr io.Writer) error {
	c, path, rest, err := scriptFlags("rollback", args, stderr, nil)
	if err != nil {
		return err
	}
	if len(rest) < 1 || len(rest) > 2 {
		return usageError{errors.New("expected the NAME of one script, and no more than one VERSION")}
	}
	return withAPI(c, true, stderr, func() error {
		path := path + "/" + url.PathEscape(rest[0]) + "/deployments"
		version, err := c.versionBefore(path, rest[1:])
		if err != nil {
			return err
		}
		body := map[string]any{
			"strategy": "percentage", "versions": []any{map[string]any{"version_id": version, "percentage": 100}},
			"annotations": map[string]string{"workers/triggered_by": "rollback"},
		}
		if err := c.call("POST", path, body, nil); err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "%s: version %s has all traffic\n", rest[0], version)
		return err
	})
}

func (c *client) versionBefore(path string, given []string) (string, error) {
	if len(given) == 1 {
		return dashed(given[0]), nil
	}
	var history struct {
		Deployments []struct {
			Versions []struct {
				ID      string  `json:"version_id"`
				Percent float64 `json:"percentage"`
			} `json:"versions"`
		} `json:"deployments"`
	}
	if err := c.call("GET", path, nil, &history); err != nil {
		return "", err
	}
	var alone []string
	for _, d := range history.Deployments {
		if len(d.Versions) == 1 {
			alone = append(alone, d.Versions[0].ID)
		}
	}
	i := slices.IndexFunc(alone, func(id string) bool { return id != alone[0] })
	if i < 0 {
		return "", errors.New("no other version had all traffic before: name one")
	}
	return alone[i], nil
}

// dashed puts the dashes of a UUID back, which deployment_id is without.
func dashed(id string) string {
	if len(id) != 32 || strings.Contains(id, "-") {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
