package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
