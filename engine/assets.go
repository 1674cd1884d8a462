package engine

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"switchyard/engine/site"
	"switchyard/engine/store"
)

// AssetSession is what a client needs to upload what is missing: a token, and the hashes it is
// asked for, in groups that make one request each. Without groups the token is a completion
// token: a version can be made with it.
type AssetSession struct {
	Token   string
	Buckets [][]string
}

// Assets is a version's static assets.
type Assets struct {
	Files    int
	Size     int64           // bytes of all files
	Config   json.RawMessage // as it was uploaded
	manifest store.Hash
}

// AssetsUpload is the assets of an Upload.
type AssetsUpload struct {
	Token  string          // a completion token; "" where the assets of the version before are kept
	Config json.RawMessage // nil: all defaults, or what the version before has
}

// ErrAssetToken is a token of static assets that is not ours or has run out.
var ErrAssetToken = errors.New("the token of an asset upload is not valid here, or an hour old: begin a new upload session")

// assets is what the engine has for static assets. What clients upload is staged by script and by
// the client's name for it, so that no script can ask for, or learn of, what another one has:
//
//	BeginAssets ─► PutAsset… ─► FinishAssets ─► Deploy with the token ─► version
//	(what is missing)  (staged)   (all there?)    (a manifest of what is staged or was there)
//
// A session is its token: the client's manifest, kept as a blob, and the script it is for. So it
// survives a restart, and what a crash has lost is missing when it is asked for.
type assets struct {
	store   *store.Store
	kept    *assetCache
	signing []byte
	loading keyLock
	packing sync.Mutex // held while a file is compressed
}

func newAssets(st *store.Store, cacheBytes int64) (*assets, error) {
	key, err := st.DeriveKey("assets/session")
	if err != nil {
		return nil, err
	}
	return &assets{store: st, kept: newAssetCache(cacheBytes), signing: key}, nil
}

// BeginAssets begins an upload of a script's files, by path. The script need not be there yet.
func (e *Engine) BeginAssets(ctx context.Context, ref Ref, manifest map[string]AssetFile) (AssetSession, error) {
	n, err := e.catalog.namespace(ref.Namespace)
	if err != nil {
		return AssetSession{}, err
	}
	if err := checkName("script_name", ref.Script); err != nil {
		return AssetSession{}, err
	}
	if err := checkManifest(manifest); err != nil {
		return AssetSession{}, err
	}
	there, err := e.assetsOf(n, ref.Script, time.Now().Add(-assetTokenLife))
	if err != nil {
		return AssetSession{}, err
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		return AssetSession{}, err
	}
	claims := assetClaims{Namespace: n.id, Script: ref.Script}
	if claims.Manifest, err = e.store.PutBlob(ctx, text); err != nil {
		return AssetSession{}, storeError(err)
	}
	missing := missingOf(manifest, there)
	session := AssetSession{Buckets: buckets(missing)}
	claims.Complete = len(missing) == 0
	session.Token, err = e.assets.sign(claims)
	e.assets.keepUpload(&claims, newAssetUpload(manifest, missing))
	if err == nil {
		err = storeError(e.store.Sync(ctx))
	}
	return session, err
}

// assetsOf returns what a script has, by the client's hash: the files of the versions that may
// still receive traffic, and what was staged after since.
func (e *Engine) assetsOf(n *namespace, name string, since time.Time) (map[string]store.Asset, error) {
	there := map[string]store.Asset{}
	if s := n.scripts.get(name); s != nil {
		for _, v := range s.state.Load().versions() {
			m, err := e.manifestOf(v)
			if err != nil {
				return nil, err
			}
			for i := range m.Len() {
				a := m.Asset(i)
				there[a.Key] = a
			}
		}
	}
	err := e.store.EachStaged(n.id, name, func(st *store.Staged) error {
		if st.At.After(since) {
			there[st.Key] = stagedAsset(st)
		}
		return nil
	})
	return there, storeError(err)
}

func stagedAsset(st *store.Staged) store.Asset {
	return store.NewAsset("", st.Key, st.Type, st.Size, st.Chunks)
}

