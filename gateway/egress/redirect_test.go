package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"switchyard/engine"
	"switchyard/gateway"
	"switchyard/isolate"
)

func TestRedirects(t *testing.T) {
	other := origin(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "other auth=%q cookie=%q keep=%q", r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("X-Keep"))
	})
	var loops atomic.Int64
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		code, to, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch code {
		case "loop":
			loops.Add(1)
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "none":
			w.WriteHeader(302)
		case "show":
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s type=%q auth=%q", r.Method, body, r.Header.Get("Content-Type"), r.Header.Get("Authorization"))
		case "other":
			w.Header().Set("Location", "http://"+other+"/")
			w.WriteHeader(302)
		case "raw":
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(302)
		default:
			w.Header().Set("Location", "/"+to)
			var n int
			fmt.Sscan(code, &n)
			w.WriteHeader(n)
		}
	})
	c := local(t)
	for _, m := range []struct{ code, method, want string }{
		{"301", "GET", `GET  type="text/x" auth="a"`},
		{"301", "POST", `GET  type="" auth="a"`},
		{"302", "POST", `GET  type="" auth="a"`},
		{"302", "PUT", `PUT data type="text/x" auth="a"`},
		{"303", "PUT", `GET  type="" auth="a"`},
		{"303", "GET", `GET  type="text/x" auth="a"`},
		{"307", "POST", `POST data type="text/x" auth="a"`},
		{"308", "POST", `POST data type="text/x" auth="a"`},
	} {
		req := request(m.method, "http://"+addr+"/"+m.code+"/show", "content-type", "text/x", "authorization", "a")
		if m.method != "GET" {
			req.Body.Bytes = []byte("data")
		}
		resp, err := c.Fetch(context.Background(), "t", req, "follow")
		if err != nil {
			t.Errorf("%s %s: %v", m.method, m.code, err)
			continue
		}
		if got := read(t, resp); got != m.want || !resp.Redirected || resp.URL != "http://"+addr+"/show" {
			t.Errorf("%s %s: %s at %s, want %s", m.method, m.code, got, resp.URL, m.want)
		}
	}
	resp, err := fetch(c, "GET", "http://"+addr+"/other", "follow", "authorization", "a", "cookie", "b", "x-keep", "c")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, resp); got != `other auth="" cookie="" keep="c"` {
		t.Errorf("another origin saw %s", got)
	}
	for _, c := range []struct {
		path, mode string
		body       isolate.Body
		want       error
		status     int
	}{
		{"/301/show", "manual", isolate.Body{}, nil, 301},
		{"/none", "follow", isolate.Body{}, nil, 302},
		{"/301/show", "error", isolate.Body{}, errRedirect, 0},
		{"/loop", "follow", isolate.Body{}, errRedirects, 0},
		{"/307/show", "follow", isolate.Body{Stream: io.NopCloser(strings.NewReader("x")), Length: -1}, errReplay, 0},
		{"/303/show", "follow", isolate.Body{Stream: io.NopCloser(strings.NewReader("x")), Length: -1}, nil, 200},
		{"/raw?to=file:///etc/passwd", "follow", isolate.Body{}, errScheme, 0},
		{"/raw?to=http://127.0.0.2:1234/", "follow", isolate.Body{}, errUnreachable, 0},
		{"/raw?to=http://169.254.169.254/latest/meta-data/", "follow", isolate.Body{}, errUnreachable, 0},
		{"/raw?to=http://[::ffff:7f00:2]:1234/", "follow", isolate.Body{}, errUnreachable, 0},
		{"/raw?to=http://user:pass@1.1.1.1/", "follow", isolate.Body{}, errCredentials, 0},
		{"/raw?to=http://127.0.0.1:25/", "follow", isolate.Body{}, errPort, 0},
		{"/none", "sideways", isolate.Body{}, errRequest, 0},
	} {
		req := request("POST", "http://"+addr+c.path)
		req.Body = c.body
		resp, err := local(t).Fetch(context.Background(), "t", req, c.mode)
		if !errors.Is(err, c.want) || err == nil && resp.Head.Status() != c.status {
			t.Errorf("%s, %s: %v, %v, want %v %d", c.path, c.mode, resp, err, c.want, c.status)
		}
	}
	if n := loops.Load(); n != maxRedirects+1 {
		t.Errorf("%d requests in a loop, want %d", n, maxRedirects+1)
	}
}

func TestLoopEnds(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) {})
	c := local(t)
	for hops, want := range map[int]error{0: nil, gateway.MaxHops - 1: nil, gateway.MaxHops: engine.ErrLoop} {
		ctx := context.WithValue(context.Background(), gateway.HopsKey{}, hops)
		if _, err := c.Fetch(ctx, "t", request("GET", "http://"+addr+"/"), ""); !errors.Is(err, want) {
			t.Errorf("after %d hops: %v, want %v", hops, err, want)
		}
	}
}
