package egress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/gateway"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

func client(t testing.TB, change func(*Options)) *Client {
	t.Helper()
	o := Options{Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// local may reach this machine.
func local(t testing.TB) *Client {
	return client(t, func(o *Options) { o.Allow = []string{"127.0.0.1"} })
}

// origin runs an HTTP server and returns its address.
func origin(t testing.TB, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// rawOrigin answers every connection with f.
func rawOrigin(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	t.Cleanup(func() { ln.Close(); conns.Wait() })
	conns.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { defer c.Close(); f(c) })
		}
	})
	return ln.Addr().String()
}

func request(method, url string, headers ...string) *isolate.Request {
	head := abi.AppendRequestHead(nil, method, url)
	for i := 0; i < len(headers); i += 2 {
		head = abi.AppendHeader(head, 0, headers[i], headers[i+1])
	}
	return &isolate.Request{Head: abi.RequestHead(head)}
}

func fetch(c *Client, method, url, redirect string, headers ...string) (*isolate.Response, error) {
	return c.Fetch(context.Background(), "tenant", request(method, url, headers...), redirect)
}

// read returns a response's body and releases it.
func read(t testing.TB, resp *isolate.Response) string {
	t.Helper()
	defer resp.Release()
	if resp.Body.Stream == nil {
		return string(resp.Body.Bytes)
	}
	b, err := io.ReadAll(resp.Body.Stream)
	if err != nil {
		t.Errorf("body: %v", err)
	}
	return string(b)
}

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
		resp, err := fetch(c, "GET", "http://"+addr+u, "follow", "Accept", "*/*")
		if err != nil {
			t.Fatal(err)
		}
		sent := u
		if strings.HasPrefix(u, "//") {
			sent = "http://" + addr + u
		}
		sent = strings.ReplaceAll(sent, "'", "%27")
		if got, want := read(t, resp), fmt.Sprintf("GET %s host=%s length=0 header=map[Accept:[*/*]] body=", sent, addr); got != want {
			t.Errorf("%s:\n got %s\nwant %s", u, got, want)
		}
		if resp.URL != "http://"+addr+strings.ReplaceAll(u, "'", "%27") || resp.Redirected {
			t.Errorf("URL %q, redirected %v", resp.URL, resp.Redirected)
		}
	}
	resp, err := fetch(c, "GET", "http://"+addr+"/", "")
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
	for path, want := range map[string]string{"/%zz?%": "/%zz?%", "//evil/%zz": "http://" + addr + "//evil/%zz", "/a b/../c?d e": "/c?d%20e", "": "/", "?x": "/?x", "/*": "/*", "/x#y": "/x"} {
		resp, err := fetch(c, "GET", "http://"+addr+path, "")
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
	resp, err := fetch(local(t), "GET", "http://"+addr+"/", "", "host", "evil", "connection", "x-mine", "x-mine", "1", "te", "trailers", "upgrade", "websocket",
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
		resp, err := c.Fetch(context.Background(), "t", req, "")
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
	resp, err := fetch(local(t), "HEAD", "http://"+addr+"/", "")
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
	resp, err := local(t).Fetch(context.Background(), "t", req, "")
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

func TestOwnStaysClosed(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) { t.Error("reached") })
	c := client(t, func(o *Options) {
		o.Allow = []string{"127.0.0.0/8", addr}
		o.Own = []netip.AddrPort{netip.MustParseAddrPort(addr)}
	})
	if _, err := fetch(c, "GET", "http://"+addr+"/", ""); !errors.Is(err, errUnreachable) {
		t.Errorf("our own listener: %v", err)
	}
}

func TestMetrics(t *testing.T) {
	addr := origin(t, func(http.ResponseWriter, *http.Request) {})
	c := local(t)
	for _, url := range []string{"http://" + addr + "/", "http://10.0.0.1/", "http://127.0.0.1:22/", "http://127.0.0.1:1/", "http://[/"} {
		fetch(c, "GET", url, "")
	}
	var out bytes.Buffer
	c.WriteMetrics(&out)
	for _, want := range []string{`{result="answered"} 1`, `{result="refused"} 3`, `{result="failed"} 1`, "connections_open 1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in\n%s", want, out.String())
		}
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

// TestTenantsApart: no two tenants share a connection, and one tenant uses its own again.
func TestTenantsApart(t *testing.T) {
	var conns sync.Map
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		conns.Store(r.RemoteAddr, true)
	})
	c := client(t, func(o *Options) { o.Allow, o.Tenants = []string{"127.0.0.1"}, 3 })
	for range 5 {
		for _, tenant := range []string{"a", "b", "c"} {
			resp, err := c.Fetch(context.Background(), tenant, request("GET", "http://"+addr+"/"), "")
			if err != nil {
				t.Fatal(err)
			}
			read(t, resp)
		}
	}
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n != 3 {
		t.Errorf("%d connections for three tenants", n)
	}
	for i := range 50 {
		resp, err := c.Fetch(context.Background(), fmt.Sprint(i), request("GET", "http://"+addr+"/"), "")
		if err != nil {
			t.Fatal(err)
		}
		read(t, resp)
	}
	if n := len(c.pool.mu.byTenant); n != 3 {
		t.Errorf("%d tenants are kept, want 3", n)
	}
	for range 200 {
		if c.pool.dialer.open.Load() <= 3 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d connections are open", c.pool.dialer.open.Load())
}

