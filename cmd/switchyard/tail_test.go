package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// traceItem is what the tests look at of an item.
type traceItem struct {
	Event struct {
		Request struct {
			URL, Method string
			Headers     map[string]string
		}
		Response  struct{ Status int }
		RPCMethod string `json:"rpcMethod"`
		Consumed  []struct {
			ScriptName string
		} `json:"consumedEvents"`
		Type    string
		Dropped int
	}
	Logs []struct {
		Message   []any
		Level     string
		Timestamp int64
	}
	Exceptions        []struct{ Name, Message, Stack string }
	ScriptName        string
	Entrypoint        string
	DispatchNamespace string
	ScriptTags        []string
	ScriptVersion     struct{ ID string }
	Outcome           string
	EventTimestamp    int64
	CPUTime, WallTime float64
}

// tail opens a tail at path, connects to it and returns a function that waits for the next item.
func (p *platform) tail(path, filters string) func() traceItem {
	p.t.Helper()
	status, e := p.api("POST", path+"/tails", "text/plain", []byte(filters))
	var made struct{ URL string }
	if json.Unmarshal(e.Result, &made); status != 200 || made.URL == "" {
		p.t.Fatalf("POST %s/tails: %d %s %s", path, status, e.message(), e.Result)
	}
	conn := p.connect(made.URL)
	return func() traceItem {
		p.t.Helper()
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		text, err := wsutil.ReadServerText(conn)
		if err != nil {
			p.t.Fatalf("tail %s: %v", path, err)
		}
		var item traceItem
		if err := json.Unmarshal(text, &item); err != nil {
			p.t.Fatalf("tail %s: %q: %v", path, text, err)
		}
		return item
	}
}

// bufferedConn is a connection of which some was read ahead.
type bufferedConn struct {
	net.Conn
	*bufio.Reader
}

