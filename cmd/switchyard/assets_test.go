package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const shopWorker = `export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/api/page") {
      const page = await env.ASSETS.fetch(new URL("/folder/index.html", request.url));
      return new Response((await page.text()).toUpperCase() + " " + page.url);
    }
    if (url.pathname.startsWith("/api/raw/")) return env.ASSETS.fetch(new Request("https://any.test" + url.pathname.slice(8), request));
    return new Response("worker at " + url.pathname);
  },
};`

// TestWranglerAssets deploys static assets with the unmodified client: beside a Worker and alone,
// outside a namespace and inside one.
func TestWranglerAssets(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	site := map[string]string{
		"public/index.html": "<h1>home</h1>", "public/folder/index.html": "folder", "public/app.js": "let a = 1;", "public/data.bin": "\x00\x01",
		"public/404.html": "nothing here", "public/_redirects": "/old /folder/ 301\n", "public/_headers": "/*.js\n  X-Custom: yes\n",
		"index.js": shopWorker,
	}
	with := func(config string) map[string]string {
		files := maps.Clone(site)
		files["wrangler.jsonc"] = config
		return files
	}
	p := serve(t, t.TempDir(), "--namespace", "production")
	p.wrangler(t.TempDir(), "dispatch-namespace", "create", "production")
	shop := folder(t, with(`{"name":"shop","main":"index.js","compatibility_date":"2025-09-01","workers_dev":false,
		"assets":{"directory":"public","binding":"ASSETS","not_found_handling":"404-page","run_worker_first":["/api/*"]}}`))
	docs := folder(t, with(`{"name":"docs","compatibility_date":"2025-09-01","workers_dev":false,"assets":{"directory":"public","not_found_handling":"404-page"}}`))
	p.wrangler(shop, "deploy", "--dispatch-namespace", "production")
	p.wrangler(docs, "deploy", "--dispatch-namespace", "production")
	for _, host := range []string{"http://shop.test", "http://docs.test"} {
		p.wants(host+"/", 200, "<h1>home</h1>")
		p.wants(host+"/folder/", 200, "folder")
		p.wants(host+"/nothing/at/all", 404, "nothing here")
		p.wantsHeaders(host+"/app.js", 200, "Content-Type: text/javascript; charset=utf-8", "X-Custom: yes", "Cache-Control: public, max-age=0, must-revalidate", "Cf-Cache-Status: MISS", "Content-Length: 10")
		p.wantsHeaders(host+"/old?a=b", 301, "Location: /folder/?a=b")
		p.wantsHeaders(host+"/folder", 307, "Location: /folder/")
		p.wantsHeaders(host+"/data.bin", 200, "Content-Type: application/octet-stream")
	}
	p.wants("http://shop.test/api/page", 200, "FOLDER http://shop.test/folder/")
	p.wants("http://shop.test/api/raw/app.js", 200, "let a = 1;")
	p.wants("http://shop.test/api/raw/none", 404, "nothing here")
	p.wants("http://shop.test/api/x", 200, "worker at /api/x")

	// Nothing is uploaded twice, and a changed file alone is.
	if out := p.wrangler(shop, "deploy", "--dispatch-namespace", "production"); !strings.Contains(out, "No updated asset files") {
		t.Errorf("deployed again: %s", out)
	}
	if err := os.WriteFile(filepath.Join(shop, "public/index.html"), []byte("new home"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := p.wrangler(shop, "deploy", "--dispatch-namespace", "production"); !strings.Contains(out, "Found 1 new or modified") {
		t.Errorf("deployed a changed file: %s", out)
	}
	p.wants("http://shop.test/", 200, "new home")

	// The same outside a namespace: the second time by a version and a deployment.
	p.wrangler(shop, "deploy")
	p.wrangler(shop, "deploy")
	p.wrangler(docs, "deploy")
	p.wrangler(docs, "deploy")
	for _, name := range []string{"shop", "docs"} {
		if status, e := p.api("PUT", "/workers/scripts/"+name+"/routes", "application/json", []byte(`[{"pattern":"plain-`+name+`.test/*"}]`)); status != 200 {
			t.Fatal(status, e.message())
		}
	}
	p.wants("http://plain-shop.test/", 200, "new home")
	p.wants("http://plain-shop.test/api/page", 200, "FOLDER")
	p.wants("http://plain-docs.test/", 200, "<h1>home</h1>")
	if status, _ := p.api("PUT", "/workers/scripts/shop/secrets", "application/json", []byte(`{"name":"S","text":"t","type":"secret_text"}`)); status != 200 {
		t.Fatal("secret", status)
	}
	p.wants("http://plain-shop.test/", 200, "new home")
}

// TestWranglerAssetVersions rolls files out and back with their versions.
func TestWranglerAssetVersions(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	p := serve(t, t.TempDir(), "--entry", "shop")
	dir := folder(t, map[string]string{"public/index.html": "one", "index.js": shopWorker,
		"wrangler.jsonc": `{"name":"shop","main":"index.js","compatibility_date":"2025-09-01","workers_dev":false,"assets":{"directory":"public","binding":"ASSETS","run_worker_first":["/api/*"]}}`})
	p.wrangler(dir, "deploy")
	p.wants("http://x.test/", 200, "one")
	if err := os.WriteFile(filepath.Join(dir, "public/index.html"), []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.wrangler(dir, "versions", "upload")
	p.wants("http://x.test/", 200, "one")
	var versions struct{ Items []struct{ ID string } }
	_, e := p.api("GET", "/workers/scripts/shop/versions", "", nil)
	if err := json.Unmarshal(e.Result, &versions); err != nil || len(versions.Items) != 2 {
		t.Fatalf("%s %v", e.Result, err)
	}
	p.wrangler(dir, "versions", "deploy", versions.Items[0].ID+"@100%", "--yes")
	p.wants("http://x.test/", 200, "two")
	p.wrangler(dir, "rollback", versions.Items[1].ID, "--yes", "--message", "back")
	p.wants("http://x.test/", 200, "one")
	p.wrangler(dir, "delete", "--force")
	p.wants("http://x.test/", 503, "")
}

// wantsHeaders checks status and headers of one answer.
func (p *platform) wantsHeaders(url string, status int, headers ...string) {
	p.t.Helper()
	r, err := p.client().Get(url)
	if err != nil {
		p.t.Fatal(err)
	}
	readAll(p.t, r.Body)
	if r.StatusCode != status {
		p.t.Errorf("%s: %d, want %d", url, r.StatusCode, status)
	}
	for _, h := range headers {
		if name, value, _ := strings.Cut(h, ": "); r.Header.Get(name) != value {
			p.t.Errorf("%s: %s is %q, want %q", url, name, r.Header.Get(name), value)
		}
	}
}

// putAssets uploads files by path and returns the completion token.
func (p *platform) putAssets(script string, files map[string]string) string {
	p.t.Helper()
	type entry struct {
		Hash string `json:"hash"`
		Size int    `json:"size"`
	}
	manifest, byHash := map[string]entry{}, map[string]string{}
	for i, path := range slices.Sorted(maps.Keys(files)) {
		hash := fmt.Sprintf("%032x", i)
		manifest[path], byHash[hash] = entry{hash, len(files[path])}, files[path]
	}
	body, _ := json.Marshal(map[string]any{"manifest": manifest})
	status, e := p.api("POST", script+"/assets-upload-session", "application/json", body)
	if status != 200 {
		p.t.Fatalf("session: %d %s", status, e.message())
	}
	var session struct {
		JWT     string
		Buckets [][]string
	}
	if err := json.Unmarshal(e.Result, &session); err != nil {
		p.t.Fatal(err)
	}
	token := session.JWT
	for _, bucket := range session.Buckets {
		token = p.putBucket(session.JWT, bucket, byHash)
	}
	return token
}

func (p *platform) putBucket(token string, bucket []string, byHash map[string]string) (completion string) {
	p.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for _, hash := range bucket {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + hash + `"`}, "Content-Type": {"text/html"}})
		if err != nil {
			p.t.Fatal(err)
		}
		io.WriteString(part, base64.StdEncoding.EncodeToString([]byte(byHash[hash])))
	}
	w.Close()
	r, err := http.NewRequest("POST", p.control+"/accounts/"+account+"/workers/assets/upload?base64=true", &form)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {w.FormDataContentType()}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	text := readAll(p.t, resp.Body)
	var answer struct{ Result struct{ JWT string } }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || resp.StatusCode != 201 && resp.StatusCode != 202 {
		p.t.Fatalf("upload: %d %s", resp.StatusCode, text)
	}
	return answer.Result.JWT
}

