package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// signalled tells the origin what becomes of request.signal, and waits in the way that the path says.
const signalled = `export default { async fetch(request, env, ctx) {
	const url = new URL(request.url), tell = (what) => ctx.waitUntil(fetch(env.ORIGIN + "/" + what + url.pathname));
	const listen = (r) => r.signal.addEventListener("abort", () => tell(r.signal.reason.name + r.signal.aborted));
	switch (url.pathname) {
	case "/hung":
		listen(request);
		return fetch(env.ORIGIN + "/never");
	case "/copy":
		listen(new Request(request, { headers: { a: "b" } }));
		await scheduler.wait(60_000);
		return new Response("late");
	case "/reading":
		listen(request);
		return new Response(await (await fetch(env.ORIGIN + "/slow")).text());
	case "/stream":
		listen(request);
		return new Response(new ReadableStream({ async pull(c) {
			await scheduler.wait(20);
			c.enqueue(new Uint8Array(1000));
		} }));
	case "/held":
		ctx.waitUntil((async () => { await scheduler.wait(300); tell("held"); })());
		return fetch(env.ORIGIN + "/never");
	case "/whole":
		listen(request);
		return new Response("whole " + request.signal.aborted);
	}
} }`

// TestRequestSignal: request.signal aborts when the client leaves before it has the whole response, in
// each Worker of the chain; what waitUntil has goes on.
func TestRequestSignal(t *testing.T) {
	told := make(chan string, 100)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/never":
			told <- "asked"
			<-r.Context().Done()
		case "/slow":
			io.WriteString(w, "some")
			w.(http.Flusher).Flush()
			told <- "asked"
			<-r.Context().Done()
		default:
			told <- r.URL.Path
		}
	}))
	defer origin.Close()
	p := serve(t, t.TempDir(), "--entry", "dispatcher", "--config", allow(t, strings.TrimPrefix(origin.URL, "http://")))
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(signalled, text("ORIGIN", origin.URL)))
	p.deploy(plainScripts+"dispatcher", script(`export default { fetch(request, env, ctx) {
		if (new URL(request.url).pathname === "/hung")
			request.signal.onabort = () => ctx.waitUntil(fetch(env.ORIGIN + "/dispatcher"));
		return env.DISPATCHER.get("a").fetch(request);
	} }`, dispatcherBinding("production", ""), text("ORIGIN", origin.URL)))
	for _, c := range []struct {
		path string
		want []string // in any order
	}{
		{"/hung", []string{"/AbortErrortrue/hung", "/dispatcher"}},
		{"/copy", []string{"/AbortErrortrue/copy"}},
		{"/reading", []string{"/AbortErrortrue/reading"}},
		{"/stream", []string{"/AbortErrortrue/stream"}},
		{"/held", []string{"/held/held"}},
	} {
		conn, err := net.Dial("tcp", p.ingress)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a.example.com\r\n\r\n", c.path)
		switch c.path {
		case "/stream":
			io.ReadFull(conn, make([]byte, 3000))
		case "/copy":
			time.Sleep(100 * time.Millisecond)
		default:
			<-told
		}
		conn.Close()
		left := append([]string(nil), c.want...)
		for len(left) > 0 {
			select {
			case got := <-told:
				for i, want := range left {
					if got == want {
						left = append(left[:i], left[i+1:]...)
						break
					}
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: nobody told of %q", c.path, left)
			}
		}
	}
	p.wants("http://a.example.com/whole", 200, "whole false")
	if p.wants("http://a.example.com/whole", 200, "whole false"); len(told) > 0 {
		t.Errorf("told %q although the client stayed", <-told)
	}
}