func (c bufferedConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (p *platform) connect(url string) net.Conn {
	p.t.Helper()
	conn, ahead, shake, err := ws.Dialer{Protocols: []string{"trace-v1"}, Timeout: 10 * time.Second}.Dial(context.Background(), url)
	if err != nil || shake.Protocol != "trace-v1" {
		p.t.Fatalf("%s: %v, protocol %q", url, err, shake.Protocol)
	}
	p.t.Cleanup(func() { conn.Close() })
	if ahead != nil {
		return bufferedConn{conn, ahead}
	}
	return conn
}

const talker = `export default { async fetch(request) {
	const { pathname } = new URL(request.url);
	if (pathname === "/log") { console.log("hello", { a: [1, 2] }, 3); console.warn("careful"); }
	if (pathname === "/throw") throw new RangeError("too far");
	if (pathname === "/spin") for (;;);
	return new Response(pathname, { status: pathname === "/gone" ? 410 : 200 });
} }`

// TestTail: what listeners of a script and of a namespace are told, and by which filters.
func TestTail(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	a := customers("production") + "a"
	w := script(talker)
	w.metadata["tags"] = []string{"customer-1"}
	p.deploy(a, w)
	p.deploy(customers("production")+"b", script(talker))

	all, ofB := p.tail(namespaces+"/production", ""), p.tail(customers("production")+"b", `{"filters":[]}`)
	failures := p.tail(a, `{"filters":[{"outcome":["exception","exceededCpu"]},{"method":["GET"]}]}`)
	tagged := p.tail(namespaces+"/production", `{"filters":[{"tag":["customer-1"]},{"header":{"key":"X-Debug","query":"ye"}}]}`)
	said := p.tail(a, `{"filters":[{"query":"careful"}]}`)

	request := func(url string, headers ...string) {
		r, _ := http.NewRequest("GET", url, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		resp, err := p.client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, resp.Body)
	}
	request("http://a.example.com/gone?x=1", "Authorization", "Bearer secret", "X-Api-Key", "secret", "X-Debug", "yes", "Accept", "text/x")
	item := all()
	if item.Event.Request.URL != "http://a.example.com/gone?x=1" || item.Event.Request.Method != "GET" || item.Event.Response.Status != 410 ||
		item.ScriptName != "a" || item.DispatchNamespace != "production" || item.Outcome != "ok" || len(item.ScriptVersion.ID) != 36 ||
		len(item.ScriptTags) != 1 || item.ScriptTags[0] != "customer-1" || time.Since(time.UnixMilli(item.EventTimestamp)).Abs() > time.Minute {
		t.Errorf("item: %+v", item)
	}
	headers := item.Event.Request.Headers
	if headers["authorization"] != "REDACTED" || headers["x-api-key"] != "REDACTED" || headers["accept"] != "text/x" || headers["cf-connecting-ip"] != "127.0.0.1" {
		t.Errorf("headers: %v", headers)
	}
	if item := tagged(); item.Event.Response.Status != 410 {
		t.Errorf("tagged: %+v", item)
	}
	request("http://a.example.com/log")
	item = all()
	if len(item.Logs) != 2 || item.Logs[0].Level != "log" || item.Logs[0].Message[0] != "hello" || item.Logs[1].Level != "warn" || item.Logs[1].Message[0] != "careful" {
		t.Errorf("logs: %+v", item.Logs)
	}
	if item := said(); len(item.Logs) != 2 {
		t.Errorf("said: %+v", item)
	}
	request("http://a.example.com/throw")
	item = failures()
	if item.Outcome != "exception" || len(item.Exceptions) != 1 || item.Exceptions[0].Name != "RangeError" || item.Exceptions[0].Message != "too far" ||
		!strings.Contains(item.Exceptions[0].Stack, "index.js:4:") {
		t.Errorf("exception: %+v", item)
	}
	request("http://a.example.com/spin")
	if item = failures(); item.Outcome != "exceededCpu" || item.CPUTime < 49 || item.Exceptions[0].Message != "Worker exceeded CPU time limit." {
		t.Errorf("spin: %+v", item)
	}
	request("http://b.example.com/")
	if item := ofB(); item.ScriptName != "b" || item.Event.Response.Status != 200 {
		t.Errorf("b: %+v", item)
	}
}

// TestTailAPI: a tail's life by the API, and what is refused.
func TestTailAPI(t *testing.T) {
	p := serve(t, t.TempDir())
	p.deploy(plainScripts+"w", script(talker))
	for _, c := range []struct{ body, want string }{
		{`{"filters":[{"outcome":["nonsense"]}]}`, "filters[0].outcome"},
		{`{"filters":[{"outcome":"ok"}]}`, "filters[0]"},
		{`{"filters":[{}]}`, "filters[0]"},
		{`{"filters":[{"sampling_rate":2}]}`, "filters[0].sampling_rate"},
		{`{"filters":[{"client_ip":["x"]}]}`, "filters[0].client_ip"},
		{`[`, "body"},
	} {
		if status, e := p.api("POST", plainScripts+"w/tails", "application/json", []byte(c.body)); status != 400 || !strings.Contains(e.message(), c.want) {
			t.Errorf("%s: %d %s, want 400 and %q", c.body, status, e.message(), c.want)
		}
	}
	if status, e := p.api("POST", plainScripts+"nobody/tails", "", nil); status != 404 || e.Errors[0].Code != 10007 {
		t.Errorf("tail of no script: %d %s", status, e.message())
	}
	_, e := p.api("POST", plainScripts+"w/tails", "", nil)
	var made, listed struct {
		ID, URL string
		Expires time.Time `json:"expires_at"`
	}
	json.Unmarshal(e.Result, &made)
	_, e = p.api("GET", plainScripts+"w/tails", "", nil)
	if json.Unmarshal(e.Result, &listed); listed != made || listed.Expires.Before(time.Now()) {
		t.Errorf("listed %+v, made %+v", listed, made)
	}
	conn := p.connect(made.URL)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	resp, err := http.Get(strings.Replace(made.URL, "ws:", "http:", 1))
	if err != nil || resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a tail without a socket: %v %v", resp, err)
	}
	if _, _, _, err := (ws.Dialer{Protocols: []string{"trace-v1"}, Timeout: 5 * time.Second}).Dial(context.Background(), made.URL); err == nil {
		t.Error("two readers of one tail")
	}
	conn.Write([]byte{0x81, 3, 'a', 'b', 'c'}) // without a mask, as wrangler's first frame
	conn.Write(ws.MustCompileFrame(ws.MaskFrame(ws.NewPingFrame([]byte("wrangler tail ping")))))
	h, err := ws.ReadHeader(conn)
	payload := make([]byte, h.Length)
	if conn.Read(payload); err != nil || h.OpCode != ws.OpPong || string(payload) != "wrangler tail ping" {
		t.Errorf("pong: %v %+v %q", err, h, payload)
	}
	if status, _ := p.api("DELETE", plainScripts+"w/tails/"+made.ID, "", nil); status != 200 {
		t.Errorf("DELETE: %d", status)
	}
	if h, err := ws.ReadHeader(conn); err != nil || h.OpCode != ws.OpClose {
		t.Errorf("after DELETE: %v %+v", err, h)
	}
	if status, e := p.api("DELETE", plainScripts+"w/tails/"+made.ID, "", nil); status != 404 {
		t.Errorf("DELETE again: %d %s", status, e.message())
	}
}

// TestWranglerTail: the unmodified client shows what a Worker does, in both of its formats.
func TestWranglerTail(t *testing.T) {
	p := serve(t, t.TempDir(), "--entry", "talker")
	p.deploy(plainScripts+"talker", script(talker))
	for _, c := range []struct {
		format string
		want   []string
	}{
		{"json", []string{`"outcome": "ok"`, `"scriptName": "talker"`, `"hello"`, `"too far"`, `"outcome": "exception"`, `"url": "http://x.example.com/log"`}},
		{"pretty", []string{"GET http://x.example.com/log - Ok @", "(log) hello", "(warn) careful", "GET http://x.example.com/throw - Exception Thrown @", "RangeError: too far"}},
	} {
		out := p.wranglerTail(c.format, c.want)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("--format %s lacks %q:\n%s", c.format, want, out)
			}
		}
	}
}

