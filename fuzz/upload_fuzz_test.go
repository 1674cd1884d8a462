package fuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"switchyard/engine"
	"switchyard/gateway/control"
	"switchyard/isolate"
)

const uploadToken = "token-of-the-fuzzer"

// uploadPath is where every upload goes; scripts of the namespace are what may change.
var uploadPath = "/client/v4/accounts/" + strings.Repeat("0", 32) + "/workers/dispatch/namespaces/production/scripts/"

// form is a multipart body: pairs of a part's header lines and its content.
func form(parts ...string) []byte {
	var b bytes.Buffer
	for i := 0; i < len(parts); i += 2 {
		fmt.Fprintf(&b, "--XX\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n", parts[i], parts[i+1])
	}
	b.WriteString("--XX--\r\n")
	return b.Bytes()
}

const (
	uploadModule  = "name=\"index.js\"; filename=\"index.js\"\r\nContent-Type: application/javascript+module"
	uploadSource  = "export default { fetch: () => new Response('x') }"
	formType      = "multipart/form-data; boundary=XX"
	validMetadata = `{"main_module":"index.js","bindings":[{"type":"secret_text","name":"S","text":"s"}],"tags":["a"]}`
)

var uploadSeeds = []struct {
	contentType string
	body        []byte
}{
	{formType, form(`name="metadata"`, validMetadata, uploadModule, uploadSource)},
	{formType, form(uploadModule, uploadSource, `name="metadata"; filename="blob"`+"\r\nContent-Type: application/json", validMetadata)},
	{formType, form(`name="metadata"`, `{"main_module":"../../etc/x"}`, `name="../../etc/x"; filename="../../etc/x"`, uploadSource)},
	{formType, form(`name="metadata"`, `{"main_module":"nowhere.js"}`, uploadModule, uploadSource)},
	{formType, form(`name="metadata"`, `{"main_module":"index.js","bindings":[{"type":"kv_namespace","name":"__proto__"}]}`, uploadModule, uploadSource)},
	{formType, form(`name="metadata"`, `{"main_module":"index.js","compatibility_date":"9999-99-99"}`, uploadModule, uploadSource)},
	{formType, form(`name="metadata"`, `{"main_module":"index.js","limits":{"cpu_ms":1e999}}`, uploadModule, uploadSource)},
	{formType, form(`name="metadata"`, validMetadata, uploadModule, "for (;;);")},
	{formType, form(`name="metadata"`, `{"body_part":"script"}`, `name="script"`+"\r\nContent-Type: application/javascript", "addEventListener('fetch', (e) => e.respondWith(new Response('x')))")},
	{formType, form(`name="metadata"`, strings.Repeat("[", 2000))},
	{formType, form(`name="metadata"`, `{"main_module":"m.wasm"}`, `name="m.wasm"; filename="m.wasm"`+"\r\nContent-Type: application/wasm", "\x00asm\x01\x00\x00\x00")},
	{formType, []byte("--XX\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{")},
	{"multipart/form-data", form(`name="metadata"`, validMetadata)},
	{"application/javascript+module", []byte(uploadSource)},
	{"application/wasm", []byte("\x00asm\x01\x00\x00\x00\x01")},
	{"text/plain; charset=\"", []byte("\xff\xfe")},
}

// openControl is a control API over an engine with one script in it.
func openControl(tb testing.TB) (*engine.Engine, http.Handler) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	e, err := engine.Open(engine.Options{Dir: tb.TempDir(), Runtime: needRuntime(tb), Log: func(engine.LogLine) {}, Logger: quiet, MaxLoaded: 4})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	if _, err := e.CreateNamespace(context.Background(), "production"); err != nil {
		tb.Fatal(err)
	}
	return e, control.New(control.Options{Platform: e, Token: uploadToken, Logger: quiet, MaxUpload: 1 << 20})
}

// put sends an upload and returns status and envelope.
func put(h http.Handler, name, contentType string, body []byte) (status int, success bool, text string) {
	r := httptest.NewRequest(http.MethodPut, uploadPath+name, bytes.NewReader(body))
	r.Host = "127.0.0.1:8788"
	r.Header.Set("Authorization", "Bearer "+uploadToken)
	r.Header["Content-Type"] = []string{contentType}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var e struct {
		Success bool
		Errors  []struct{ Message string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		return w.Code, false, "no envelope: " + w.Body.String()
	}
	if !e.Success && (len(e.Errors) == 0 || e.Errors[0].Message == "") {
		return w.Code, false, "no envelope: a failure without words: " + w.Body.String()
	}
	return w.Code, e.Success, w.Body.String()
}

// state is all that can be seen of the namespace.
func state(t testing.TB, e *engine.Engine) string {
	list, err := e.Scripts("production")
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].Version.Startup = 0
	}
	return fmt.Sprintf("%+v", list)
}

// FuzzUpload sends bytes as an upload. They are refused with a reason and nothing is changed,
// or they are deployed and the Worker can be asked; never is it a fault of the server.
func FuzzUpload(f *testing.F) {
	for _, s := range uploadSeeds {
		f.Add(s.contentType, s.body)
	}
	e, h := openControl(f)
	if status, _, text := put(h, "known", uploadSeeds[0].contentType, uploadSeeds[0].body); status != http.StatusOK {
		f.Fatal(text)
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		before := state(t, e)
		status, success, text := put(h, "fuzzed", contentType, body)
		if status >= 500 || strings.HasPrefix(text, "no envelope") {
			t.Fatalf("status %d: %.500s", status, text)
		}
		if success != (status == http.StatusOK) {
			t.Fatalf("status %d says success %v", status, success)
		}
		if !success {
			if after := state(t, e); after != before {
				t.Fatalf("refused with %.300s, and yet changed\nbefore %s\nafter  %s", text, before, after)
			}
			return
		}
		ref := engine.Ref{Namespace: "production", Script: "fuzzed"}
		defer e.DeleteScript(context.Background(), ref)
		if _, err := e.Script(ref); err != nil {
			t.Fatalf("accepted, and yet: %v", err)
		}
		askDeployed(t, e)
	})
}

// askDeployed asks what was deployed. Whatever it does is its own affair; it must end.
func askDeployed(t *testing.T, e *engine.Engine) {
	p := &platform{system: e}
	o := p.askEngine(context.Background(), &request{host: "fuzzed.test", path: "report"})
	if o.err == nil || refused(o.err) {
		return
	}
	if text := o.err.Error(); strings.Contains(text, "BUG:") {
		t.Fatal(text)
	}
	if status, _ := statusOf(o.err); status == http.StatusInternalServerError {
		var known bool
		for _, k := range []error{errThrown, isolate.ErrTrap, isolate.ErrNoResponse, isolate.ErrSubrequests} {
			known = known || (&request{}).failed(o, k)
		}
		if !known {
			t.Fatalf("an internal error: %v", o.err)
		}
	}
}
