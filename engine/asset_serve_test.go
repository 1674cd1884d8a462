package engine

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	goruntime "runtime"
	"strings"
	"testing"

	"switchyard/engine/store"
	"switchyard/isolate"
)

func TestAssets(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	index, style := page("/index.html", "home"), assetFile{"/a b.css", "text/css", []byte("body{}")}
	p.deploySite("production/shop", "say worker\nurl", `{"_headers":"/*.css\n  x-css: yes\n  ! cache-control"}`, index, style, assetFile{"/raw", "", []byte("raw")})
	base := "http://shop.test"
	control := "cache-control=public, max-age=0, must-revalidate"
	tag := tagOf(index)
	p.wantAnswer("GET", base+"/raw", "200 etag="+tagOf(assetFile{"", "", []byte("raw")})+" "+control+" cf-cache-status=MISS raw")
	p.wantAnswer("GET", base+"/", "200 etag="+tag+" content-type=text/html; charset=utf-8 "+control+" cf-cache-status=MISS home")
	p.wantAnswer("GET", base+"/", "200 etag="+tag+" content-type=text/html; charset=utf-8 "+control+" cf-cache-status=HIT home")
	p.wantAnswer("HEAD", base+"/", "200 etag="+tag+" content-type=text/html; charset=utf-8 "+control+" cf-cache-status=HIT content-length=4")
	p.wantAnswer("GET", base+"/", "304 etag="+tag+" content-type=text/html; charset=utf-8 "+control+" cf-cache-status=HIT", "if-none-match", `"x", W/`+tag)
	p.wantAnswer("GET", base+"/", "206 etag="+tag+" content-type=text/html; charset=utf-8 content-range=bytes 1-2/4 cf-cache-status=HIT om", "range", "bytes=1-2")
	p.wantAnswer("GET", base+"/", "206 etag="+tag+" content-type=text/html; charset=utf-8 content-range=bytes 3-3/4 cf-cache-status=HIT e", "range", "bytes=-1", "if-range", tag)
	p.wantAnswer("GET", base+"/", "200 etag="+tag+" content-type=text/html; charset=utf-8 cf-cache-status=HIT home", "range", "bytes=-1", "if-range", `"other"`)
	p.wantAnswer("GET", base+"/", "416 etag="+tag+" content-type=text/html; charset=utf-8 content-range=bytes */4 cf-cache-status=HIT", "range", "bytes=9-")
	p.wantAnswer("GET", base+"/a%20b.css", "200 etag="+tagOf(style)+" content-type=text/css cf-cache-status=MISS x-css=yes body{}")
	p.wantAnswer("GET", base+"/index.html?q", "307 location=/?q")
	p.wantAnswer("POST", base+"/", "405 allow=GET, HEAD")
	p.wantAnswer("GET", base+"/api", "200 worker\nhttp://shop.test/api\n")
	if n := p.rt.builds(); n != 1 {
		t.Errorf("%d pools were made", n)
	}
	p.reopen()
	p.wantAnswer("GET", base+"/raw", "200 etag="+tagOf(assetFile{"", "", []byte("raw")})+" "+control+" cf-cache-status=MISS raw")
	if n := p.rt.builds(); n != 1 {
		t.Errorf("serving assets has made %d pools", n-1)
	}
	var problems []string
	if err := p.store.Check(func(text string) { problems = append(problems, text) }); err != nil || problems != nil {
		t.Errorf("check: %v %q", err, problems)
	}
}

// TestAssetsOfOthers: a binding, a service binding and a dispatch reach the version's own assets.
func TestAssetsOfOthers(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.Entry = "front" })
	p.namespace("production")
	p.deploySite("plain", "service ASSETS http://any/a", `{"run_worker_first":true}`, page("/a.html", "of plain"))
	p.deploySite("production/shop", "say worker", "", page("/a.html", "of shop"))
	p.deploySite("production/none", "service ASSETS http://any/nothing\ntry service ASSETS http://any/a", `{"run_worker_first":["/*"]}`, page("/a.html", "of none"))
	p.deploy("front", "service PLAIN http://x/a\ndispatch NS shop\ndispatch NS none", serviceTo("PLAIN", "plain"), dispatchTo("NS", "production", nil))
	p.want("http://front/a", "of plain\nof shop\n\nof none")
	p.want("http://front/b", "of plain\nworker\n\nof none")
}

