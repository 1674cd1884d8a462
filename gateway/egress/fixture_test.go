package egress

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

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

func fetch(c *Client, method, url string, headers ...string) (*isolate.Response, error) {
	return c.Fetch(context.Background(), "tenant", nil, request(method, url, headers...))
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
