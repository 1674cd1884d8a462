package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"switchyard/engine/store"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// origins is an Egress that answers as origins do:
//
//	/STATUS/PATH        STATUS, to /PATH
//	/raw?to=LOCATION    302, to LOCATION
//	/none, /empty       302, without Location, with an empty one
//	anything else       what was asked: method, body, some headers
//
// It lets nothing out to closed.test.
type origins struct {
	asked []string           // URLs
	keep  []*isolate.Request // not released yet, as a body that is still being sent is not
}

var errOut = errors.New("the host cannot be reached")

func (o *origins) Fetch(_ context.Context, _ string, _ []*EgressPolicy, req *isolate.Request) (*isolate.Response, error) {
	address := string(req.Head.URL())
	o.asked, o.keep = append(o.asked, address), append(o.keep, req)
	u, err := ParseURL(address, nil)
	if err != nil {
		return nil, err
	}
	if u.Hostname() == "closed.test" {
		return nil, errOut
	}
	body := req.Body.Bytes
	if req.Body.Stream != nil {
		if body, err = io.ReadAll(req.Body.Stream); err != nil {
			return nil, err
		}
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(u.Pathname(), "/"), "/")
	status, _ := strconv.Atoi(first)
	resp := &isolate.Response{URL: address}
	switch {
	case status != 0:
		resp.Head = moved(status, "/"+rest)
	case first == "raw":
		resp.Head = moved(302, strings.TrimPrefix(u.Search(), "?to="))
	case first == "none":
		resp.Head = abi.AppendResponseHead(nil, 302)
	case first == "empty":
		resp.Head = moved(302, "")
	default:
		resp.Head = abi.AppendResponseHead(nil, 200)
		h := req.Head.Headers()
		resp.Body.Bytes = fmt.Appendf(nil, "%s %s type=%q auth=%q cookie=%q keep=%q", req.Head.Method(), body, h.Get("content-type"), h.Get("authorization"), h.Get("cookie"), h.Get("x-keep"))
	}
	return resp, nil
}

func moved(status int, location string) abi.ResponseHead {
	return abi.AppendHeader(abi.AppendResponseHead(nil, status), 0, "location", location)
}

// release lets go of every request, in the order in which they came.
func (o *origins) release() {
	for _, r := range o.keep {
		r.Release()
	}
	o.keep = nil
}

// fetchFrom fetches as a Worker without an outbound Worker does. The request must be released
// once, and not before o lets go of what it was sent.
func fetchFrom(t *testing.T, o *origins, req *isolate.Request, mode string) (*isolate.Response, error) {
	t.Helper()
	released := 0
	req.Free = func(*isolate.Request) { released++ }
	l := &loaded{defaults: new(isolate.Limits)}
	l.settle(noTerms)
	inv := &invocation{engine: &Engine{egress: o}, loaded: l, asked: &noOptions, tenant: "t", chain: acquireChain(1), account: newAccount(newNamespace(store.Namespace{}), nil)}
	resp, err := inv.fetch(t.Context(), &isolate.Subrequest{Binding: isolate.FetchGlobal, Request: req, Redirect: mode})
	if released != 0 {
		t.Error("the request is released while it may still be sent")
	}
	o.release()
	if released != 1 {
		t.Errorf("the request is released %d times", released)
	}
	return resp, err
}

// What redirects of origins make of method, body and headers.
func TestRedirectsOfOrigins(t *testing.T) {
	large := strings.Repeat("0123456789", 50_000)
	for _, m := range []struct{ code, method, body, want string }{
		{"301", "GET", "", `GET  type="text/x" auth="a"`},
		{"301", "POST", "data", `GET  type="" auth="a"`},
		{"302", "POST", "data", `GET  type="" auth="a"`},
		{"302", "PUT", "data", `PUT data type="text/x" auth="a"`},
		{"303", "PUT", "data", `GET  type="" auth="a"`},
		{"303", "GET", "", `GET  type="text/x" auth="a"`},
		{"303", "HEAD", "", `HEAD  type="text/x" auth="a"`},
		{"307", "POST", "data", `POST data type="text/x" auth="a"`},
		{"308", "POST", "data", `POST data type="text/x" auth="a"`},
		{"307", "POST", large, `POST ` + large + ` type="text/x" auth="a"`},
		{"307/308/302", "POST", "data", `GET  type="" auth="a"`},
		{"302/307", "POST", "data", `GET  type="" auth="a"`},
	} {
		req := newRequest(m.method, "http://a.test/"+m.code+"/show", "content-type", "text/x", "authorization", "a")
		req.Body.Bytes = []byte(m.body)
		resp, err := fetchFrom(t, &origins{}, req, "follow")
		if err != nil {
			t.Errorf("%s %s: %v", m.method, m.code, err)
			continue
		}
		if got := string(resp.Body.Bytes); got != m.want+` cookie="" keep=""` || !resp.Redirected || resp.URL != "http://a.test/show" {
			t.Errorf("%s %s: %.100s at %s, want %.100s", m.method, m.code, got, resp.URL, m.want)
		}
	}
}