// TestAssetsSurviveAKill: a completion token from before a kill -9 is good after it, and what was
// deployed is served.
func TestAssetsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir, "--namespace", "production")
	p.createNamespace("production")
	script := customers("production") + "a"
	files := map[string]string{"/index.html": "home", "/big": strings.Repeat("0123456789", 200_000)}
	token := p.putAssets(script, files)
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p = serve(t, dir, "--namespace", "production")
	deploy := func() int {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		w.WriteField("metadata", `{"assets":{"jwt":"`+token+`"}}`)
		w.Close()
		status, _ := p.api("PUT", script, w.FormDataContentType(), form.Bytes())
		return status
	}
	if status := deploy(); status != 200 {
		t.Fatal(status)
	}
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p = serve(t, dir, "--namespace", "production")
	p.wants("http://a.test/", 200, "home")
	if status, body := p.get("http://a.test/big"); status != 200 || body != files["/big"] {
		t.Errorf("%d, %d bytes", status, len(body))
	}
	r, err := http.NewRequest("GET", "http://a.test/big", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Range", "bytes=1999990-")
	resp, err := p.client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, resp.Body); resp.StatusCode != 206 || body != "0123456789" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

// deployAssets uploads a Worker with files beside it.
func (p *platform) deployAssets(path string, w worker, config map[string]any, files map[string]string) {
	p.t.Helper()
	metadata := maps.Clone(w.metadata)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["assets"] = map[string]any{"jwt": p.putAssets(path, files), "config": config}
	w.metadata = metadata
	p.deploy(path, w)
}

