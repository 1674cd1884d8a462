package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	goruntime "runtime"
	"strings"
	"testing"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// assetFile is a file to upload.
type assetFile struct {
	path, contentType string
	content           []byte
}

func page(path, content string) assetFile {
	return assetFile{path, "text/html; charset=utf-8", []byte(content)}
}

// fakeHash is a client's hash of content, with room for lies.
func fakeHash(content []byte) string { return store.HashOf(content).String()[:assetHashSize] }

// stage uploads what a session asks for and returns its completion token.
func (p *platform) stage(ref string, files ...assetFile) string {
	p.t.Helper()
	manifest := map[string]AssetFile{}
	for _, f := range files {
		manifest[f.path] = AssetFile{Hash: fakeHash(f.content), Size: int64(len(f.content))}
	}
	session, err := p.BeginAssets(context.Background(), parseRef(ref), manifest)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, bucket := range session.Buckets {
		for _, hash := range bucket {
			p.putAsset(session.Token, hash, files)
		}
	}
	token, err := p.FinishAssets(context.Background(), session.Token)
	if err != nil || token == "" {
		p.t.Fatalf("the session is not complete: %v", err)
	}
	return token
}

func (p *platform) putAsset(token, hash string, files []assetFile) {
	p.t.Helper()
	for _, f := range files {
		if fakeHash(f.content) == hash {
			if err := p.PutAsset(context.Background(), token, hash, f.contentType, f.content); err != nil {
				p.t.Fatal(err)
			}
			return
		}
	}
	p.t.Fatalf("the session asks for %s", hash)
}

// withAssets is an upload of source, "" for none, with files.
func (p *platform) withAssets(ref, source, config string, files ...assetFile) Upload {
	p.t.Helper()
	u := Upload{}
	if source != "" {
		u = upload(source, Binding{Name: "ASSETS", Type: AssetsBinding})
	}
	u.CompatibilityDate = "2025-09-01"
	u.Assets = &AssetsUpload{Token: p.stage(ref, files...)}
	if config != "" {
		u.Assets.Config = json.RawMessage(config)
	}
	return u
}

func (p *platform) deploySite(ref, source, config string, files ...assetFile) {
	p.t.Helper()
	if _, err := p.Deploy(context.Background(), parseRef(ref), p.withAssets(ref, source, config, files...)); err != nil {
		p.t.Fatal(err)
	}
}

// ask returns status, headers and body of a response.
func (p *platform) ask(method, url string, header ...string) string {
	p.t.Helper()
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	resp, err := p.Serve(&Event{Context: context.Background(), Request: newRequest(method, url, header...), Host: host})
	if err != nil {
		return "error: " + err.Error()
	}
	defer resp.Release()
	var b strings.Builder
	fmt.Fprint(&b, resp.Head.Status())
	for rest := resp.Head.Headers(); len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		fmt.Fprintf(&b, " %s=%s", name, value)
	}
	if text := p.body(resp); text != "" {
		fmt.Fprintf(&b, " %s", text)
	}
	return b.String()
}

func (p *platform) body(resp *isolate.Response) string {
	p.t.Helper()
	if resp.Body.Stream == nil {
		return string(resp.Body.Bytes)
	}
	text, err := io.ReadAll(resp.Body.Stream)
	if err != nil || int64(len(text)) != resp.Body.Length {
		p.t.Errorf("%d bytes of %d: %v", len(text), resp.Body.Length, err)
	}
	return string(text)
}

func (p *platform) wantAnswer(method, url, want string, header ...string) {
	p.t.Helper()
	if got := p.ask(method, url, header...); got != want {
		p.t.Errorf("%s %s %q:\n got %s\nwant %s", method, url, header, got, want)
	}
}

// tagOf is the ETag of an asset.
func tagOf(f assetFile) string {
	a := store.NewAsset("", "", f.contentType, int64(len(f.content)), []store.Hash{store.HashOf(f.content)})
	tag := entityTag(&a)
	return string(tag.strong())
}

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

