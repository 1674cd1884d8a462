package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"switchyard/engine/store"
)

// assetUpload is a session under way. It can be made again of its token at any time.
type assetUpload struct {
	files map[string]AssetFile // by path
	sizes map[string]int64     // by the client's hash

	mu struct {
		sync.Mutex
		missing map[string]int64 // what was missing when it was last looked for
	}
}

func newAssetUpload(files map[string]AssetFile, missing map[string]int64) *assetUpload {
	u := &assetUpload{files: files, sizes: make(map[string]int64, len(files))}
	for _, f := range files {
		u.sizes[f.Hash] = f.Size
	}
	u.mu.missing = missing
	return u
}

// What one request of an upload is asked for: as many files as make this many bytes, or one that
// is larger.
const (
	bucketBytes = 24 << 20
	bucketFiles = 500
)

// buckets groups what is missing, in an order that does not change.
func buckets(missing map[string]int64) [][]string {
	groups := [][]string{}
	size := int64(0)
	for _, hash := range slices.Sorted(maps.Keys(missing)) {
		last := len(groups) - 1
		if size += missing[hash]; last < 0 || size > bucketBytes || len(groups[last]) == bucketFiles {
			groups, size = append(groups, nil), missing[hash]
			last++
		}
		groups[last] = append(groups[last], hash)
	}
	return groups
}

func sessionKey(c *assetClaims) assetKey {
	return assetKey{owner: "session/" + c.Namespace + "/" + c.Script, hash: c.Manifest}
}

func (a *assets) keepUpload(c *assetClaims, u *assetUpload) {
	const each = 400 // bytes of an entry of both maps
	a.kept.put(sessionKey(c), u, int64(len(u.files))*each)
}

// upload finds the session of a token's claims, or makes it again.
func (e *Engine) upload(c *assetClaims) (*assetUpload, error) {
	if kept, ok := e.assets.kept.get(sessionKey(c)); ok {
		return kept.(*assetUpload), nil
	}
	text, err := e.store.Blob(c.Manifest)
	if errors.Is(err, store.ErrBlobNotFound) {
		return nil, ErrAssetToken
	}
	if err != nil {
		return nil, storeError(err)
	}
	files := map[string]AssetFile{}
	if err := json.Unmarshal(text, &files); err != nil {
		return nil, fmt.Errorf("%w: manifest %s of an upload session: %w", store.ErrCorrupt, c.Manifest, err)
	}
	n := e.catalog.byID(c.Namespace)
	if n == nil {
		return nil, fmt.Errorf("%w: that of the upload session", ErrNamespaceNotFound)
	}
	there, err := e.assetsOf(n, c.Script, time.Time{})
	if err != nil {
		return nil, err
	}
	u := newAssetUpload(files, missingOf(files, there))
	e.assets.keepUpload(c, u)
	return u, nil
}

// missingOf returns what of files is not there, by hash.
func missingOf(files map[string]AssetFile, there map[string]store.Asset) map[string]int64 {
	missing := map[string]int64{}
	for _, f := range files {
		if a, ok := there[f.Hash]; !ok || a.Size != f.Size {
			missing[f.Hash] = f.Size
		}
	}
	return missing
}

// PutAsset takes one file of a session, in the place of what was uploaded under its hash before.
// contentType is what it is served with; "" is none. An *InputError refused it.
func (e *Engine) PutAsset(ctx context.Context, token, hash, contentType string, content []byte) error {
	claims, err := e.assets.verify(token)
	if err != nil {
		return err
	}
	u, err := e.upload(&claims)
	if err != nil {
		return err
	}
	size, ok := u.sizes[hash]
	switch {
	case !ok:
		return invalid("", "the hash %.100q is not in the manifest of this session", hash)
	case size != int64(len(content)):
		return invalid("", "the file %s has %d bytes, its manifest says %d", hash, len(content), size)
	case len(contentType) > maxAssetType || strings.ContainsFunc(contentType, func(r rune) bool { return r < ' ' || r >= 0x7f }):
		return invalid("", "the content type of the file %s is not one", hash)
	}
	staged := store.Staged{NamespaceID: claims.Namespace, Script: claims.Script, Key: hash, Type: contentType, Size: size, At: time.Now()}
	for chunk := range slices.Chunk(content, store.ChunkSize) {
		h, err := e.store.PutBlob(ctx, chunk)
		if err != nil {
			return storeError(err)
		}
		staged.Chunks = append(staged.Chunks, h)
	}
	return storeError(e.store.PutStaged(ctx, staged))
}

// FinishAssets returns the completion token of a session, "" while files are missing. What the token
// stands for is durable then.
func (e *Engine) FinishAssets(ctx context.Context, token string) (completion string, err error) {
	claims, err := e.assets.verify(token)
	if err != nil {
		return "", err
	}
	if !claims.Complete {
		u, err := e.upload(&claims)
		if err != nil {
			return "", err
		}
		if complete, err := u.complete(e.store, &claims); !complete {
			return "", err
		}
	}
	if err := e.store.Sync(ctx); err != nil {
		return "", storeError(err)
	}
	claims.Complete = true
	return e.assets.sign(claims)
}

// complete looks for what was missing, until something still is.
func (u *assetUpload) complete(st *store.Store, c *assetClaims) (bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for hash := range u.mu.missing {
		staged, err := st.Staged(c.Namespace, c.Script, hash)
		if staged == nil {
			return false, storeError(err)
		}
		delete(u.mu.missing, hash)
	}
	return true, nil
}
