package engine

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"switchyard/engine/site"
	"switchyard/engine/store"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// What is known of a version's assets (version.assets). What they are is read when they are asked
// for.
const (
	assetsUnknown = iota // nobody has looked
	withoutAssets
	withAssets
)

func assetsOfRecord(r *store.Version) uint32 {
	if r.Assets == nil {
		return withoutAssets
	}
	return withAssets
}

// versionSite is a version's assets, ready to serve.
type versionSite struct {
	config   *site.Config
	manifest *store.Manifest
	owner    string // the script's id
	alone    bool   // there is no Worker behind it
}

// site returns the assets of v; nil when it has none.
func (e *Engine) site(ctx context.Context, v *version) (*versionSite, error) {
	if v.assets.Load() == withoutAssets {
		return nil, nil
	}
	key := assetKey{owner: v.id}
	if kept, ok := e.assets.kept.get(key); ok {
		return kept.(*versionSite), nil
	}
	unlock, err := e.assets.loading.lock(ctx, v.id)
	if err != nil {
		return nil, isolate.ErrCanceled
	}
	defer unlock()
	if kept, ok := e.assets.kept.get(key); ok { // whoever had the lock has made it
		return kept.(*versionSite), nil
	}
	s, err := e.loadSite(v)
	if s != nil {
		e.assets.kept.put(key, s, s.manifest.Memory()+siteOverhead)
	}
	return s, err
}

// siteOverhead is about what rules take that are compiled, in bytes.
const siteOverhead = 16 << 10

func (e *Engine) loadSite(v *version) (*versionSite, error) {
	r, err := e.stored(v)
	if deleted(err) {
		return nil, ErrWorkerNotFound
	}
	if err != nil {
		return nil, err
	}
	v.assets.Store(assetsOfRecord(r))
	if r.Assets == nil {
		return nil, nil
	}
	s := &versionSite{owner: v.script.id, alone: r.Main == ""}
	if s.manifest, err = e.store.Manifest(r.Assets.Manifest); err != nil {
		return nil, fmt.Errorf("assets of version %s: %w", v.id, storeError(err))
	}
	if s.config, err = site.Parse(r.Assets.Config, r.CompatibilityDate, r.CompatibilityFlags); err != nil {
		return nil, fmt.Errorf("%w: assets of version %s: %w", store.ErrCorrupt, v.id, err)
	}
	return s, nil
}

// intercept answers a call of a Worker with its version's assets where they come first. Else, nil
// without an error, the call is the Worker's, and so is req.
func (inv *invocation) intercept(ctx context.Context, v *version, req *isolate.Request) (*isolate.Response, error) {
	s, err := inv.engine.site(ctx, v)
	if err != nil || s == nil {
		return nil, err
	}
	q := siteRequest(req)
	var a site.Answer
	if worker := false; s.alone {
		a = s.config.Answer(s.manifest, &q)
	} else if a, worker = s.config.Route(s.manifest, &q); worker {
		return nil, nil
	}
	inv.script.namespace.traffic.assets.Add(1)
	return inv.engine.assets.respond(s, &q, a, req.Head.Headers())
}

// fetchAsset answers a fetch of the Worker's from its own assets. It owns sub.Request.
func (inv *invocation) fetchAsset(ctx context.Context, sub *isolate.Subrequest) (*isolate.Response, error) {
	defer sub.Request.Release()
	if inv.asked.noSubrequests {
		return nil, isolate.ErrSubrequests
	}
	s, err := inv.engine.site(ctx, inv.version)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errNoAssets
	}
	q := siteRequest(sub.Request)
	inv.script.namespace.traffic.assets.Add(1)
	return inv.engine.assets.respond(s, &q, s.config.Answer(s.manifest, &q), sub.Request.Head.Headers())
}

var errNoAssets = fmt.Errorf("This version has no static assets.")

// siteRequest reads what counts of a request. Its URL is serialised as the URL standard does.
func siteRequest(req *isolate.Request) site.Request {
	q := site.Request{Method: methodOf(req), Path: "/", Navigates: string(req.Head.Headers().Get("sec-fetch-mode")) == "navigate"}
	url, _, _ := strings.Cut(string(req.Head.URL()), "#")
	url, q.Query = cutBefore(url, '?')
	host := strings.Index(url, "://") + len("://")
	if slash := strings.IndexByte(url[host:], '/'); slash >= 0 {
		url, q.Path = url[:host+slash], url[host+slash:]
	}
	q.Origin, q.Hostname = url, hostname(url[host:])
	return q
}

