package egress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

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
			resp, err := fetch(c, "GET", "http://"+addr+"/")
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
		resp, err := c.Fetch(ctx, "t", nil, request("GET", "http://"+addr+path))
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
	resp, err := c.Fetch(context.Background(), "t", nil, request("GET", "http://"+addr+"/body"))
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
	if _, err := fetch(local(t), "GET", "https://"+addr+"/"); !errors.Is(err, errCertificate) {
		t.Errorf("an unknown certificate: %v", err)
	}
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	resp, err := fetch(client(t, func(o *Options) { o.Allow, o.RootCAs = []string{addr}, roots }), "GET", "https://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, resp); got != "secure" {
		t.Errorf("%q", got)
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
	resp, err := fetch(local(t), "GET", "http://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Release()
	if n, err := io.Copy(io.Discard, resp.Body.Stream); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