// TestAssetsFromGuests: what a Worker passes on is by handle, from JavaScript and from wasm, and has
// the answer's own status: to HEAD, a range, what has not changed and a redirect too.
func TestAssetsFromGuests(t *testing.T) {
	module, err := os.ReadFile("../../isolate/guest/c/example.wasm")
	if err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir(), "--namespace", "production")
	p.createNamespace("production")
	large := strings.Repeat("0123456789abcdef", 20<<16) // 20 MiB
	first := map[string]any{"run_worker_first": true}
	w := script(`export default { fetch(request, env) { return env.ASSETS.fetch(request); } }`, map[string]any{"name": "ASSETS", "type": "assets"})
	w.metadata["limits"] = map[string]any{"memory_mb": 8, "cpu_ms": 50}
	p.deployAssets(customers("production")+"js", w, first, map[string]string{"/large": large, "/index.html": "home", "/f/index.html": "f"})
	for range 3 {
		if status, body := p.get("http://js.test/large"); status != 200 || body != large {
			t.Fatalf("%d, %d bytes", status, len(body))
		}
	}
	p.wants("http://js.test/", 200, "home")
	p.wants("http://js.test/none", 404, "")
	p.wantsHeaders("http://js.test/f?x", 307, "Location: /f/?x")
	r, err := p.client().Head("http://js.test/large")
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != 200 || r.ContentLength != int64(len(large)) {
		t.Errorf("HEAD: %d, length %d", r.StatusCode, r.ContentLength)
	}
	ask := func(header, value string) (int, string) {
		t.Helper()
		req, err := http.NewRequest("GET", "http://js.test/large", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, value)
		resp, err := p.client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, readAll(t, resp.Body)
	}
	if status, body := ask("If-None-Match", r.Header.Get("ETag")); status != 304 || body != "" {
		t.Errorf("unchanged: %d %q", status, body)
	}
	if status, body := ask("Range", "bytes=1048574-1048577"); status != 206 || body != "ef01" {
		t.Errorf("range: %d %.20q", status, body)
	}

	p.deployAssets(customers("production")+"wasm", worker{main: "worker.wasm", modules: map[string]string{"worker.wasm": string(module)},
		metadata: map[string]any{"bindings": []map[string]any{{"name": "DISPATCHER", "type": "assets"}}}}, first, map[string]string{"/dispatch/large": large})
	if status, body := p.get("http://wasm.test/dispatch/large"); status != 200 || body != large {
		t.Errorf("wasm: %d, %d bytes", status, len(body))
	}
	p.wants("http://wasm.test/hello", 200, "Hello /hello")
}