// TestAssetsOfVersions: an upload without assets drops them, keep_assets and edits keep them.
func TestAssetsOfVersions(t *testing.T) {
	p, ctx := openPlatform(t), context.Background()
	p.namespace("production")
	ref := parseRef("production/shop")
	p.deploySite("production/shop", "say one", "", page("/a.html", "asset one"))
	p.want("http://shop/a", "asset one")
	u := upload("say two", Binding{Name: "ASSETS", Type: AssetsBinding})
	u.KeepAssets = true
	if _, err := p.Deploy(ctx, ref, u); err != nil {
		t.Fatal(err)
	}
	p.want("http://shop/a", "asset one")
	p.want("http://shop/b", "two")
	if _, err := p.Edit(ctx, ref, func(u *Upload) error { u.Bindings = append(u.Bindings, text("X", "y")); return nil }); err != nil {
		t.Fatal(err)
	}
	p.want("http://shop/a", "asset one")
	u = upload("say three")
	u.KeepAssets, u.Assets = true, &AssetsUpload{Config: json.RawMessage(`{"run_worker_first":true}`)}
	if _, err := p.Deploy(ctx, ref, u); err != nil {
		t.Fatal(err)
	}
	p.want("http://shop/a", "three")
	p.deploy("production/shop", "say four")
	p.want("http://shop/a", "four")
	versions, err := p.Versions(ref)
	if err != nil {
		t.Fatal(err)
	}
	first := versions[len(versions)-1].ID
	if _, err := p.AddDeployment(ctx, ref, []Share{{first, 100}}, nil); err != nil {
		t.Fatal(err)
	}
	p.want("http://shop/a", "asset one")
	p.want("http://shop/b", "one")
	p.reopen()
	p.want("http://shop/a", "asset one")
}

// TestAssetsAreIsolated: what one script has uploaded is neither there for another nor served to
// it, whatever hashes it names; and the same script uploads it once.
func TestAssetsAreIsolated(t *testing.T) {
	p, ctx := openPlatform(t), context.Background()
	p.namespace("production", "staging")
	secret := assetFile{"/s.txt", "text/plain", []byte("secret")}
	p.deploySite("production/a", "say a", "", secret)
	staged := p.stage("production/a", page("/later", "later"))
	manifest := map[string]AssetFile{"/mine": {fakeHash(secret.content), 6}, "/l": {fakeHash([]byte("later")), 5}}
	for _, other := range []string{"production/b", "staging/a", "a"} {
		session, err := p.BeginAssets(ctx, parseRef(other), manifest)
		if err != nil || len(session.Buckets) != 1 || len(session.Buckets[0]) != 2 {
			t.Fatalf("%s: %v %v", other, session.Buckets, err)
		}
		for _, token := range []string{session.Token, staged} {
			u := upload("say b")
			u.Assets = &AssetsUpload{Token: token}
			if _, err := p.Deploy(ctx, parseRef(other), u); !isInput(err, "assets.jwt") {
				t.Errorf("%s: deployed what it had not uploaded: %v", other, err)
			}
		}
		if token, err := p.FinishAssets(context.Background(), session.Token); token != "" || err != nil {
			t.Errorf("%s: complete: %v", other, err)
		}
	}
	session, err := p.BeginAssets(ctx, parseRef("production/a"), manifest)
	if err != nil || len(session.Buckets) != 0 {
		t.Errorf("again: %v %v", session.Buckets, err)
	}
	if err := p.DeleteScript(ctx, parseRef("production/a")); err != nil {
		t.Fatal(err)
	}
	session, err = p.BeginAssets(ctx, parseRef("production/a"), manifest)
	if err != nil || len(session.Buckets) != 1 || len(session.Buckets[0]) != 2 {
		t.Errorf("after it was deleted: %v %v", session.Buckets, err)
	}
}

func isInput(err error, field string) bool {
	e, ok := err.(*InputError)
	return ok && e.Field == field
}

