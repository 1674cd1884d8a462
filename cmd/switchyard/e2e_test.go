package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once: every test here speaks to a process of its own
// over real sockets, as a client would.
var binary string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "compile" { // a server inside a test compiles by its own program
		main()
	}
	if os.Getenv(quietIngress) != "" { // a client of a server that is there
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "switchyard-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "switchyard")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build: %v\n%s", err, out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// platform is one running process.
type platform struct {
	t       *testing.T
	dir     string
	ingress string // host:port
	control string // base URL of the API, with /client/v4
	token   string
	cmd     *exec.Cmd
	out     *bytes.Buffer // stdout after the addresses; read once the process has ended
	log     *lockedBuffer // stderr
}

const testToken = "e2e-token"

const account = "00000000000000000000000000000000"

// compatibilityDate is of every Worker that the tests upload.
const compatibilityDate = "2025-09-01"

// serve starts the program over dir with more flags.
func serve(t *testing.T, dir string, flags ...string) *platform {
	t.Helper()
	p := &platform{t: t, dir: dir, token: testToken, out: new(bytes.Buffer), log: new(lockedBuffer)}
	args := append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--token", testToken}, flags...)
	p.cmd = exec.Command(binary, args...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.cmd.Wait()
		if t.Failed() {
			t.Logf("the server's log:\n%s", p.log.String())
		}
	})
	lines := bufio.NewScanner(stdout)
	for p.control == "" && lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "switchyard: ingress http://"); ok {
			p.ingress = at
		}
		if at, ok := strings.CutPrefix(lines.Text(), "switchyard: control "); ok {
			p.control = at
		}
	}
	if p.control == "" {
		p.cmd.Wait()
		t.Fatalf("the server did not start:\n%s", p.log.String())
	}
	go io.Copy(p.out, stdout) // ends with the process
	return p
}

// stop ends the process as an operator does and returns its error.
func (p *platform) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	return p.cmd.Wait()
}

// client never follows a redirect and reaches every host name at the ingress.
func (p *platform) client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, p.ingress)
			},
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
}

// get asks for http://HOST/PATH and returns status and body.
func (p *platform) get(url string) (int, string) {
	p.t.Helper()
	client := p.client()
	defer client.CloseIdleConnections()
	r, err := client.Get(url)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.StatusCode, readAll(p.t, r.Body)
}

func readAll(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wants checks one answer: its status, and text that the body contains.
func (p *platform) wants(url string, status int, text string) {
	p.t.Helper()
	got, body := p.get(url)
	if got != status || !strings.Contains(body, text) {
		p.t.Errorf("%s: %d %q, want %d and %q", url, got, body, status, text)
	}
}

// api calls the control API and decodes the envelope.
func (p *platform) api(method, path, contentType string, body []byte) (int, envelope) {
	p.t.Helper()
	r, err := http.NewRequest(method, p.control+"/accounts/"+account+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	text := readAll(p.t, resp.Body)
	var e envelope
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		p.t.Fatalf("%s %s: %d %q is not JSON: %v", method, path, resp.StatusCode, text, err)
	}
	return resp.StatusCode, e
}

type envelope struct {
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"result"`
	Errors  []struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

func (e envelope) message() string {
	if len(e.Errors) == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", e.Errors[0].Code, e.Errors[0].Message)
}

// worker is an upload in short: a main module, more modules, metadata besides main_module.
type worker struct {
	main     string
	modules  map[string]string // name → source
	metadata map[string]any
}

// script is a worker of one ES module.
func script(source string, bindings ...map[string]any) worker {
	return worker{main: "index.js", modules: map[string]string{"index.js": source}, metadata: map[string]any{"bindings": bindings}}
}

// upload PUTs w at path and returns what the API said.
func (p *platform) upload(path string, w worker) (int, envelope) {
	p.t.Helper()
	contentType, body := formOf(w)
	return p.api("PUT", path, contentType, body)
}

// formOf is the body of w's upload.
func formOf(w worker) (contentType string, body []byte) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	metadata := map[string]any{"main_module": w.main, "compatibility_date": compatibilityDate}
	for k, v := range w.metadata {
		metadata[k] = v
	}
	doc, _ := json.Marshal(metadata)
	form.WriteField("metadata", string(doc))
	for name, source := range w.modules {
		part, _ := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, name, name)},
			"Content-Type":        {contentTypeOf(name)},
		})
		io.WriteString(part, source)
	}
	form.Close()
	return form.FormDataContentType(), b.Bytes()
}

func contentTypeOf(module string) string {
	switch filepath.Ext(module) {
	case ".wasm":
		return "application/wasm"
	case ".txt":
		return "text/plain"
	case ".json":
		return "application/json"
	}
	return "application/javascript+module"
}

// deploy is upload for tests about something else.
func (p *platform) deploy(path string, w worker) {
	p.t.Helper()
	if status, e := p.upload(path, w); status != http.StatusOK || !e.Success {
		p.t.Fatalf("PUT %s: %d %s", path, status, e.message())
	}
}

const (
	plainScripts = "/workers/scripts/"
	namespaces   = "/workers/dispatch/namespaces"
)

// customers is where a namespace's scripts are.
func customers(namespace string) string { return namespaces + "/" + namespace + "/scripts/" }

// createNamespace makes one.
func (p *platform) createNamespace(name string) {
	p.t.Helper()
	if status, e := p.api("POST", namespaces, "application/json", fmt.Appendf(nil, `{"name":%q}`, name)); status != http.StatusOK {
		p.t.Fatalf("create namespace %s: %d %s", name, status, e.message())
	}
}

// dispatcher is the seed document's dispatch Worker, the platform's entry.
func dispatcherBinding(namespace, outbound string, params ...string) map[string]any {
	b := map[string]any{"type": "dispatch_namespace", "name": "DISPATCHER", "namespace": namespace}
	if outbound != "" {
		list := []map[string]string{}
		for _, name := range params {
			list = append(list, map[string]string{"name": name})
		}
		b["outbound"] = map[string]any{"worker": map[string]string{"service": outbound}, "params": list}
	}
	return b
}

func text(name, value string) map[string]any {
	return map[string]any{"type": "plain_text", "name": name, "text": value}
}
