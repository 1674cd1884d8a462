package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// operate runs one of the operator's commands and returns its standard output.
func operate(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("switchyard %s: status %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// as is the platform seen by the holder of another token.
func (p *platform) as(token string) *platform {
	other := *p
	other.token = token
	return &other
}

// TestTokenCommands makes tokens before the server runs and while it does, and shows what each
// may do at the running server.
func TestTokenCommands(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	p.createNamespace("production")
	p.createNamespace("staging")
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	offline := operate(t, "token", "create", "--data", dir, "--name", "offline", "--namespace", "production")
	p = serve(t, dir)
	online := operate(t, "token", "create", "--data", dir, "--token", testToken, "--name", "reader", "--read-only", "--expires", "24h")
	hello := script(`export default { fetch() { return new Response("hello") } }`)
	status := func(token, path string, w worker) int { code, _ := p.as(token).upload(path, w); return code }
	for _, c := range []struct {
		name, token, path string
		want              int
	}{
		{"its namespace", offline, customers("production") + "a", 200},
		{"another namespace", offline, customers("staging") + "a", 403},
		{"plain", offline, plainScripts + "a", 403},
		{"read-only", online, customers("production") + "a", 403},
		{"operator", testToken, customers("staging") + "a", 200},
	} {
		if got := status(c.token, c.path, hello); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if code, _ := p.as(online).api("GET", customers("production")+"a/settings", "", nil); code != http.StatusOK {
		t.Errorf("the reader reads %d", code)
	}
	list := operate(t, "token", "list", "--data", dir, "--token", testToken)
	lines := strings.Split(list, "\n")
	if len(lines) != 3 || !strings.Contains(lines[1], "offline") || !strings.Contains(lines[2], "Switchyard Read in account") || strings.Contains(list, offline) {
		t.Errorf("list:\n%s", list)
	}
	id := strings.Fields(lines[1])[0]
	rolled := operate(t, "token", "roll", id, "--data", dir, "--token", testToken)
	if status(offline, customers("production")+"a", hello) != 403 || status(rolled, customers("production")+"a", hello) != 200 {
		t.Error("rolling did not change the secret")
	}
	operate(t, "token", "revoke", id, "--api", strings.TrimSuffix(p.control, "/client/v4"), "--token", testToken)
	if status(rolled, customers("production")+"a", hello) != 403 {
		t.Error("a revoked token is let in")
	}
	p.wantsAudit()
}

// wantsAudit reads the audit log as a client does.
func (p *platform) wantsAudit() {
	p.t.Helper()
	_, e := p.api("GET", "/audit_logs?direction=asc&per_page=1000", "", nil)
	var entries []struct {
		Action struct {
			Type   string
			Result bool
		}
		Actor    struct{ Email string }
		Metadata struct{ Before, After string }
	}
	if err := json.Unmarshal(e.Result, &entries); err != nil {
		p.t.Fatal(err)
	}
	var got []string
	for _, a := range entries {
		if !a.Action.Result || strings.Contains(a.Action.Type, "/tokens") {
			got = append(got, a.Actor.Email+" "+a.Action.Type)
		}
	}
	for _, want := range []string{"reader@localhost PUT /workers/dispatch/namespaces/{namespace}/scripts/{script}", "operator@localhost DELETE /tokens/{token}", "operator@localhost POST /tokens"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			p.t.Errorf("the audit log has no %q:\n%s", want, strings.Join(got, "\n"))
		}
	}
}
