package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

const codedText = "hello hello hello hello hello hello hello hello"

// codingStories are Workers that meet content codings. What each answers is what workerd does, on
// the wire, for a client that takes everything.
var codingStories = []struct{ name, worker, want string }{
	{"read gzip", `const r = await fetch(O + "gzip"); return Response.json([r.headers.get("content-encoding"), r.headers.has("content-length"), await r.text()])`, `200 OK plain ["gzip",true,"TEXT"]`},
	{"read br", `const r = await fetch(O + "br"); return Response.json([r.headers.get("content-encoding"), await r.text()])`, `200 OK plain ["br","TEXT"]`},
	{"read as a stream", `const r = await fetch(O + "gzip"); let s = ""; const d = new TextDecoder(); for await (const c of r.body) s += d.decode(c, { stream: true }); return new Response(s)`, "200 OK plain TEXT"},
	{"another coding is bytes", `const r = await fetch(O + "deflate"); return new Response((await r.arrayBuffer()).byteLength)`, "200 OK plain 11"},
	{"two codings are bytes", `const r = await fetch(O + "double"); return new Response((await r.arrayBuffer()).byteLength)`, "200 OK plain 11"},
	{"passed on", `return fetch(O + "gzip")`, "200 OK gzip TEXT"},
	{"passed on, brotli", `return fetch(O + "br")`, "200 OK br TEXT"},
	{"under the same head", `const r = await fetch(O + "gzip"); return new Response(r.body, r)`, "200 OK gzip TEXT"},
	{"under another head", `const r = await fetch(O + "gzip"); return new Response(r.body)`, "200 OK plain TEXT"},
	{"coded again", `const r = await fetch(O + "gzip"); return new Response(r.body, { headers: { "content-encoding": "br" } })`, "200 OK br TEXT"},
	{"transformed", `const r = await fetch(O + "gzip"); return new Response(r.body.pipeThrough(new TransformStream()), r)`, "200 OK gzip TEXT"},
	{"rewritten", `const r = await fetch(O + "html"); return new HTMLRewriter().on("b", { element(e) { e.setInnerContent("new") } }).transform(r)`, "200 OK gzip <b>new</b>"},
	{"cloned", `const r = await fetch(O + "gzip"), c = r.clone(); return Response.json([await r.text(), await c.text()])`, `200 OK plain ["TEXT","TEXT"]`},
	{"a handle, manual", `const r = await fetch(O + "gzip"); return new Response(r.body, { headers: r.headers, encodeBody: "manual" })`, "200 OK gzip (not gzip) TEXT"},
	{"own text", `return new Response("TEXT", { headers: { "content-encoding": "gzip" } })`, "200 OK gzip TEXT"},
	{"own text, brotli", `return new Response("TEXT", { headers: { "content-encoding": "br" } })`, "200 OK br TEXT"},
	{"own text, another coding", `return new Response("TEXT", { headers: { "content-encoding": "deflate" } })`, "200 OK deflate TEXT"},
	{"own text, manual", `return new Response("TEXT", { headers: { "content-encoding": "gzip" }, encodeBody: "manual" })`, "200 OK gzip (not gzip) TEXT"},
	{"own text, wrong length", `return new Response("TEXT", { headers: { "content-encoding": "gzip", "content-length": "5" } })`, "200 OK gzip TEXT"},
	{"own bytes, compressed by hand", `const b = await new Response(new Blob(["TEXT"]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(); return new Response(b, { headers: { "content-encoding": "gzip" }, encodeBody: "manual" })`, "200 OK gzip TEXT"},
	{"own stream", `const { readable, writable } = new TransformStream(); const w = writable.getWriter(); w.write(new TextEncoder().encode("TE")); w.write(new TextEncoder().encode("XT")); w.close(); return new Response(readable, { headers: { "content-encoding": "gzip" } })`, "200 OK gzip TEXT"},
	{"no body", `return new Response(null, { headers: { "content-encoding": "gzip" } })`, "200 OK gzip"},
	{"no body by status", `return new Response(null, { status: 204, headers: { "content-encoding": "gzip" } })`, "204 No Content gzip"},
	{"encodeBody is an enumeration", `try { new Response("", { encodeBody: "no" }) } catch (e) { return new Response(e.name + ": " + e.message) }`, "200 OK plain TypeError: encodeBody: unexpected value: no"},
	{"a request is not coded", `const r = await fetch(O + "gzip"); return fetch(O + "sink", { method: "POST", body: r.body, headers: { "content-encoding": "gzip" } })`, "200 OK plain gzip TEXT"},
	{"a request's own", `return fetch(O + "sink", { method: "POST", body: "TEXT", headers: { "content-encoding": "gzip" } })`, "200 OK plain gzip TEXT"},
	{"not gzip", `const r = await fetch(O + "bad"); try { return new Response(await r.text()) } catch (e) { return new Response(e.message) }`, "200 OK plain Gzip decompression failed."},
	{"cut short", `const r = await fetch(O + "cut"); try { return new Response(await r.text()) } catch (e) { return new Response(e.message) }`, "200 OK plain Gzip compressed stream ended prematurely."},
	{"identity asked for", `return fetch(O + "asked", { headers: { "accept-encoding": "identity" } })`, "200 OK plain identity"},
	{"HEAD", `const r = await fetch(O + "gzip", { method: "HEAD" }); return Response.json([r.headers.get("content-encoding"), await r.text()])`, `200 OK plain ["gzip",""]`},
	{"reason of an origin", `const r = await fetch(O + "teapot"); return Response.json([r.status, r.statusText])`, `200 OK plain [418,"Very much a teapot"]`},
	{"reason passed on", `return fetch(O + "teapot")`, "418 Very much a teapot plain tea"},
	{"reason copied", `const r = await fetch(O + "teapot"); return new Response(r.clone().body, r)`, "418 Very much a teapot plain tea"},
	{"own reason", `return new Response("x", { status: 201, statusText: "Made" })`, "201 Made plain x"},
}