// TestAssetsAlone: a version without a Worker answers everything.
func TestAssetsAlone(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploySite("production/docs", "", `{"not_found_handling":"404-page","_redirects":"/old /new 301"}`, page("/index.html", "home"), page("/404.html", "nothing"))
	p.want("http://docs/", "home")
	p.want("http://docs/x/y", "nothing")
	p.wantAnswer("GET", "http://docs/old", "301 location=/new")
	p.reopen()
	p.want("http://docs/", "home")
	s, err := p.Script(parseRef("production/docs"))
	if err != nil || s.HandlesHTTP || s.Version.Assets == nil || s.Version.Assets.Files != 2 || s.Version.Assets.Size != 11 {
		t.Errorf("%+v %v", s, err)
	}
	if n := p.rt.builds(); n != 0 {
		t.Errorf("%d pools were made", n)
	}
}

// TestLargeAssets: files and ranges over chunks, with a cache that holds some of them and with one
// that holds none.
func TestLargeAssets(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	content := make([]byte, 5*store.ChunkSize+1234)
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	for _, cache := range []int64{1, 20 << 20} {
		p := openPlatform(t, func(o *Options) { o.AssetCacheBytes = cache })
		p.namespace("production")
		p.deploySite("production/big", "", "", assetFile{"/big", "", content}, assetFile{"/even", "", content[:2*store.ChunkSize]}, assetFile{"/empty", "", nil})
		if got := p.get("http://big/empty"); got != "" {
			t.Errorf("empty: %q", got)
		}
		for _, path := range []string{"/big", "/even"} {
			whole := content
			if path == "/even" {
				whole = content[:2*store.ChunkSize]
			}
			for range 30 {
				first := r.IntN(len(whole))
				last := first + r.IntN(len(whole)-first)
				resp, err := p.Serve(&Event{Request: newRequest("GET", "http://big"+path, "range", fmt.Sprintf("bytes=%d-%d", first, last)), Host: "big"})
				if err != nil {
					t.Fatal(err)
				}
				if got := p.body(resp); !bytes.Equal([]byte(got), whole[first:last+1]) {
					t.Errorf("seed %d: %s %d-%d: %d other bytes", seed, path, first, last, len(got))
				}
				resp.Release()
			}
			resp, err := p.Serve(&Event{Request: newRequest("GET", "http://big"+path), Host: "big"})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.body(resp); got != string(whole) {
				t.Errorf("seed %d: %s: %d other bytes", seed, path, len(got))
			}
			resp.Release()
		}
		if bytes, _, _ := p.assets.kept.stats(); bytes > cache {
			t.Errorf("%d bytes are kept, %d may be", bytes, cache)
		}
	}
}