// manifestOf returns the files of a version; an empty manifest where it has none.
func (e *Engine) manifestOf(v *version) (*store.Manifest, error) {
	if v.assets.Load() == withoutAssets {
		return &store.Manifest{}, nil
	}
	record, err := e.stored(v)
	if errors.Is(err, ErrVersionNotFound) || errors.Is(err, ErrScriptNotFound) { // deleted meanwhile
		return &store.Manifest{}, nil
	}
	if err != nil || record.Assets == nil {
		return &store.Manifest{}, err
	}
	m, err := e.store.Manifest(record.Assets.Manifest)
	return m, storeError(err)
}

// resolveAssets makes the assets of the version that d will be.
func (d *draft) resolveAssets(ctx context.Context) error {
	u, base := &d.upload, d.base.Assets
	switch given := u.Assets; {
	case given == nil && u.KeepAssets:
		d.version.Assets = base
	case given == nil:
	case given.Token != "":
		files, err := d.assetFiles(given.Token)
		if err != nil {
			return err
		}
		if d.version.Assets, err = d.engine.newAssets(ctx, files, given.Config); err != nil {
			return err
		}
	case !u.KeepAssets || base == nil:
		return invalid("assets.jwt", "is missing: it is the token of a finished upload session")
	default:
		kept := *base
		if given.Config != nil {
			kept.Config = given.Config
		}
		d.version.Assets = &kept
	}
	if d.version.Assets == nil && u.Main == "" {
		return invalid("main_module", "is missing, and so are static assets: the version would be nothing")
	}
	if d.version.Assets == nil {
		return nil
	}
	_, err := site.Parse(d.version.Assets.Config, u.CompatibilityDate, u.CompatibilityFlags)
	if refused, ok := errors.AsType[*site.ConfigError](err); ok {
		return invalid("assets."+refused.Field, "%s", refused.Reason)
	}
	return err
}

// assetFiles returns the files of a session, all of which must have been uploaded by now.
func (d *draft) assetFiles(token string) ([]store.Asset, error) {
	e := d.engine
	claims, err := e.assets.verify(token)
	if err != nil {
		return nil, invalid("assets.jwt", "%v", err)
	}
	if claims.Namespace != d.namespace.id || claims.Script != d.ref.Script {
		return nil, invalid("assets.jwt", "is of an upload session of another script")
	}
	session, err := e.upload(&claims)
	if errors.Is(err, ErrAssetToken) {
		return nil, invalid("assets.jwt", "%v", err)
	}
	if err != nil {
		return nil, err
	}
	there, err := e.assetsOf(d.namespace, d.ref.Script, time.Time{})
	if err != nil {
		return nil, err
	}
	files := make([]store.Asset, 0, len(session.files))
	for path, f := range session.files {
		a, ok := there[f.Hash]
		if !ok || a.Size != f.Size {
			return nil, invalid("assets.jwt", "%.100q has not been uploaded: its hash is %s", path, f.Hash)
		}
		files = append(files, a.At(path))
	}
	return files, nil
}

func (e *Engine) newAssets(ctx context.Context, files []store.Asset, config json.RawMessage) (*Assets, error) {
	a := &Assets{Files: len(files), Config: config}
	for i := range files {
		a.Size += files[i].Size
	}
	var err error
	a.manifest, err = e.store.PutManifest(ctx, files)
	if errors.Is(err, store.ErrBlobNotFound) {
		return nil, invalid("assets.jwt", "what was uploaded is gone: begin a new upload session")
	}
	if errors.Is(err, store.ErrBlobTooLarge) {
		return nil, invalid("assets.jwt", "the paths and types of the files have too many bytes")
	}
	return a, storeError(err)
}

func (a *Assets) record() *store.Assets {
	if a == nil {
		return nil
	}
	return &store.Assets{Manifest: a.manifest, Files: a.Files, Size: a.Size, Config: a.Config}
}

func readAssets(r *store.Assets) *Assets {
	if r == nil {
		return nil
	}
	return &Assets{Files: r.Files, Size: r.Size, Config: r.Config, manifest: r.Manifest}
}
