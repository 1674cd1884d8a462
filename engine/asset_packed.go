package engine

import (
	"strings"

	"switchyard/engine/store"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// Sizes of the files that are sent compressed, in bytes: below, it saves nothing; above, it takes
// too long for a request to do.
const (
	packedLeast = 1 << 10
	packedMost  = 1 << 20
)

// packable says that a file may be sent compressed, as the edge of Workers does with text.
func packable(file *store.Asset) bool {
	if file.Size < packedLeast || file.Size > packedMost {
		return false
	}
	media, _, _ := strings.Cut(file.Type, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch media {
	case "application/javascript", "application/x-javascript", "application/json", "application/xml", "application/manifest+json",
		"application/wasm", "image/svg+xml", "image/x-icon", "image/vnd.microsoft.icon", "font/ttf", "font/otf", "application/vnd.ms-fontobject":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}

// codingFor is the coding that a request asks for, of those that there are, the smaller first.
func codingFor(request abi.HeaderBlock) isolate.Coding {
	accepted := values(request, "accept-encoding")
	if accepted == "" {
		return isolate.CodingIdentity
	}
	for _, c := range []isolate.Coding{isolate.CodingBrotli, isolate.CodingGzip} {
		if c.AcceptedBy(accepted) {
			return c
		}
	}
	return isolate.CodingIdentity
}

// plainOnly says that a head's own headers forbid to compress what it is of.
func plainOnly(head abi.ResponseHead) bool {
	h := head.Headers()
	return h.Get("content-encoding") != nil || strings.Contains(strings.ToLower(values(h, "cache-control")), "no-transform")
}

// packed returns a file of owner's in a coding; nil where that is not smaller, or cannot be had
// now. It is made once, one at a time, for as long as there is room for it: who comes meanwhile gets
// the plain file.
func (a *assets) packed(owner string, file *store.Asset, c isolate.Coding) ([]byte, error) {
	key := assetKey{owner: owner}
	copy(key.hash[:], file.Tag[:])
	key.hash[len(key.hash)-1] = byte(c)
	if kept, ok := a.kept.get(key); ok {
		return kept.([]byte), nil
	}
	if file.Size > a.kept.total/keptShare || !a.packing.TryLock() {
		return nil, nil
	}
	defer a.packing.Unlock()
	plain := make([]byte, 0, file.Size)
	for i := range file.Chunks() {
		chunk, _, err := a.chunk(owner, file, i)
		if err != nil {
			return nil, err
		}
		plain = append(plain, chunk...)
	}
	coded := c.Encode(plain)
	if len(coded) > len(plain)*9/10 {
		coded = nil
	}
	a.kept.put(key, coded, int64(len(coded)))
	return coded, nil
}
