package egress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/gateway"
	"switchyard/isolate"
)

func TestFetch(t *testing.T) {
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("Connection", "x")
		r.Header.Del(gateway.LoopHeader)
		fmt.Fprintf(w, "%s %s host=%s length=%d header=%v body=%s", r.Method, r.RequestURI, r.Host, r.ContentLength, r.Header, body)
	})
	c := local(t)
	for _, u := range []string{"/", "/a%2Fb?x=%20'y", "//evil/x?y"} {
		resp, err := fetch(c, "GET", "http://"+addr+u, "Accept", "*/*")
		if err != nil {
			t.Fatal(err)
		}
		sent := strings.ReplaceAll(u, "'", "%27")
		if got, want := read(t, resp), fmt.Sprintf("GET %s host=%s length=0 header=map[Accept:[*/*] Accept-Encoding:[gzip, br]] body=", sent, addr); got != want {
			t.Errorf("%s:\n got %s\nwant %s", u, got, want)
		}
		if resp.URL != "http://"+addr+strings.ReplaceAll(u, "'", "%27") || resp.Redirected {
			t.Errorf("URL %q, redirected %v", resp.URL, resp.Redirected)
		}
	}
	resp, err := fetch(c, "GET", "http://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for b := resp.Head.Headers(); len(b) > 0; {
		var name, value []byte
		name, value, b = b.Next()
		if string(name) != "date" && string(name) != "content-length" {
			names = append(names, string(name)+"="+string(value))
		}
	}
	if got := strings.Join(names, " "); got != "content-type=text/plain; charset=utf-8 set-cookie=a=1 set-cookie=b=2" {
		t.Errorf("headers: %s", got)
	}
}

// TestRequestLine: an URL goes on the wire as the URL standard serialises it, escapes that are
// none included.
func TestRequestLine(t *testing.T) {
	got := make(chan string, 1)
	addr := rawOrigin(t, func(c net.Conn) {
		line, _ := bufio.NewReader(c).ReadString('\n')
		got <- strings.TrimSpace(line)
		io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})
	c := local(t)
	for path, want := range map[string]string{"/%zz?%": "/%zz?%", "//evil/%zz": "//evil/%zz", "/a b/../c?d e": "/c?d%20e", "": "/", "?x": "/?x", "/*": "/*", "/x#y": "/x"} {
		resp, err := fetch(c, "GET", "http://"+addr+path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Release()
		if line := <-got; line != "GET "+want+" HTTP/1.1" {
			t.Errorf("%q: %q, want %q", path, line, want)
		}
	}
}

func TestHeadersThatStay(t *testing.T) {
	got := make(chan http.Header, 1)
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) { got <- r.Header })
	resp, err := fetch(local(t), "GET", "http://"+addr+"/", "host", "evil", "connection", "x-mine", "x-mine", "1", "te", "trailers", "upgrade", "websocket",
		"transfer-encoding", "chunked", "content-length", "7", "proxy-authorization", "x", "keep-alive", "1", "cf-connecting-ip", "6.6.6.6", "cf-worker", "x", "x-switchyard-hops", "1;forged",
		"x-switchyard-token", "t", "cookie", "a=1", "authorization", "b", "user-agent", "mine", "accept-encoding", "gzip", "cf-access-client-id", "id")
	if err != nil {
		t.Fatal(err)
	}
	resp.Release()
	h := <-got
	hops := h.Get(gateway.LoopHeader)
	h.Del(gateway.LoopHeader)
	if want := "map[Accept-Encoding:[gzip] Authorization:[b] Cf-Access-Client-Id:[id] Cookie:[a=1] User-Agent:[mine]]"; fmt.Sprint(h) != want {
		t.Errorf("the origin saw\n%v, want\n%v", h, want)
	}
	if !strings.HasPrefix(hops, "1;") || strings.Contains(hops, "forged") {
		t.Errorf("hops: %q", hops)
	}
}