// wranglerTail tails "talker" until its output has all of want, or time is up.
func (p *platform) wranglerTail(format string, want []string) string {
	p.t.Helper()
	bin, err := filepath.Abs("e2e/node_modules/wrangler/bin/wrangler.js")
	if _, statErr := os.Stat(bin); err != nil || statErr != nil {
		p.t.Skip("wrangler is not installed: run make test, or npm ci in cmd/switchyard/e2e")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", bin, "tail", "talker", "--format", format)
	cmd.Dir = p.t.TempDir()
	cmd.Env = append(os.Environ(), "CLOUDFLARE_API_BASE_URL="+p.control, "CLOUDFLARE_API_TOKEN="+p.token,
		"CLOUDFLARE_ACCOUNT_ID="+account, "WRANGLER_SEND_METRICS=false", "WRANGLER_HIDE_BANNER=true", "CI=1",
		"HOME="+p.t.TempDir(), "XDG_CONFIG_HOME="+p.t.TempDir(), "NO_COLOR=1")
	out := new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	hasAll := func() bool {
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				return false
			}
		}
		return true
	}
	for ctx.Err() == nil && !hasAll() { // requests before it listens are lost
		p.get("http://x.example.com/log")
		p.get("http://x.example.com/throw")
		time.Sleep(300 * time.Millisecond)
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	return out.String()
}

// TestLogs: which calls are kept, and how they are asked for.
func TestLogs(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	path := func(name string) string { return customers("production") + name }
	p.deploy(path("quiet"), script(talker))
	for name, observability := range map[string]string{"all": `{"enabled":true}`, "none": `{"enabled":false}`, "never": `{"enabled":true,"head_sampling_rate":0}`} {
		w := script(talker)
		w.metadata["observability"] = json.RawMessage(observability)
		p.deploy(path(name), w)
	}
	for _, name := range []string{"quiet", "all", "none", "never"} {
		for _, request := range []string{"/", "/log", "/throw"} {
			p.get("http://" + name + ".example.com" + request)
		}
	}
	logs := func(path string) []traceItem {
		t.Helper()
		status, e := p.api("GET", path, "", nil)
		var items []traceItem
		if err := json.Unmarshal(e.Result, &items); status != 200 || err != nil {
			t.Fatalf("%s: %d %s %v", path, status, e.message(), err)
		}
		return items
	}
	for _, c := range []struct {
		path string
		want int
	}{
		{path("quiet") + "/logs", 2}, {path("all") + "/logs", 3}, {path("none") + "/logs", 0}, {path("never") + "/logs", 0},
		{namespaces + "/production/logs", 5}, {"/workers/logs", 5}, {"/workers/logs?namespace=-", 0}, {"/workers/logs?namespace=production&script=all", 3},
		{path("all") + "/logs?outcome=exception", 1}, {path("all") + "/logs?level=warn", 1}, {path("all") + "/logs?level=error,warn", 2},
		{path("all") + "/logs?from=2099-01-01T00:00:00Z", 0}, {path("all") + "/logs?to=2099-01-01T00:00:00Z", 3}, {path("all") + "/logs?search=careful", 1},
		{path("all") + "/logs?limit=2", 2},
	} {
		if items := logs(c.path); len(items) != c.want {
			t.Errorf("%s: %d items, want %d: %+v", c.path, len(items), c.want, items)
		}
	}
	items := logs(path("quiet") + "/logs")
	if items[0].Exceptions[0].Message != "too far" || items[0].Event.Request.URL != "http://quiet.example.com/throw" || items[1].Event.Response.Status != 200 {
		t.Errorf("quiet: %+v", items)
	}
	for _, query := range []string{"outcome=fine", "level=loud", "from=yesterday", "limit=0", "limit=x", "cursor=x", "format=xml"} {
		if status, e := p.api("GET", path("all")+"/logs?"+query, "", nil); status != 400 || !strings.Contains(e.message(), strings.SplitN(query, "=", 2)[0]) {
			t.Errorf("%s: %d %s", query, status, e.message())
		}
	}
	if status, _ := p.api("GET", path("nobody")+"/logs", "", nil); status != 404 {
		t.Errorf("logs of no script: %d", status)
	}
	r, _ := http.NewRequest("GET", p.control+"/accounts/"+account+path("all")+"/logs?format=ndjson", nil)
	r.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if text := readAll(t, resp.Body); strings.Count(text, "\n") != 3 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("ndjson: %q", text)
	}
	p.api("DELETE", path("all"), "", nil)
	if items := logs("/workers/logs"); len(items) != 2 {
		t.Errorf("after a deletion: %+v", items)
	}
}
