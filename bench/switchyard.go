package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	benchToken = "bench"
	accountAPI = "/accounts/00000000000000000000000000000000/workers"
	inBench    = "/dispatch/namespaces/bench/scripts/"
)

// startHello serves every single-Worker scenario: the namespace's built-in dispatcher picks
// the user Worker by the host's first label.
func startHello(dir string) (*process, error) {
	wasm, err := readRepo("isolate/guest/c/hello.wasm")
	if err != nil {
		return nil, err
	}
	uploads := []upload{
		{path: inBench + "wasm", main: "worker.wasm", source: wasm},
		{path: inBench + "wasm-request", main: "worker.wasm", source: wasm, isolation: "request"},
	}
	for _, w := range []struct{ name, file, isolation string }{
		{"js", "hello.js", ""}, {"js-request", "hello.js", "request"}, {"url", "url.js", ""}, {"json", "json.js", ""}, {"html", "html.js", ""},
	} {
		source, err := readRepo("bench/peers/" + w.file)
		if err != nil {
			return nil, err
		}
		uploads = append(uploads, upload{path: inBench + w.name, main: "index.js", source: source, isolation: w.isolation})
	}
	return startSwitchyard(dir, "hello", nil, uploads)
}

// startDispatch serves the seed document's pair: dispatch Worker, then user Worker.
func startDispatch(dir string) (*process, error) {
	dispatcher, err := readRepo("examples/dispatcher/index.js")
	if err != nil {
		return nil, err
	}
	user, err := readRepo("bench/peers/hello.js")
	if err != nil {
		return nil, err
	}
	return startSwitchyard(dir, "dispatch", []string{"--entry", "dispatcher"}, []upload{
		{path: inBench + "js", main: "index.js", source: user},
		{path: "/scripts/dispatcher", main: "index.js", source: dispatcher, bindings: []map[string]any{
			{"type": "dispatch_namespace", "name": "DISPATCHER", "namespace": "bench"}}},
	})
}

// upload is one Worker to deploy over the control API.
type upload struct {
	path, main, source string
	isolation          string
	bindings           []map[string]any
}

func startSwitchyard(dir, name string, flags []string, uploads []upload) (*process, error) {
	binary := filepath.Join(dir, "switchyard")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/switchyard").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	args := append([]string{"serve", "--data", filepath.Join(dir, name), "--listen", "127.0.0.1:0",
		"--control", "127.0.0.1:0", "--token", benchToken, "--namespace", "bench"}, flags...)
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
	p.addr = ingress
	p.mallocs = func() (uint64, error) {
		return mallocs(strings.TrimSuffix(control, "/client/v4")+"/metrics", benchToken)
	}
	if err := deployAll(control, uploads); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func deployAll(control string, uploads []upload) error {
	err := call("POST", control+accountAPI+"/dispatch/namespaces", "application/json", []byte(`{"name":"bench"}`))
	if err != nil {
		return err
	}
	for _, u := range uploads {
		contentType, body := u.form()
		if err := call("PUT", control+accountAPI+u.path, contentType, body); err != nil {
			return err
		}
	}
	return nil
}

func (u upload) form() (contentType string, body []byte) {
	metadata := map[string]any{"main_module": u.main, "bindings": u.bindings}
	if u.isolation != "" {
		metadata["switchyard"] = map[string]string{"isolation": u.isolation}
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
	part, _ := form.CreatePart(textproto.MIMEHeader{ // a bytes.Buffer takes every write
		"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, u.main, u.main)},
		"Content-Type":        {kind},
	})
	io.WriteString(part, u.source)
	form.Close()
	return form.FormDataContentType(), buf.Bytes()
}

func call(method, url, contentType string, body []byte) error {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+benchToken)
	r.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, url, resp.StatusCode, answer)
	}
	return err
}
