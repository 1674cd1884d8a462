package fuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"switchyard/engine"
)

const (
	assetHash     = "0123456789abcdef0123456789abcdef"
	validManifest = `{"manifest":{"/index.html":{"hash":"` + assetHash + `","size":5}}}`
	assetUpload   = `name="` + assetHash + `"; filename="` + assetHash + `"`
)

var assetSeeds = []struct{ manifest, contentType, form, config string }{
	{validManifest, formType, string(form(assetUpload+"\r\nContent-Type: text/html", "aGVsbG8=")), `{}`},
	{validManifest, formType, string(form(assetUpload, "aGVsbG8")), `{"html_handling":"none"}`},
	{validManifest, formType, string(form(assetUpload, "aGVs")), `{"_headers":"/*\n  a: b"}`},
	{validManifest, "application/octet-stream", string(form(assetUpload+"\r\nContent-Type: application/null", "aGVsbG8=")), `{"_redirects":"/a /b 301"}`},
	{`{"manifest":{}}`, formType, "", `{"run_worker_first":["/x"]}`},
	{`{"manifest":{"/../x":{"hash":"x","size":-1}}}`, "", "--XX", `[]`},
	{`{"manifest":{"/\u0000":{"hash":"` + assetHash + `","size":1e99}}}`, formType, "", `{"not_found_handling":7}`},
	{`{"manifest":null}`, formType, string(form(`name="`+strings.Repeat("f", 32)+`"`, "")), ``},
}

// FuzzAssets takes bytes through an upload of static assets: manifest, files, configuration. Each
// step is accepted, or refused with a reason and nothing is changed.
func FuzzAssets(f *testing.F) {
	for _, s := range assetSeeds {
		f.Add([]byte(s.manifest), s.contentType, []byte(s.form), s.config)
	}
	e, h := openControl(f)
	f.Fuzz(func(t *testing.T, manifest []byte, contentType string, files []byte, config string) {
		before := state(t, e)
		token := api(t, h, "POST", uploadPath+"fuzzed/assets-upload-session", uploadToken, "application/json", manifest)
		if token == "" {
			token = "none"
		}
		upload := strings.Replace(uploadPath, "dispatch/namespaces/production/scripts/", "assets/upload?base64=true", 1)
		if completion := api(t, h, "POST", upload, token, contentType, files); completion != "" {
			token = completion
		}
		metadata := fmt.Sprintf(`{"assets":{"jwt":%q,"config":%s}}`, token, config)
		status, success, text := put(h, "fuzzed", formType, form(`name="metadata"`, metadata))
		if status >= 500 || strings.HasPrefix(text, "no envelope") || success != (status == http.StatusOK) {
			t.Fatalf("status %d: %.500s", status, text)
		}
		if !success {
			if after := state(t, e); after != before {
				t.Fatalf("refused with %.300s, and yet changed\nbefore %s\nafter  %s", text, before, after)
			}
			return
		}
		defer e.DeleteScript(context.Background(), engine.Ref{Namespace: "production", Script: "fuzzed"})
		askDeployed(t, e)
	})
}

// api sends a request and returns the jwt of its result, "" where there is none. What is no success
// has a status and words that say so.
func api(t *testing.T, h http.Handler, method, path, token, contentType string, body []byte) string {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Host = "127.0.0.1:8788"
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header["Content-Type"] = []string{contentType}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer struct {
		Success bool
		Errors  []struct{ Message string }
		Result  struct{ JWT string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s: %d %.300s: %v", path, w.Code, w.Body, err)
	}
	if w.Code >= 500 || answer.Success != (w.Code < 300) || !answer.Success && (len(answer.Errors) == 0 || answer.Errors[0].Message == "") {
		t.Fatalf("%s: %d %.300s", path, w.Code, w.Body)
	}
	return answer.Result.JWT
}
