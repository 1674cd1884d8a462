package engine

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Ceilings of a version's static assets.
const (
	maxAssets     = 100_000
	maxAssetSize  = 25 << 20
	maxAssetsSize = 16 << 30 // all of a version's together
	maxAssetPath  = 2048     // bytes
	maxAssetType  = 256
	assetHashSize = 32 // hex digits
)

// AssetFile is what a client's manifest says of one path. Hash is the client's own name for the
// content, 32 hex digits: it tells the script's files apart, and is never taken for a hash.
type AssetFile struct {
	Hash string `json:"hash"`
	Size int64  `json:"size"`
}

// checkManifest refuses what could not be kept or asked for.
func checkManifest(manifest map[string]AssetFile) error {
	if len(manifest) > maxAssets {
		return invalid("manifest", "there are %d files, at most %d are allowed", len(manifest), maxAssets)
	}
	sizes, total := make(map[string]int64, len(manifest)), int64(0)
	for path, f := range manifest {
		if err := checkAssetPath(path); err != nil {
			return err
		}
		if !hexHash(f.Hash) {
			return invalid("manifest", "the hash of %.100q is not %d hex digits: %.100q", path, assetHashSize, f.Hash)
		}
		if f.Size < 0 || f.Size > maxAssetSize {
			return invalid("manifest", "the size of %.100q is %d, which is not from 0 to %d bytes", path, f.Size, maxAssetSize)
		}
		if size, ok := sizes[f.Hash]; ok && size != f.Size {
			return invalid("manifest", "the hash %s of %.100q has two sizes", f.Hash, path)
		}
		sizes[f.Hash] = f.Size
		total += f.Size
	}
	if total > maxAssetsSize {
		return invalid("manifest", "the files have %d bytes together, at most %d are allowed", total, int64(maxAssetsSize))
	}
	return nil
}

// checkAssetPath accepts the absolute paths that a URL can lead to.
func checkAssetPath(path string) error {
	refused := func(why string) error { return invalid("manifest", "the path %.100q %s", path, why) }
	switch {
	case !strings.HasPrefix(path, "/"):
		return refused("does not begin with /")
	case len(path) > maxAssetPath:
		return refused(fmt.Sprintf("is longer than %d bytes", maxAssetPath))
	case !utf8.ValidString(path):
		return refused("is not UTF-8")
	case strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return refused("has a control character")
	}
	for part := range strings.SplitSeq(path[1:], "/") {
		if part == "" || part == "." || part == ".." {
			return refused("has a segment that is empty, . or ..")
		}
	}
	return nil
}

func hexHash(s string) bool {
	return len(s) == assetHashSize && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
