package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	benchToken = "bench"
	accountAPI = "/accounts/00000000000000000000000000000000/workers"
	inBench    = "/dispatch/namespaces/bench/scripts/"
)

// uploadWasm serves the C example as one user Worker: the namespace's built-in dispatcher picks it by the
// host's first label.
func uploadWasm(name, isolation string) func(string) (*process, error) {
	return func(dir string) (*process, error) {
		wasm, err := readRepo("isolate/guest/c/hello.wasm")
		if err != nil {
			return nil, err
		}
		return startSwitchyard(dir, nil, []upload{{path: inBench + name, main: "worker.wasm", source: wasm, isolation: isolation}})
	}
}

func uploadGo(dir string) (*process, error) {
	file := filepath.Join(dir, "gohello.wasm")
	if err := buildGuest(".", "./"+peersDir+"/gohello", file); err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return startSwitchyard(dir, nil, []upload{{path: inBench + "go", main: "worker.wasm", source: string(wasm)}})
}

func uploadJavaScript(file, isolation string) func(string) (*process, error) {
	return func(dir string) (*process, error) {
		source, err := readPeer(file)
		if err != nil {
			return nil, err
		}
		return startSwitchyard(dir, nil, []upload{{path: inBench + "js", main: "index.js", source: source, isolation: isolation}})
	}
}

// uploadDispatch serves the seed document's pair: dispatch Worker, then user Worker.
func uploadDispatch(dir string) (*process, error) {
	return startDispatch(dir, "hello.js", nil, map[string]any{"type": "dispatch_namespace", "name": "DISPATCHER", "namespace": "bench"})
}

// uploadLifecycle has the outbound Worker too.
func uploadLifecycle(dir string) (*process, error) {
	outbound, err := readPeer("outbound.js")
	if err != nil {
		return nil, err
	}
	return startDispatch(dir, "user.js", []upload{{path: "/scripts/outbound", main: "index.js", source: outbound}}, map[string]any{
		"type": "dispatch_namespace", "name": "DISPATCHER", "namespace": "bench",
		"outbound": map[string]any{"worker": map[string]any{"service": "outbound"}}})
}

func startDispatch(dir, user string, before []upload, binding map[string]any) (*process, error) {
	dispatcher, err := readRepo("examples/dispatcher/index.js")
	if err != nil {
		return nil, err
	}
	source, err := readPeer(user)
	if err != nil {
		return nil, err
	}
	return startSwitchyard(dir, []string{"--entry", "dispatcher"}, append(before,
		upload{path: inBench + "js", main: "index.js", source: source},
		upload{path: "/scripts/dispatcher", main: "index.js", source: dispatcher, bindings: []map[string]any{binding}}))
}

// upload is one Worker to deploy over the control API.
type upload struct {
	path, main, source string
	isolation          string
	cpuMs              int // 0: the default
	bindings           []map[string]any
	files              map[string]string // static assets by path; a Worker beside them is asked first
}

// buildSwitchyard builds the binary, once a run.
func buildSwitchyard(dir string) (string, error) {
	binary := filepath.Join(dir, "switchyard")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if _, err := os.Stat("isolate/js/engine/engine.wasm"); err != nil {
		if out, err := exec.Command("make", "engine").CombinedOutput(); err != nil {
			return "", fmt.Errorf("make engine: %w\n%s", err, out)
		}
	}
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/switchyard").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// startSwitchyard starts a server on a data directory of its own with these Workers on it. more is YAML for its
// configuration.
func startSwitchyard(dir string, flags []string, uploads []upload, more ...string) (*process, error) {
	data, err := os.MkdirTemp(dir, "data-")
	if err != nil {
		return nil, err
	}
	p, err := serveSwitchyard(dir, data, flags, more...)
	if err != nil {
		return nil, err
	}
	if err := call("POST", p.control+accountAPI+"/dispatch/namespaces", "application/json", []byte(`{"name":"bench"}`)); err != nil {
		p.stop()
		return nil, err
	}
	if err := deployAll(p.control, uploads); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// benchConfig opens this machine's addresses to guests: the origin is one of them.
const benchConfig = "egress:\n  allow: [127.0.0.0/8]\n"

// serveSwitchyard starts a server on a data directory that may hold something already.
func serveSwitchyard(dir, data string, flags []string, more ...string) (*process, error) {
	binary, err := buildSwitchyard(dir)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(data, "bench.yaml")
	if err := os.WriteFile(config, []byte(benchConfig+strings.Join(more, "")), 0o600); err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
		"--token", benchToken, "--namespace", "bench", "--config", config}, flags...)
	var ingress, control string
	p, err := launch(func(line string) bool {
		if at, ok := strings.CutPrefix(line, "switchyard: ingress http://"); ok {
			ingress = at
		}
		if at, ok := strings.CutPrefix(line, "switchyard: control "); ok {
			control = at
		}
		return control != ""
	}, binary, args...)
	if err != nil {
		return nil, err
	}
	p.addr, p.control = ingress, control
	p.mallocs = func() (uint64, error) {
		return mallocs(strings.TrimSuffix(control, "/client/v4")+"/metrics", benchToken)
	}
	return p, nil
}

func deployAll(control string, uploads []upload) error {
	for _, u := range uploads {
		token, err := uploadFiles(control, u.path, u.files)
		if err != nil {
			return err
		}
		contentType, body := u.form(token)
		if err := call("PUT", control+accountAPI+u.path, contentType, body); err != nil {
			return err
		}
	}
	return nil
}

// form is what is uploaded. assets is the token of its files.
func (u upload) form(assets string) (contentType string, body []byte) {
	metadata := map[string]any{"bindings": u.bindings}
	if assets != "" {
		metadata["assets"] = map[string]any{"jwt": assets, "config": map[string]any{"run_worker_first": u.main != ""}}
	}
	if u.main != "" {
		metadata["main_module"] = u.main
	}
	if u.isolation != "" {
		metadata["switchyard"] = map[string]string{"isolation": u.isolation}
	}
	if u.cpuMs > 0 {
		metadata["limits"] = map[string]int{"cpu_ms": u.cpuMs}
	}
	doc, err := json.Marshal(metadata)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	kind := "application/javascript+module"
	if strings.HasSuffix(u.main, ".wasm") {
		kind = "application/wasm"
	}
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	form.WriteField("metadata", string(doc))
	if u.main == "" {
		form.Close()
		return form.FormDataContentType(), buf.Bytes()
	}
	part, _ := form.CreatePart(textproto.MIMEHeader{ // a bytes.Buffer takes every write
		"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, u.main, u.main)},
		"Content-Type":        {kind},
	})
	io.WriteString(part, u.source)
	form.Close()
	return form.FormDataContentType(), buf.Bytes()
}

func call(method, url, contentType string, body []byte) error {
	_, err := fetch(method, url, benchToken, contentType, body)
	return err
}

// fetch makes a request of the benches' own; an answer that is no 2xx is an error.
func fetch(method, url, token, contentType string, body []byte) ([]byte, error) {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %d %.500s", method, url, resp.StatusCode, answer)
	}
	return answer, err
}