// methodOf saves the common ones from being copied.
func methodOf(req *isolate.Request) string {
	switch m := req.Head.Method(); string(m) {
	case "GET":
		return "GET"
	case "HEAD":
		return "HEAD"
	default:
		return string(m)
	}
}

// cutBefore splits s before the first separator, which stays with what is after it.
func cutBefore(s string, separator byte) (before, after string) {
	if i := strings.IndexByte(s, separator); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func hostname(authority string) string {
	for i := len(authority) - 1; i >= 0 && authority[i] != ']'; i-- {
		if authority[i] == ':' {
			return authority[:i]
		}
	}
	return authority
}

// revalidate is the Cache-Control of an asset, unless its version's rules have another.
const revalidate = "public, max-age=0, must-revalidate"

// respond makes the response to a request with these headers.
func (a *assets) respond(s *versionSite, q *site.Request, answer site.Answer, request abi.HeaderBlock) (*isolate.Response, error) {
	if answer.File < 0 {
		var headers []site.Header
		switch {
		case answer.Location != "":
			headers = append(headers, site.Header{Name: "location", Value: answer.Location})
		case answer.Status == 405:
			headers = append(headers, site.Header{Name: "allow", Value: "GET, HEAD"})
		}
		return assetResponse(answer.Status, s.config.Headers(q, headers), isolate.Body{}), nil
	}
	file := s.manifest.Asset(answer.File)
	r := assetReply{status: answer.Status, tag: entityTag(&file), end: file.Size}
	r.condition(q, request, file.Size)
	var body isolate.Body
	var err error
	kept := true
	if r.status != 304 && q.Method != "HEAD" {
		if body, kept, err = a.body(s.owner, &file, r.first, r.end); err != nil {
			return nil, err
		}
	}
	return assetResponse(r.status, s.config.Headers(q, r.headers(&file, q, request, kept)), body), nil
}

// entityTag is the ETag of a file.
func entityTag(file *store.Asset) string {
	var text [2 + 2*len(file.Tag)]byte
	text[0], text[len(text)-1] = '"', '"'
	hex.Encode(text[1:], file.Tag[:])
	return string(text[:])
}

// assetReply is what of a file is sent.
type assetReply struct {
	status     int
	tag        string
	first, end int64 // of the file's bytes
	ranged     string
}

// condition looks at the headers that ask for less than the file (RFC 9110, 13 and 14).
func (r *assetReply) condition(q *site.Request, request abi.HeaderBlock, size int64) {
	if tags := values(request, "if-none-match"); tags != "" && matchesTag(tags, r.tag) {
		r.status, r.end = 304, 0
		return
	}
	wanted := string(request.Get("range"))
	if wanted == "" || r.status != 200 || q.Method != "GET" {
		return
	}
	if unless := string(request.Get("if-range")); unless != "" && unless != r.tag {
		return
	}
	first, end, ok := byteRange(wanted, int(size))
	switch {
	case !ok:
	case first >= end:
		r.status, r.end, r.ranged = 416, 0, fmt.Sprintf("bytes */%d", size)
	default:
		r.status, r.first, r.end = 206, int64(first), int64(end)
		r.ranged = fmt.Sprintf("bytes %d-%d/%d", first, end-1, size)
	}
}

func (r *assetReply) headers(file *store.Asset, q *site.Request, request abi.HeaderBlock, kept bool) []site.Header {
	headers := make([]site.Header, 0, 8)
	add := func(name, value string) { headers = append(headers, site.Header{Name: name, Value: value}) }
	add("etag", r.tag)
	if file.Type != "" {
		add("content-type", file.Type)
	}
	if request.Get("authorization") == nil && request.Get("range") == nil {
		add("cache-control", revalidate)
	}
	if r.ranged != "" {
		add("content-range", r.ranged)
	}
	status := "MISS"
	if kept {
		status = "HIT"
	}
	add("cf-cache-status", status)
	if q.Method == "HEAD" && r.status != 304 {
		add("content-length", strconv.FormatInt(file.Size, 10))
	}
	return headers
}

func assetResponse(status int, headers []site.Header, body isolate.Body) *isolate.Response {
	size := 64
	for _, h := range headers {
		size += len(h.Name) + len(h.Value) + 8
	}
	head := abi.AppendResponseHead(make([]byte, 0, size), status)
	for _, h := range headers {
		head = abi.AppendHeader(head, 0, h.Name, h.Value)
	}
	return &isolate.Response{Head: abi.ResponseHead(head), Body: body}
}
