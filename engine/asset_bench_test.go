package engine

import (
	"context"
	"testing"
)

// BenchmarkAsset is a hit of a small file of a script with a Worker, found by the built-in
// dispatcher; plain is the same request to that Worker's pool, which does nothing.
func BenchmarkAsset(b *testing.B) {
	p := openPlatform(b)
	p.namespace("production")
	p.deploySite("production/shop", "say worker", "", page("/index.html", "home"), page("/a.html", "asset"))
	p.deploySite("production/ruled", "say worker", `{"_headers":"/*\n  x-a: b\n/a/:b\n  c: d","_redirects":"/old /new\n/b/* /c/:splat"}`, page("/a.html", "asset"))
	for name, url := range map[string]string{"file": "http://shop/a", "rules": "http://ruled/a", "worker": "http://shop/none"} {
		b.Run(name, func(b *testing.B) {
			request := newRequest("GET", url, "user-agent", "test", "accept", "*/*", "accept-encoding", "gzip, br")
			ev := Event{Context: context.Background(), Host: url[len("http://") : len(url)-len(urlPath([]byte(url)))]}
			b.ReportAllocs()
			for b.Loop() {
				req := *request
				ev.Request = &req
				resp, err := p.Serve(&ev)
				if err != nil {
					b.Fatal(err)
				}
				resp.Release()
			}
		})
	}
}