func TestRefusedAssets(t *testing.T) {
	p, ctx := openPlatform(t), context.Background()
	p.namespace("production")
	ref, hash := parseRef("production/a"), fakeHash(nil)
	for name, manifest := range map[string]map[string]AssetFile{
		"no slash":   {"a": {hash, 1}},
		"empty":      {"": {hash, 1}},
		"folder":     {"/a/": {hash, 1}},
		"up":         {"/a/../b": {hash, 1}},
		"here":       {"/./b": {hash, 1}},
		"slashes":    {"//b": {hash, 1}},
		"NUL":        {"/a\x00": {hash, 1}},
		"newline":    {"/a\nb": {hash, 1}},
		"not UTF-8":  {"/\xff": {hash, 1}},
		"long":       {"/" + strings.Repeat("a", maxAssetPath): {hash, 1}},
		"no hash":    {"/a": {"", 1}},
		"short hash": {"/a": {"abc", 1}},
		"not hex":    {"/a": {strings.Repeat("x", 32), 1}},
		"negative":   {"/a": {hash, -1}},
		"too large":  {"/a": {hash, maxAssetSize + 1}},
		"two sizes":  {"/a": {hash, 1}, "/b": {hash, 2}},
	} {
		if _, err := p.BeginAssets(ctx, ref, manifest); !isInput(err, "manifest") {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := map[string]AssetFile{}
	for i := range maxAssets + 1 {
		many[fmt.Sprint("/", i)] = AssetFile{hash, 1}
	}
	if _, err := p.BeginAssets(ctx, ref, many); !isInput(err, "manifest") {
		t.Errorf("many: %v", err)
	}
	if _, err := p.BeginAssets(ctx, parseRef("none/a"), nil); err == nil {
		t.Error("a session in a namespace that is not there")
	}
	if _, err := p.BeginAssets(ctx, parseRef("production/a b"), nil); !isInput(err, "script_name") {
		t.Errorf("name: %v", err)
	}

	f := page("/a", "content")
	session, err := p.BeginAssets(ctx, ref, map[string]AssetFile{"/a": {fakeHash(f.content), 7}})
	if err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func() error{
		"size": func() error { return p.PutAsset(ctx, session.Token, fakeHash(f.content), "", []byte("conten")) },
		"hash": func() error { return p.PutAsset(ctx, session.Token, fakeHash(nil), "", f.content) },
		"type": func() error { return p.PutAsset(ctx, session.Token, fakeHash(f.content), "a\r\nb: c", f.content) },
	} {
		if err := put(); !isInput(err, "") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, token := range []string{"", "x.y.z", session.Token + "x", session.Token[:len(session.Token)-4], "eyJhbGciOiJub25lIn0." + strings.Split(session.Token, ".")[1] + "."} {
		wantErr(t, p.PutAsset(ctx, token, fakeHash(f.content), "", f.content), ErrAssetToken)
	}
	for name, u := range map[string]Upload{
		"incomplete": {Assets: &AssetsUpload{Token: session.Token}},
		"no token":   {Assets: &AssetsUpload{}},
		"none kept":  {Assets: &AssetsUpload{}, KeepAssets: true},
		"bad token":  {Assets: &AssetsUpload{Token: "x"}},
	} {
		if _, err := p.Deploy(ctx, ref, u); !isInput(err, "assets.jwt") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Deploy(ctx, ref, Upload{KeepAssets: true}); err == nil {
		t.Error("a version of nothing")
	}
	u := Upload{Assets: &AssetsUpload{Token: p.stage("production/a", f), Config: json.RawMessage(`{"html_handling":"x"}`)}}
	if _, err := p.Deploy(ctx, ref, u); !isInput(err, "assets.config.html_handling") {
		t.Errorf("config: %v", err)
	}
	if _, err := p.Deploy(ctx, ref, upload("say x", Binding{Name: "ASSETS", Type: AssetsBinding})); !isInput(err, "bindings[0]") {
		t.Errorf("a binding of nothing: %v", err)
	}
	if _, err := p.Script(ref); err == nil {
		t.Error("something was deployed")
	}
}

// TestAssetSessionSurvives a restart between its requests.
func TestAssetSessionSurvives(t *testing.T) {
	p, ctx := openPlatform(t), context.Background()
	p.namespace("production")
	p.deploySite("production/a", "say a", "", page("/old", "old"))
	files := []assetFile{page("/old", "old"), page("/one", "one"), page("/two", "two")}
	manifest := map[string]AssetFile{}
	for _, f := range files {
		manifest[f.path] = AssetFile{fakeHash(f.content), 3}
	}
	session, err := p.BeginAssets(ctx, parseRef("production/a"), manifest)
	if err != nil || len(session.Buckets[0]) != 2 {
		t.Fatal(session, err)
	}
	p.reopen()
	p.putAsset(session.Token, session.Buckets[0][0], files)
	if token, err := p.FinishAssets(context.Background(), session.Token); token != "" || err != nil {
		t.Fatalf("half is complete: %v", err)
	}
	p.reopen()
	p.putAsset(session.Token, session.Buckets[0][1], files)
	p.reopen()
	token, err := p.FinishAssets(context.Background(), session.Token)
	if token == "" || err != nil {
		t.Fatal(err)
	}
	p.reopen()
	if _, err := p.Deploy(ctx, parseRef("production/a"), Upload{Assets: &AssetsUpload{Token: token}}); err != nil {
		t.Fatal(err)
	}
	p.want("http://a/two", "two")
	p.want("http://a/old", "old")
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

// TestManyAssets: a manifest of 10,000 files is uploaded in groups of bounded size and found.
func TestManyAssets(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	var files []assetFile
	for i := range 10_000 {
		files = append(files, page(fmt.Sprintf("/%d/%d.html", i%100, i), fmt.Sprint("page ", i)))
	}
	manifest := map[string]AssetFile{}
	byHash := map[string]assetFile{}
	for _, f := range files {
		h := fakeHash(f.content)
		manifest[f.path], byHash[h] = AssetFile{h, int64(len(f.content))}, f
	}
	session, err := p.BeginAssets(context.Background(), parseRef("production/many"), manifest)
	if err != nil || len(session.Buckets) != 20 {
		t.Fatalf("%d buckets, %v", len(session.Buckets), err)
	}
	var token string
	for i, bucket := range session.Buckets {
		for _, h := range bucket {
			p.putAsset(session.Token, h, []assetFile{byHash[h]})
		}
		if token, err = p.FinishAssets(context.Background(), session.Token); err != nil || (token != "") != (i == 19) {
			t.Fatalf("after bucket %d: %q %v", i, token, err)
		}
	}
	if _, err := p.Deploy(context.Background(), parseRef("production/many"), Upload{Assets: &AssetsUpload{Token: token}}); err != nil {
		t.Fatal(err)
	}
	p.want("http://many/77/9977", "page 9977")
	p.wantAnswer("GET", "http://many/77/9977.html", "307 location=/77/9977")
	p.wantAnswer("GET", "http://many/77/9978", "404")
	if _, err := p.BeginAssets(context.Background(), parseRef("production/many"), manifest); err != nil {
		t.Fatal(err)
	}
}

func TestBuckets(t *testing.T) {
	missing := map[string]int64{}
	for i := range 30 {
		missing[fmt.Sprintf("%032x", i)] = int64(i) << 20
	}
	seen := 0
	for _, b := range buckets(missing) {
		size := int64(0)
		for _, h := range b {
			size += missing[h]
			seen++
		}
		if size > bucketBytes && len(b) > 1 || len(b) == 0 {
			t.Errorf("a bucket of %d files has %d bytes", len(b), size)
		}
	}
	if seen != len(missing) {
		t.Errorf("%d of %d", seen, len(missing))
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