// codingWorker serves each story at /N?origin=….
func codingWorker() string {
	var cases strings.Builder
	for _, s := range codingStories {
		fmt.Fprintf(&cases, "async (O) => { %s },\n", strings.ReplaceAll(s.worker, "TEXT", codedText))
	}
	return `const stories = [` + cases.String() + `];
export default { fetch(request) {
	const url = new URL(request.url);
	return stories[url.pathname.slice(1)](url.searchParams.get("origin"));
} };`
}

func gzipped(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.WriteString(w, text)
	w.Close()
	return out.Bytes()
}

func codedOrigin(w http.ResponseWriter, r *http.Request) {
	coded := func(coding string, body []byte) {
		w.Header().Set("Content-Encoding", coding)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	}
	switch r.URL.Path {
	case "/gzip":
		coded("gzip", gzipped(codedText))
	case "/html":
		w.Header().Set("Content-Type", "text/html")
		coded("gzip", gzipped("<b>old</b>"))
	case "/br":
		var out bytes.Buffer
		b := brotli.NewWriter(&out)
		io.WriteString(b, codedText)
		b.Close()
		coded("br", out.Bytes())
	case "/deflate":
		coded("deflate", []byte("eleven byte"))
	case "/double":
		coded("gzip, gzip", []byte("eleven byte"))
	case "/bad":
		coded("gzip", []byte("this was never gzip"))
	case "/cut":
		coded("gzip", gzipped(codedText)[:25])
	case "/asked":
		io.WriteString(w, r.Header.Get("Accept-Encoding"))
	case "/sink":
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Header.Get("Content-Encoding")+" "+string(body))
	case "/teapot":
		conn, _, _ := w.(http.Hijacker).Hijack()
		io.WriteString(conn, "HTTP/1.1 418 Very much a teapot\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntea")
		conn.Close()
	}
}

// wireOf tells status line, coding and text of a response, which was not decoded.
func wireOf(t *testing.T, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	coding := r.Header.Get("Content-Encoding")
	switch plain, err := decoded(coding, body); {
	case coding == "":
		coding = "plain"
	case len(body) == 0:
	case err != nil:
		coding += " (not " + coding + ")"
	default:
		body = plain
	}
	return strings.TrimSpace(r.Status + " " + coding + " " + strings.ReplaceAll(string(body), codedText, "TEXT"))
}

func decoded(coding string, body []byte) ([]byte, error) {
	switch coding {
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	case "br":
		return io.ReadAll(brotli.NewReader(bytes.NewReader(body)))
	}
	return body, nil
}

// asClient sends a GET whose Accept-Encoding is accept; "" sends none.
func asClient(t *testing.T, addr, host, target, accept string) *http.Response {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+addr+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if accept != "" {
		req.Header.Set("Accept-Encoding", accept)
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestContentCodings(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(codedOrigin))
	defer origin.Close()
	p := serve(t, t.TempDir(), "--config", allow(t, strings.TrimPrefix(origin.URL, "http://")))
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(codingWorker()))
	for i, s := range codingStories {
		target := fmt.Sprintf("/%d?origin=%s", i, url.QueryEscape(origin.URL+"/"))
		if got := wireOf(t, asClient(t, p.ingress, "a.example.com", target, "br, gzip")); got != s.want {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
		// A client that takes nothing is sent nothing coded; what is not what it says it is breaks off.
		want := strings.NewReplacer(" gzip TEXT", " plain TEXT", " br TEXT", " plain TEXT", " gzip <", " plain <", " gzip", " plain").Replace(s.want)
		if strings.Contains(s.want, "(not") || strings.Contains(s.worker, `"sink"`) || strings.Contains(s.want, `"gzip"`) {
			continue
		}
		if got := wireOf(t, asClient(t, p.ingress, "a.example.com", target, "")); got != want {
			t.Errorf("%s, for a client without codings: %s, want %s", s.name, got, want)
		}
	}
}

// TestContentCodingsOfWorkerd holds the table above against workerd.
func TestContentCodingsOfWorkerd(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(codedOrigin))
	defer origin.Close()
	file := filepath.Join(t.TempDir(), "index.js")
	if err := os.WriteFile(file, []byte(codingWorker()), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := serveWorkerd(t, []workerdWorker{{name: "a", modules: []workerdModule{{name: "index.js", file: file}}}})["a"]
	for i, s := range codingStories {
		target := fmt.Sprintf("/%d?origin=%s", i, url.QueryEscape(origin.URL+"/"))
		if got := wireOf(t, asClient(t, addr, "a.example.com", target, "br, gzip")); got != s.want {
			t.Errorf("%s: workerd answers %s, the table says %s", s.name, got, s.want)
		}
	}
}