func TestConnsCeiling(t *testing.T) {
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			w.WriteHeader(200)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})
	c := client(t, func(o *Options) { o.Allow, o.Conns = []string{"127.0.0.1"}, 2 })
	for _, tenant := range []string{"a", "b", "c", "d"} { // idle connections make room
		resp, err := c.Fetch(context.Background(), tenant, request("GET", "http://"+addr+"/"), "")
		if err != nil {
			t.Fatal(err)
		}
		read(t, resp)
	}
	for _, tenant := range []string{"a", "b"} {
		resp, err := c.Fetch(context.Background(), tenant, request("GET", "http://"+addr+"/hold"), "")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Release()
	}
	if _, err := c.Fetch(context.Background(), "e", request("GET", "http://"+addr+"/"), ""); !errors.Is(err, errConns) {
		t.Errorf("a third connection: %v", err)
	}
}

// TestBadOrigins: each fault is an error in time, and no connection is left behind.
func TestBadOrigins(t *testing.T) {
	reset := func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }
	head := func(c net.Conn) { http.ReadRequest(bufio.NewReader(c)) }
	cases := []struct {
		name   string
		origin func(net.Conn)
		want   error // of fetch or of the body
	}{
		{"hangs", func(c net.Conn) { head(c); time.Sleep(600 * time.Millisecond) }, errTimeout},
		{"closes", func(c net.Conn) { head(c) }, errLost},
		{"resets", func(c net.Conn) { head(c); reset(c) }, errLost},
		{"garbage", func(c net.Conn) { head(c); io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n") }, errLost},
		{"short body", func(c net.Conn) { head(c); io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc") }, errLost},
		{"short small body", func(c net.Conn) { head(c); io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") }, errLost},
		{"reset in body", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
			reset(c)
		}, errLost},
		{"silent in body", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
			time.Sleep(600 * time.Millisecond)
		}, errTimeout},
		{"bad chunk", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
		}, errLost},
		{"header too large", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nA: "+strings.Repeat("x", 200<<10)+"\r\n\r\n")
		}, errLost},
		{"too many headers", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("a:b\r\n", 20000)+"\r\n")
		}, errResponse},
		{"endless header", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "A: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}, errLost},
		{"two lengths", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
		}, errLost},
		{"status 999", func(c net.Conn) { head(c); io.WriteString(c, "HTTP/1.1 999 Hm\r\nContent-Length: 0\r\n\r\n") }, errResponse},
		{"switches protocols", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 101 Hm\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
		}, errResponse},
		{"too large", func(c net.Conn) { head(c); io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n") }, errTooLarge},
		{"too large in chunks", func(c net.Conn) {
			head(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for {
				if _, err := io.WriteString(c, "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n"); err != nil {
					return
				}
			}
		}, errTooLarge},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			addr := rawOrigin(t, tc.origin)
			c := client(t, func(o *Options) {
				o.Allow, o.ResponseBytes = []string{"127.0.0.1"}, 1<<20
				o.HeadTimeout, o.ReadTimeout = 200*time.Millisecond, 200*time.Millisecond
			})
			resp, err := fetch(c, "GET", "http://"+addr+"/", "")
			if err == nil {
				if resp.Body.Stream != nil {
					_, err = io.Copy(io.Discard, resp.Body.Stream)
				}
				resp.Release()
			}
			if !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("the message tells an address: %v", err)
			}
			for range 200 {
				if c.pool.dialer.open.Load() == 0 {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
			t.Errorf("%d connections are left", c.pool.dialer.open.Load())
		})
	}
}

// TestCancel: the end of the call ends a fetch, and a body that is being read.
func TestCancel(t *testing.T) {
	gone := make(chan bool, 2)
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.WriteHeader(200)
			http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		gone <- true
	})
	c := local(t)
	for _, path := range []string{"/head", "/body"} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, cancel)
		resp, err := c.Fetch(ctx, "t", request("GET", "http://"+addr+path), "")
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body.Stream)
			resp.Release()
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			t.Errorf("%s: it went on", path)
		}
		<-gone
	}
	// Close ends a Read in another goroutine.
	resp, err := c.Fetch(context.Background(), "t", request("GET", "http://"+addr+"/body"), "")
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { resp.Body.Stream.Close() })
	if _, err := resp.Body.Stream.Read(make([]byte, 1)); err == nil {
		t.Error("Read goes on after Close")
	}
	<-gone
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "secure") }))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer s.Close()
	addr := s.Listener.Addr().String()
	if _, err := fetch(local(t), "GET", "https://"+addr+"/", ""); !errors.Is(err, errCertificate) {
		t.Errorf("an unknown certificate: %v", err)
	}
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	resp, err := fetch(client(t, func(o *Options) { o.Allow, o.RootCAs = []string{addr}, roots }), "GET", "https://"+addr+"/", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, resp); got != "secure" {
		t.Errorf("%q", got)
	}
}

// TestNoEnvironment: a proxy of the environment would see every tenant's requests.
func TestNoEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "direct") })
	resp, err := fetch(local(t), "GET", "http://"+addr+"/", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, resp); got != "direct" {
		t.Errorf("%q", got)
	}
}

func TestOptionsName(t *testing.T) {
	_, err := New(Options{Allow: []string{"fine:80", "bad:port"}})
	if err == nil || !strings.Contains(err.Error(), `allow[1] "bad:port"`) {
		t.Errorf("%v", err)
	}
}

// TestLargeDownload: 100 MB pass in little memory, by stream.
func TestLargeDownload(t *testing.T) {
	const size = 100 << 20
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		piece := bytes.Repeat([]byte("x"), 64<<10)
		for sent := 0; sent < size; sent += len(piece) {
			w.Write(piece)
		}
	})
	resp, err := fetch(local(t), "GET", "http://"+addr+"/", "")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Release()
	if n, err := io.Copy(io.Discard, resp.Body.Stream); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
