package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wranglerStory is every command of wrangler that has something to talk to here, in an order in
// which a platform would use them; `<` gives it its standard input, NEWEST is the id of the Worker's
// newest version.
const wranglerStory = `
whoami
dispatch-namespace create production
dispatch-namespace list
dispatch-namespace get production
dispatch-namespace rename production prod
deploy
deploy --message second --tag v2
deployments list
deployments status
versions list
versions upload
versions deploy --yes NEWEST@100%
versions view NEWEST
rollback --yes --message back
secret put TOKEN < hunter2
deploy
secret put TOKEN < hunter2
secret list
secret bulk secrets.json
secret delete TOKEN < y
triggers deploy
deploy --dispatch-namespace prod --name customer --config user.json
deploy --dispatch-namespace prod --name customer --config user.json --var GREETING:hi
deploy --dispatch-namespace nowhere --name customer --config user.json
kv namespace list
r2 bucket list
d1 list
queues list
delete --force
dispatch-namespace delete prod
`

// wranglerFiles are the folder that the commands run in.
var wranglerFiles = map[string]string{
	"index.js":     `export default { fetch() { return new Response("hello") } }`,
	"site/a.txt":   "an asset",
	"secrets.json": `{"A":"1","B":"2"}`,
	"wrangler.json": `{"name":"plain","main":"index.js","compatibility_date":"2025-09-01","workers_dev":false,"observability":{"enabled":true},
		"triggers":{"crons":["*/5 * * * *"]},
		"routes":[{"pattern":"example.com/*","zone_name":"example.com"},{"pattern":"shop.example.com","custom_domain":true}]}`,
	"user.json": `{"name":"user","main":"index.js","compatibility_date":"2025-09-01","vars":{"GREETING":"hello"},"assets":{"directory":"site"},"limits":{"cpu_ms":50}}`,
}

// unstable is what differs from run to run.
var unstable = []struct{ pattern, replacement string }{
	{`(?m)^.*(Logs were written to|wrangler/logs|\.log").*\n?`, ""},
	{`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`, "UUID"},
	{`\d+(\.\d+)? ?(ms|sec)`, "TIME"},
	{`http://127\.0\.0\.1:\d+`, "SERVER"},
	{`\x1b\[[0-9;]*m`, ""},
	{`(?m)[ \t]+$`, ""},
}

// TestWranglerCommands compares what each command says on standard error with a file: no warning
// that a user would stumble over, and a clear sentence for what is not here.
func TestWranglerCommands(t *testing.T) {
	needsClients(t, "wrangler")
	if testing.Short() {
		t.Skip("starts wrangler some 30 times")
	}
	dir := t.TempDir()
	for name, content := range wranglerFiles {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := serve(t, t.TempDir())
	var said strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(wranglerStory), "\n") {
		status, stderr := p.wranglerSays(dir, line)
		for _, u := range unstable {
			stderr = regexp.MustCompile(u.pattern).ReplaceAllString(stderr, u.replacement)
		}
		stderr = strings.ReplaceAll(stderr, dir, "DIR")
		fmt.Fprintf(&said, "$ wrangler %s\nstatus %d\n%s\n", line, status, strings.TrimLeft(strings.TrimRight(stderr, "\n")+"\n", "\n"))
	}
	wantTranscript(t, "wrangler", said.String())
}

// wranglerSays runs one line of the story.
func (p *platform) wranglerSays(dir, line string) (status int, stderr string) {
	p.t.Helper()
	line, input, _ := strings.Cut(line, " < ")
	bin, err := filepath.Abs("e2e/node_modules/wrangler/bin/wrangler.js")
	if err != nil {
		p.t.Fatal(err)
	}
	if strings.Contains(line, "NEWEST") {
		line = strings.ReplaceAll(line, "NEWEST", p.newestVersion("plain"))
	}
	cmd := exec.Command("node", append([]string{bin}, strings.Fields(line)...)...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = p.wranglerEnv()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	p.t.Logf("wrangler %s\n%s%s", line, out.String(), errs.String())
	return cmd.ProcessState.ExitCode(), errs.String()
}

// newestVersion is the id of a plain Worker's newest version.
func (p *platform) newestVersion(script string) string {
	p.t.Helper()
	var versions struct{ Items []struct{ ID string } }
	_, e := p.api("GET", plainScripts+script+"/versions", "", nil)
	if err := json.Unmarshal(e.Result, &versions); err != nil || len(versions.Items) == 0 {
		p.t.Fatalf("versions of %s: %s %v", script, e.Result, err)
	}
	return versions.Items[0].ID
}