// TestCompressedAssets go compressed to a client that asks for it, through a Worker too, which reads
// them plain.
func TestCompressedAssets(t *testing.T) {
	p := serve(t, t.TempDir(), "--namespace", "production")
	p.createNamespace("production")
	long := strings.Repeat("<p>text</p>", 1000)
	w := script(`export default { async fetch(request, env) {
		const answer = await env.ASSETS.fetch(new Request("https://any.test/long", request));
		switch (new URL(request.url).pathname) {
			case "/pass": return answer;
			case "/again": return new Response(answer.body, answer);
			case "/rewrite": return new HTMLRewriter().on("p", { element(e) { e.setInnerContent("new"); } }).transform(answer);
			case "/method": return new Response(await env.ASSETS.nothing().then((v) => "called " + v, (e) => "refused: " + e.message));
			case "/read": return new Response((await answer.text()).length + " plain");
		}
	} }`, map[string]any{"name": "ASSETS", "type": "assets"})
	w.metadata["limits"] = map[string]any{"cpu_ms": 2000} // a thousand handlers on a busy machine
	p.deployAssets(customers("production")+"js", w, map[string]any{"run_worker_first": []string{"/pass", "/again", "/read", "/rewrite", "/method"}}, map[string]string{"/long.html": long})
	p.wants("http://js.test/method", 200, "refused: ") // static assets have no methods
	for _, accept := range []string{"gzip", "", "br, gzip"} {
		for path, want := range map[string]string{"/long": long, "/pass": long, "/again": long, "/rewrite": strings.Repeat("<p>new</p>", 1000), "/read": fmt.Sprint(len(long), " plain")} {
			req, err := http.NewRequest("GET", "http://js.test"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept-Encoding", accept)
			resp, err := p.client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, coding := readAll(t, resp.Body), resp.Header.Get("Content-Encoding")
			if coded := path != "/read" && accept != ""; coded != (coding != "") {
				t.Errorf("%s for %q is coded as %q", path, accept, coding)
			}
			if got, err := decoded(coding, []byte(body)); err != nil || string(got) != want {
				t.Errorf("%s for %q, %q: %d bytes, want %d, %v", path, accept, coding, len(got), len(want), err)
			}
		}
	}
}

// TestHostileAssetPaths reach no file but those of the manifest.
func TestHostileAssetPaths(t *testing.T) {
	p := serve(t, t.TempDir(), "--namespace", "production")
	p.createNamespace("production")
	script := customers("production") + "a"
	token := p.putAssets(script, map[string]string{"/index.html": "home", "/b/c.txt": "c"})
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	w.WriteField("metadata", `{"assets":{"jwt":"`+token+`"}}`)
	w.Close()
	if status, e := p.api("PUT", script, w.FormDataContentType(), form.Bytes()); status != 200 {
		t.Fatal(status, e.message())
	}
	for path, want := range map[string]int{
		"/%00": 404, "/b/%2e%2e/%2e%2e/etc/passwd": 404, "/..%2f..%2fetc%2fpasswd": 404, "/b%2Fc.txt": 307, "/%5c%5cevil.test": 404,
		"/" + strings.Repeat("a", 8000): 404, "/" + strings.Repeat("%2e%2e/", 1000): 200, "/%ff%fe": 404, "//b//c.txt": 307, "/b/c.txt?%00": 200,
	} {
		if status, body := p.get("http://a.test" + path); status != want {
			t.Errorf("%.60s: %d %.60s, want %d", path, status, body, want)
		}
	}
}
