package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"switchyard/engine/site"
	"switchyard/engine/store"
	"switchyard/isolate"
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
		e.assets.kept.put(key, s, s.manifest.Memory()+s.config.Memory())
	}
	return s, err
}

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
	a, worker := s.route(&q)
	if worker {
		return nil, nil
	}
	inv.account.add(inv.chain.shard, countAssets, 1)
	return inv.engine.assets.respond(s, &q, a, req.Head.Headers())
}

// route answers a request, or leaves it to the Worker, where there is one.
func (s *versionSite) route(q *site.Request) (a site.Answer, worker bool) {
	if s.alone {
		return s.config.Answer(s.manifest, q), false
	}
	return s.config.Route(s.manifest, q)
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
	inv.account.add(inv.chain.shard, countAssets, 1)
	return inv.engine.assets.respond(s, &q, s.config.Answer(s.manifest, &q), sub.Request.Head.Headers())
}

var errNoAssets = errors.New("This version has no static assets.")

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