// What was meant for an origin does not reach another, nor comes back on the way home.
func TestRedirectsToOtherOrigins(t *testing.T) {
	for to, want := range map[string]string{
		"/show":                                   `GET  type="" auth="a" cookie="b" keep="c"`,
		"//a.test:80/show":                        `GET  type="" auth="a" cookie="b" keep="c"`,
		"http://b.test/show":                      `GET  type="" auth="" cookie="" keep="c"`,
		"https://a.test/show":                     `GET  type="" auth="" cookie="" keep="c"`,
		"http://a.test:81/show":                   `GET  type="" auth="" cookie="" keep="c"`,
		"http://b.test/raw?to=http://a.test/show": `GET  type="" auth="" cookie="" keep="c"`,
	} {
		req := newRequest("GET", "http://a.test/raw?to="+to, "authorization", "a", "cookie", "b", "x-keep", "c", "cookie2", "d", "proxy-authorization", "e")
		o := &origins{}
		resp, err := fetchFrom(t, o, req, "follow")
		if err != nil {
			t.Errorf("%s: %v", to, err)
		} else if got := string(resp.Body.Bytes); got != want {
			t.Errorf("%s: the origin saw %s, want %s", to, got, want)
		}
	}
}

// Where the way ends.
func TestEndsOfRedirects(t *testing.T) {
	stream := func() isolate.Body { return isolate.Body{Stream: io.NopCloser(strings.NewReader("x")), Length: -1} }
	for _, c := range []struct {
		path, mode string
		body       isolate.Body
		want       string // status and URL, or the error
		asked      int
	}{
		{"/301/show", "manual", isolate.Body{}, "301 http://a.test/301/show", 1},
		{"/none", "follow", isolate.Body{}, "302 http://a.test/none", 1},
		{"/empty", "follow", isolate.Body{}, "302 http://a.test/empty", 1},
		{"/300/show", "follow", isolate.Body{}, "300 http://a.test/300/show", 1},
		{"/304/show", "follow", isolate.Body{}, "304 http://a.test/304/show", 1},
		{"/show", "error", isolate.Body{}, "200 http://a.test/show", 1},
		{"/none", "error", isolate.Body{}, "302 http://a.test/none", 1},
		{"/301/show", "error", isolate.Body{}, errRedirect.Error(), 1},
		{strings.Repeat("/302", maxRedirects) + "/show", "follow", isolate.Body{}, "200 http://a.test/show", maxRedirects + 1},
		{strings.Repeat("/302", maxRedirects+1) + "/show", "follow", isolate.Body{}, errRedirects.Error(), maxRedirects + 1},
		{"/301/show", "follow", stream(), errReplay.Error(), 1},
		{"/302/show", "follow", stream(), errReplay.Error(), 1},
		{"/307/show", "follow", stream(), errReplay.Error(), 1},
		{"/303/show", "follow", stream(), "200 http://a.test/show", 2},
		{"/303/307/show", "follow", stream(), "200 http://a.test/show", 3},
		{"/307/show", "follow", isolate.Body{Stream: io.NopCloser(strings.NewReader("")), Length: 0}, "200 http://a.test/show", 2},
		{"/307/show", "manual", stream(), "307 http://a.test/307/show", 1},
		{"/raw?to=file:///etc/passwd", "follow", isolate.Body{}, `Invalid redirect: "file:///etc/passwd" is not a URL that can be fetched.`, 1},
		{"/raw?to=http://[/", "follow", isolate.Body{}, `Invalid redirect: "http://[/" is not a URL that can be fetched.`, 1},
		{"/raw?to=http://closed.test/", "follow", isolate.Body{}, errOut.Error(), 2},
		{"/raw?to=http://b.test/raw?to=http://closed.test/", "follow", isolate.Body{}, errOut.Error(), 3},
	} {
		o := &origins{}
		req := newRequest("POST", "http://a.test"+c.path)
		req.Body = c.body
		resp, err := fetchFrom(t, o, req, c.mode)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprintf("%d %s", resp.Head.Status(), resp.URL)
		}
		if got != c.want || len(o.asked) != c.asked {
			t.Errorf("%.60s, %s: %s after %d requests, want %s after %d", c.path, c.mode, got, len(o.asked), c.want, c.asked)
		}
	}
}

// A mode that there is not is a bug of ours, never taken for another.
func TestRedirectModes(t *testing.T) {
	defer func() {
		if r := fmt.Sprint(recover()); r != "BUG: redirect mode sideways" {
			t.Error(r)
		}
	}()
	fetchFrom(t, &origins{}, newRequest("GET", "http://a.test/"), "sideways")
}