// TestAssetStreamsAreSmall: whoever reads a large file slowly holds one chunk of it.
func TestAssetStreamsAreSmall(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.AssetCacheBytes = 1 })
	p.namespace("production")
	content := make([]byte, 16<<20)
	rand.NewChaCha8([32]byte{1}).Read(content)
	p.deploySite("production/big", "", "", assetFile{"/big", "", content})
	const readers = 50
	heap := func() int64 {
		var m goruntime.MemStats
		goruntime.GC()
		goruntime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	var open []*isolate.Response
	for range readers {
		resp, err := p.Serve(&Event{Request: newRequest("GET", "http://big/big"), Host: "big"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, resp.Body.Stream, 3<<20); err != nil {
			t.Fatal(err)
		}
		open = append(open, resp)
	}
	if grown := heap() - before; grown > readers*2*store.ChunkSize {
		t.Errorf("%d readers of 16 MiB hold %d KiB", readers, grown>>10)
	}
	for _, resp := range open {
		resp.Release()
	}
}

// TestPackedAssets: text is compressed for who asks for it, under a weak validator, as long as the
// version's rules do not speak of codings.
func TestPackedAssets(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	long := page("/long.html", strings.Repeat("<p>text</p>", 1000))
	noise := make([]byte, 4096)
	rand.NewChaCha8([32]byte{2}).Read(noise)
	p.deploySite("production/shop", "", `{"_headers":"/coded\n  content-encoding: br\n/same\n  cache-control: no-transform"}`,
		long, page("/short.html", "short"), assetFile{"/noise.txt", "text/plain", noise}, assetFile{"/photo.jpg", "image/jpeg", long.content[1:]},
		page("/coded.html", strings.Repeat("coded ", 1000)), page("/same.html", strings.Repeat("same ", 1000)))
	ask := func(method, path string, header ...string) (*isolate.Response, string) {
		t.Helper()
		resp, err := p.Serve(&Event{Request: newRequest(method, "http://shop"+path, header...), Host: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		h := resp.Head.Headers()
		return resp, fmt.Sprintf("%d %s %s %s", resp.Head.Status(), h.Get("content-encoding"), h.Get("vary"), h.Get("etag"))
	}
	strong := tagOf(long)
	for _, test := range []struct{ path, accept, want string }{
		{"/long", "gzip, deflate, br", "200 br accept-encoding W/" + strong},
		{"/long", "gzip", "200 gzip accept-encoding W/" + strong},
		{"/long", "br;q=0, gzip;q=0.5", "200 gzip accept-encoding W/" + strong},
		{"/long", "zstd", "200  accept-encoding " + strong},
		{"/long", "", "200  accept-encoding " + strong},
		{"/short", "gzip", "200   " + tagOf(page("", "short"))},
		{"/noise.txt", "gzip", "200  accept-encoding " + tagOf(assetFile{"", "text/plain", noise})},
		{"/photo.jpg", "gzip", "200   " + tagOf(assetFile{"", "image/jpeg", long.content[1:]})},
		{"/coded", "gzip", "200 br accept-encoding " + tagOf(page("", strings.Repeat("coded ", 1000)))},
		{"/same", "gzip", "200  accept-encoding " + tagOf(page("", strings.Repeat("same ", 1000)))},
	} {
		for range 2 {
			resp, got := ask("GET", test.path, "accept-encoding", test.accept)
			if got != test.want {
				t.Errorf("%s, %q: %s, want %s", test.path, test.accept, got, test.want)
			}
			if test.path == "/long" {
				packed := len(resp.Body.Bytes)
				resp.Body.Decode(isolate.CodingOf(resp.Head.Headers()))
				if resp.Body.Stream != nil {
					resp.Body.Length = int64(len(long.content))
				}
				if p.body(resp) != string(long.content) || test.want[4] != ' ' && packed > 500 {
					t.Errorf("%q: %d other bytes", test.accept, packed)
				}
			}
			resp.Release()
		}
	}
	resp, got := ask("HEAD", "/long", "accept-encoding", "gzip")
	if length := string(resp.Head.Headers().Get("content-length")); got != "200 gzip accept-encoding W/"+strong || len(length) > 3 || resp.Body.Size() != 0 {
		t.Errorf("HEAD: %s, length %s", got, length)
	}
	if _, got := ask("GET", "/long", "accept-encoding", "gzip", "range", "bytes=0-1"); got != "206  accept-encoding "+strong {
		t.Errorf("a part: %s", got)
	}
	if _, got := ask("GET", "/long", "accept-encoding", "gzip", "if-none-match", "W/"+strong); got != "304  accept-encoding "+strong {
		t.Errorf("unchanged: %s", got)
	}
}

// TestAssetAllocations: a hit makes one object, the copy of its URL, besides those of whoever asks.
func TestAssetAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	p := openPlatform(t)
	p.namespace("production")
	p.deploySite("production/shop", "say worker", "", assetFile{"/a.css", "text/css", []byte("body{}")})
	request := newRequest("GET", "http://shop/a.css", "accept-encoding", "gzip, br")
	ev := Event{Context: t.Context(), Host: "shop"}
	var req isolate.Request
	ask := func() {
		req = *request
		ev.Request = &req
		resp, err := p.Serve(&ev)
		if err != nil {
			t.Fatal(err)
		}
		resp.Release()
	}
	if n := testing.AllocsPerRun(1000, ask); n > 1.5 {
		t.Errorf("%v allocations a hit", n)
	}
}
