package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// redirected fetches what the client says, and tells what came of it.
const redirected = `export default { async fetch(request, env) {
	const { searchParams } = new URL(request.url);
	try {
		const response = await fetch(env.ORIGIN + "/?to=" + encodeURIComponent(searchParams.get("to")), {
			redirect: searchParams.get("mode"), method: "POST", body: "data", headers: { authorization: "secret" } });
		return new Response([response.status, response.url, response.redirected, await response.text()].join(" "));
	} catch (e) {
		return new Response("caught: " + e.message);
	}
} }`

// TestRedirectsMeetTheGuard: where an origin redirects to is checked as what a Worker asks for is.
func TestRedirectsMeetTheGuard(t *testing.T) {
	closed := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a closed port was reached") }))
	defer closed.Close()
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Method+" "+string(body)+" auth="+r.Header.Get("Authorization"))
	}))
	defer open.Close()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := r.URL.Query().Get("to")
		if to == "loop" {
			to = r.URL.String()
		}
		w.Header().Set("Location", to)
		w.WriteHeader(307)
		io.WriteString(w, "moved")
	}))
	defer origin.Close()
	address := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	closedPort := closed.URL[strings.LastIndexByte(closed.URL, ':'):]
	p := serve(t, t.TempDir(), "--config", allow(t, address(origin), address(open), "127.0.0.1:25"))
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(redirected, text("ORIGIN", origin.URL)))
	const unreachable = "caught: Network connection failed: the host cannot be reached."
	twice := origin.URL + "/?to=" + url.QueryEscape("http://169.254.169.254/")
	for _, c := range []struct{ mode, to, want string }{
		{"follow", open.URL + "/end#f", "200 " + open.URL + "/end true POST data auth="},
		{"follow", closed.URL + "/", unreachable},
		{"follow", "http://localhost" + closedPort + "/", unreachable},
		{"follow", "http://[::ffff:7f00:1]" + closedPort + "/", unreachable},
		{"follow", "http://127.0.0.2:1234/", unreachable},
		{"follow", "http://169.254.169.254/latest/meta-data/", unreachable},
		{"follow", twice, unreachable},
		{"follow", "http://" + p.ingress + "/", unreachable},
		{"follow", "http://127.0.0.1:25/", "caught: Fetch API cannot load: the port is not allowed: 25"},
		{"follow", "http://user:pass@1.1.1.1/", "caught: Fetch API cannot load: the URL contains credentials."},
		{"follow", "file:///etc/passwd", `caught: Invalid redirect: "file:///etc/passwd" is not a URL that can be fetched.`},
		{"follow", "loop", "caught: Too many redirects: more than 20."},
		{"error", open.URL, `caught: Unexpected redirect response: the request's redirect mode is "error".`},
		{"manual", "http://169.254.169.254/", "307 " + origin.URL + "/?to=http%3A%2F%2F169.254.169.254%2F false moved"},
	} {
		status, got := p.get("http://a.example.com/?mode=" + c.mode + "&to=" + url.QueryEscape(c.to))
		if status != 200 || got != c.want {
			t.Errorf("%s %s: %d %q, want %q", c.mode, c.to, status, got, c.want)
		}
	}
}
