package control

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the results in testdata")

const (
	testToken   = "secret-token"
	testAccount = "acc00000000000000000000000000001"
)

func newTestServer(t testing.TB, change func(*Options)) (*httptest.Server, *fakePlatform) {
	t.Helper()
	platform := newFake()
	o := Options{Platform: platform, Token: testToken, Account: testAccount, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	server := httptest.NewServer(New(o))
	t.Cleanup(server.Close)
	return server, platform
}

// TestStories runs the files of testdata: requests, and below each what came back and what the
// platform was asked to change. `go test -update` writes the results anew.
//
//	PUT $NS/prod/scripts/a            a request line; $NS, $W, $A, $V4 stand for paths
//	> Content-Type: text/plain        headers
//	{"name":"x"}                      a body as it is, or of parts:
//	part files filename=a.mjs application/javascript+module
//	= "quoted \x00 text"
//	----
//	200 {"id":"a"}                    status and result, or status, code and message
//	platform: Deploy …
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runStory(t, file) })
	}
}

func runStory(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	server, platform := newTestServer(t, nil)
	var out strings.Builder
	for i, scene := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		command, want, _ := strings.Cut(scene, "\n----\n")
		got := command
		if !isComment(command) {
			result := playScene(t, server.URL, platform, command)
			got += "\n----\n" + result
			if !*update && result != strings.TrimSpace(want) {
				t.Errorf("%s: scene %d:\n%s\n---- got\n%s\n---- want\n%s", file, i+1, command, result, want)
			}
		}
		out.WriteString(got + "\n\n")
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimSpace(out.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// isComment says whether a scene has no request in it.
func isComment(scene string) bool {
	lines := strings.Split(scene, "\n")
	return strings.HasPrefix(lines[len(lines)-1], "#")
}

var paths = strings.NewReplacer(
	"$NS", pathBase+"/accounts/"+testAccount+"/workers/dispatch/namespaces",
	"$W", pathBase+"/accounts/"+testAccount+"/workers",
	"$A", pathBase+"/accounts/"+testAccount,
	"$V4", pathBase,
)

// playScene sends one request and returns what there is to see of it.
func playScene(t *testing.T, base string, platform *fakePlatform, command string) string {
	t.Helper()
	r := parseScene(t, base, command)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(command, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(command, err)
	}
	lines := []string{seen(t, response, body)}
	for _, call := range platform.takeCalls() {
		lines = append(lines, "platform: "+call)
	}
	return strings.Join(lines, "\n")
}

// seen checks the envelope's invariants and shows the rest.
func seen(t *testing.T, r *http.Response, body []byte) string {
	t.Helper()
	if r.Header.Get("Content-Type") != "application/json" {
		text := string(body)
		if boundary, err := boundaryOf(r.Header.Get("Content-Type"), nil); err == nil && boundary != "" {
			text = strings.ReplaceAll(text, boundary, "BOUNDARY")
		}
		return fmt.Sprintf("%d raw main=%s %q", r.StatusCode, r.Header.Get("Cf-Entrypoint"), text)
	}
	var e struct {
		Success  bool
		Errors   []apiError
		Messages []any
		Result   any
		Info     any `json:"result_info"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if e.Success != (r.StatusCode < 400) || e.Success != (len(e.Errors) == 0) || e.Messages == nil || e.Errors == nil {
		t.Errorf("status %d does not go with %s", r.StatusCode, body)
	}
	if !e.Success {
		text := fmt.Sprintf("%d %d %s", r.StatusCode, e.Errors[0].Code, e.Errors[0].Message)
		if s := e.Errors[0].Source; s != nil {
			text += " @" + s.Pointer
		}
		return text
	}
	text := fmt.Sprintf("%d %s", r.StatusCode, compact(e.Result))
	if e.Info != nil {
		text += "\ninfo: " + compact(e.Info)
	}
	return text
}

func compact(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

func parseScene(t *testing.T, base, command string) *http.Request {
	t.Helper()
	lines := strings.Split(command, "\n")
	for strings.HasPrefix(lines[0], "#") {
		lines = lines[1:]
	}
	method, path, _ := strings.Cut(lines[0], " ")
	header := http.Header{"Authorization": {"Bearer " + testToken}}
	lines = lines[1:]
	for len(lines) > 0 && strings.HasPrefix(lines[0], "> ") {
		k, v, _ := strings.Cut(lines[0][2:], ": ")
		header.Set(k, v)
		lines = lines[1:]
	}
	body, contentType := sceneBody(t, lines)
	if header.Get("Content-Type") == "" && contentType != "" {
		header.Set("Content-Type", contentType)
	}
	r, err := http.NewRequest(method, base+paths.Replace(path), bytes.NewReader(body))
	if err != nil {
		t.Fatal(command, err)
	}
	r.Header = header
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	return r
}

const testBoundary = "----formdata-undici-0123456789"

// sceneBody writes a form by hand, so that it is what the clients send and not what a library
// makes of it.
func sceneBody(t *testing.T, lines []string) (body []byte, contentType string) {
	t.Helper()
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "part ") {
		return []byte(sceneText(t, lines)), ""
	}
	var b bytes.Buffer
	for len(lines) > 0 {
		end := slices.IndexFunc(lines[1:], func(l string) bool { return strings.HasPrefix(l, "part ") }) + 1
		if end == 0 {
			end = len(lines)
		}
		words := strings.Fields(lines[0])[1:]
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", testBoundary, words[0])
		for _, w := range words[1:] {
			if name, ok := strings.CutPrefix(w, "filename="); ok {
				fmt.Fprintf(&b, "; filename=\"%s\"", name)
			}
		}
		if last := words[len(words)-1]; strings.Contains(last, "/") && !strings.Contains(last, "=") && len(words) > 1 {
			fmt.Fprintf(&b, "\r\nContent-Type: %s", last)
		}
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n", sceneText(t, lines[1:end]))
		lines = lines[end:]
	}
	fmt.Fprintf(&b, "--%s--\r\n", testBoundary)
	return b.Bytes(), "multipart/form-data; boundary=" + testBoundary
}

func sceneText(t *testing.T, lines []string) string {
	t.Helper()
	text := strings.Join(lines, "\n")
	if quoted, ok := strings.CutPrefix(text, "= "); ok {
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(quoted, err)
		}
		return text
	}
	return text
}