func TestBodies(t *testing.T) {
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
		w.Header().Set("Content-Encoding", "gzip")
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	})
	c := local(t)
	large := strings.Repeat("0123456789", 20000)
	for _, body := range []isolate.Body{
		{Bytes: []byte("small")},
		{Bytes: []byte(large)},
		{Stream: io.NopCloser(strings.NewReader(large)), Length: int64(len(large))},
		{Stream: io.NopCloser(strings.NewReader(large)), Length: -1},
		{},
	} {
		want, length := "small", body.Size()
		if body.Bytes == nil && body.Stream == nil {
			want = ""
		} else if len(body.Bytes) != 5 {
			want = large
		}
		released := make(chan bool, 2)
		req := request("POST", "http://"+addr+"/")
		req.Body, req.Free = body, func(*isolate.Request) { released <- true }
		resp, err := c.Fetch(context.Background(), "t", nil, req)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Head.Headers().Get("x-length"); string(got) != fmt.Sprint(length) {
			t.Errorf("length %s, want %d", got, length)
		}
		if got := read(t, resp); got != want {
			t.Errorf("%d bytes came back, want %d", len(got), len(want))
		}
		select {
		case <-released:
		case <-time.After(time.Second):
			t.Error("the request is not released")
		}
		if len(released) != 0 {
			t.Error("the request is released twice")
		}
	}
}

func TestHEAD(t *testing.T) {
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "77") })
	resp, err := fetch(local(t), "HEAD", "http://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Head.Headers().Get("content-length"); string(got) != "77" || resp.Body.Size() != 0 {
		t.Errorf("length %q, body %d", got, resp.Body.Size())
	}
}

// TestStreaming: parts of a response arrive as they are sent, while the request is still
// being sent.
func TestStreaming(t *testing.T) {
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		rc.EnableFullDuplex()
		w.WriteHeader(200)
		rc.Flush()
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(w, "echo "+line)
			rc.Flush()
		}
	})
	pr, pw := io.Pipe()
	req := request("POST", "http://"+addr+"/")
	req.Body = isolate.Body{Stream: pr, Length: -1}
	resp, err := local(t).Fetch(context.Background(), "t", nil, req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Release()
	back := bufio.NewReader(resp.Body.Stream)
	for i := range 3 {
		fmt.Fprintf(pw, "%d\n", i)
		if line, err := back.ReadString('\n'); err != nil || line != fmt.Sprintf("echo %d\n", i) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	pw.Close()
	if _, err := back.ReadByte(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// TestRedirectsStay: a redirect is a response like others, with its body; nothing follows it here.
func TestRedirectsStay(t *testing.T) {
	asked := 0
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(307)
		io.WriteString(w, "moved")
	})
	resp, err := fetch(local(t), "GET", "http://"+addr+"/x")
	if err != nil {
		t.Fatal(err)
	}
	location := resp.Head.Headers().Get("location")
	if resp.Head.Status() != 307 || string(location) != "/elsewhere" || resp.URL != "http://"+addr+"/x" || resp.Redirected {
		t.Errorf("%d to %q from %s, redirected %v", resp.Head.Status(), location, resp.URL, resp.Redirected)
	}
	if body := read(t, resp); body != "moved" || asked != 1 {
		t.Errorf("%q after %d requests", body, asked)
	}
}

func TestLoopEnds(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) {})
	c := local(t)
	for hops, want := range map[int]error{0: nil, gateway.MaxHops - 1: nil, gateway.MaxHops: engine.ErrLoop} {
		ctx := context.WithValue(context.Background(), gateway.HopsKey{}, hops)
		if _, err := c.Fetch(ctx, "t", nil, request("GET", "http://"+addr+"/")); !errors.Is(err, want) {
			t.Errorf("after %d hops: %v, want %v", hops, err, want)
		}
	}
}

func TestOwnStaysClosed(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) { t.Error("reached") })
	c := client(t, func(o *Options) {
		o.Allow = []string{"127.0.0.0/8", addr}
		o.Own = []netip.AddrPort{netip.MustParseAddrPort(addr)}
	})
	if _, err := fetch(c, "GET", "http://"+addr+"/"); !errors.Is(err, errUnreachable) {
		t.Errorf("our own listener: %v", err)
	}
}

func TestMetrics(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) {})
	c := local(t)
	for _, url := range []string{"http://" + addr + "/", "http://10.0.0.1/", "http://127.0.0.1:22/", "http://127.0.0.1:1/", "http://[/"} {
		fetch(c, "GET", url)
	}
	var out bytes.Buffer
	c.WriteMetrics(&out)
	for _, want := range []string{`{result="answered"} 1`, `{result="refused"} 3`, `{result="failed"} 1`, "connections_open 1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in\n%s", want, out.String())
		}
	}
}

func TestOptionsName(t *testing.T) {
	_, err := New(Options{Allow: []string{"fine:80", "bad:port"}})
	if err == nil || !strings.Contains(err.Error(), `allow[1] "bad:port"`) {
		t.Errorf("%v", err)
	}
}
