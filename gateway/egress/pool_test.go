package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestTenantsApart: no two tenants share a connection, and one tenant uses its own again.
func TestTenantsApart(t *testing.T) {
	var conns sync.Map
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
		conns.Store(r.RemoteAddr, true)
	})
	c := client(t, func(o *Options) { o.Allow, o.Tenants = []string{"127.0.0.1"}, 3 })
	for range 5 {
		for _, tenant := range []string{"a", "b", "c"} {
			resp, err := c.Fetch(context.Background(), tenant, nil, request("GET", "http://"+addr+"/"))
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
		resp, err := c.Fetch(context.Background(), fmt.Sprint(i), nil, request("GET", "http://"+addr+"/"))
		if err != nil {
			t.Fatal(err)
		}
		read(t, resp)
	}
	if n := len(c.pool.mu.byKey); n != 3 {
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
		resp, err := c.Fetch(context.Background(), tenant, nil, request("GET", "http://"+addr+"/"))
		if err != nil {
			t.Fatal(err)
		}
		read(t, resp)
	}
	for _, tenant := range []string{"a", "b"} {
		resp, err := c.Fetch(context.Background(), tenant, nil, request("GET", "http://"+addr+"/hold"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Release()
	}
	if _, err := c.Fetch(context.Background(), "e", nil, request("GET", "http://"+addr+"/")); !errors.Is(err, errConns) {
		t.Errorf("a third connection: %v", err)
	}
}

// TestNoEnvironment: a proxy of the environment would see every tenant's requests.
func TestNoEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	addr := origin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "direct") })
	resp, err := fetch(local(t), "GET", "http://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, resp); got != "direct" {
		t.Errorf("%q", got)
	}
}
