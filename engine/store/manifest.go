package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// ChunkSize is the size of the blobs that an asset is kept in, in bytes; the last one of an
// asset is shorter. It bounds what serving one holds in memory, and is part of the manifest's
// format.
const ChunkSize = 256 << 10

// Assets is a version's static assets. Config is the engine's own JSON.
type Assets struct {
	Manifest Hash            `json:"manifest"` // blob of a Manifest
	Files    int             `json:"files"`
	Size     int64           `json:"size"` // bytes of all files
	Config   json.RawMessage `json:"config,omitempty"`
}

// Asset is one file of a manifest.
type Asset struct {
	Path   string // "/index.html"
	Key    string // what the client calls its content: a name within the script, never trusted as a hash
	Type   string // Content-Type; "" is none
	Size   int64
	Tag    Tag    // of content and type
	chunks string // SHA-256 of each chunk
}

// Tag tells the contents of files apart: the beginning of a SHA-256 over type and chunks.
type Tag [16]byte

// NewAsset describes a file whose chunks have been put.
func NewAsset(path, key, contentType string, size int64, chunks []Hash) Asset {
	a := Asset{Path: path, Key: key, Type: contentType, Size: size}
	var b strings.Builder
	for _, h := range chunks {
		b.Write(h[:])
	}
	a.chunks = b.String()
	sum := sha256.Sum256([]byte(contentType + "\x00" + a.chunks))
	copy(a.Tag[:], sum[:])
	return a
}

// At returns the file at another path.
func (a Asset) At(path string) Asset {
	a.Path = path
	return a
}

// Chunks returns how many blobs the file is kept in.
func (a *Asset) Chunks() int { return len(a.chunks) / len(Hash{}) }

// Chunk returns the address of one of them.
func (a *Asset) Chunk(i int) (h Hash) {
	copy(h[:], a.chunks[i*len(h):])
	return h
}

func chunksOf(size int64) int { return int((size + ChunkSize - 1) / ChunkSize) }

// Manifest is the files of a version, by path. It is kept as its encoding, which a version of
// 100,000 files needs 12 MB for, and an index:
//
//	"assets" format(1)
//	┌──────────┬──────────┬───────────┬──────┬─────────┬───────────────────────┐
//	│ path     │ key      │ type      │ size │ tag     │ chunks                │  one file, by path
//	│ len text │ len text │ len text  │      │ 16      │ 32 for each ChunkSize │
//	└──────────┴──────────┴───────────┴──────┴─────────┴───────────────────────┘
//
// Lengths and sizes are uvarints.
type Manifest struct {
	text string
	at   []uint32 // where each file begins
}

const manifestHead = "assets\x01"

// Len returns the number of files.
func (m *Manifest) Len() int { return len(m.at) }

// Memory returns about how many bytes m takes.
func (m *Manifest) Memory() int64 { return int64(len(m.text) + 4*cap(m.at)) }

// Find returns the index of the file at path; -1 when there is none.
func (m *Manifest) Find(path string) int {
	i := sort.Search(len(m.at), func(i int) bool { return m.path(i) >= path })
	if i < len(m.at) && m.path(i) == path {
		return i
	}
	return -1
}

// Same reports whether two files have one content and type.
func (m *Manifest) Same(a, b int) bool { return m.Asset(a).Tag == m.Asset(b).Tag }

func (m *Manifest) path(i int) string {
	r := manifestReader{rest: m.text[m.at[i]:]}
	return r.text()
}

// Asset returns one of the files. Its texts share m's memory.
func (m *Manifest) Asset(i int) Asset {
	r := manifestReader{rest: m.text[m.at[i]:]}
	return r.asset()
}

// Sum returns the size of all files together.
func (m *Manifest) Sum() (size int64) {
	for i := range m.at {
		size += m.Asset(i).Size
	}
	return size
}

// encodeManifest sorts assets by path.
func encodeManifest(assets []Asset) ([]byte, error) {
	slices.SortFunc(assets, func(a, b Asset) int { return strings.Compare(a.Path, b.Path) })
	b := []byte(manifestHead)
	text := func(s string) {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for i := range assets {
		a := &assets[i]
		switch {
		case i > 0 && a.Path == assets[i-1].Path:
			return nil, invalid("asset %q is there twice", a.Path)
		case a.Chunks() != chunksOf(a.Size):
			return nil, invalid("asset %q has %d bytes in %d chunks", a.Path, a.Size, a.Chunks())
		}
		text(a.Path)
		text(a.Key)
		text(a.Type)
		b = binary.AppendUvarint(b, uint64(a.Size))
		b = append(append(b, a.Tag[:]...), a.chunks...)
	}
	return b, nil
}

func decodeManifest(b []byte) (*Manifest, error) {
	text, ok := strings.CutPrefix(string(b), manifestHead[:len(manifestHead)-1])
	switch {
	case !ok || text == "":
		return nil, fmt.Errorf("%w: a manifest of assets begins otherwise", ErrCorrupt)
	case text[0] > manifestHead[len(manifestHead)-1]:
		return nil, fmt.Errorf("%w: a manifest of assets has format %d", ErrNewer, text[0])
	}
	m := &Manifest{text: text}
	r := manifestReader{rest: text[1:]}
	for last := ""; r.rest != ""; {
		m.at = append(m.at, uint32(len(text)-len(r.rest)))
		a := r.asset()
		if r.torn || a.Path <= last {
			return nil, fmt.Errorf("%w: a manifest of assets is torn after %q", ErrCorrupt, last)
		}
		last = a.Path
	}
	m.at = slices.Clip(m.at)
	return m, nil
}

// manifestReader takes a manifest's encoding apart. What is too short sets torn.
type manifestReader struct {
	rest string
	torn bool
}

func (r *manifestReader) asset() (a Asset) {
	a.Path, a.Key, a.Type = r.text(), r.text(), r.text()
	size := r.number()
	if r.torn = r.torn || size > MaxBlob; r.torn {
		return a
	}
	a.Size = int64(size)
	copy(a.Tag[:], r.bytes(len(a.Tag)))
	a.chunks = r.bytes(chunksOf(a.Size) * len(Hash{}))
	return a
}

func (r *manifestReader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.torn, r.rest = true, ""
		return ""
	}
	return r.bytes(int(n))
}

func (r *manifestReader) bytes(n int) string {
	if n > len(r.rest) {
		r.torn, n = true, len(r.rest)
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// number reads a uvarint. encoding/binary has none for strings.
func (r *manifestReader) number() (n uint64) {
	for shift := 0; shift < 63 && r.rest != ""; shift += 7 {
		c := r.rest[0]
		r.rest = r.rest[1:]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.torn = true
	return 0
}

// PutManifest keeps the files of a version that is about to be added. Their chunks are safe from
// Collect from then on, as those of PutBlob are; one that is missing is ErrBlobNotFound.
func (s *Store) PutManifest(ctx context.Context, files []Asset) (Hash, error) {
	for i := range files {
		for n := range files[i].Chunks() {
			if err := s.requireBlob(files[i].Chunk(n)); err != nil {
				return Hash{}, fmt.Errorf("asset %q: %w", files[i].Path, err)
			}
		}
		if err := ctx.Err(); err != nil {
			return Hash{}, err
		}
	}
	encoded, err := encodeManifest(files)
	if err != nil {
		return Hash{}, err
	}
	return s.PutBlob(ctx, encoded)
}

// Manifest reads a version's files.
func (s *Store) Manifest(h Hash) (*Manifest, error) {
	encoded, err := s.Blob(h)
	if err != nil {
		return nil, err
	}
	m, err := decodeManifest(encoded)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", h, err)
	}
	return m, nil
}

// eachBlobOf calls f with every blob that a version needs, the manifest of its assets and their
// chunks among them.
func (s *Store) eachBlobOf(v *Version, f func(Hash) error) error {
	for _, m := range v.Modules {
		if err := f(m.Hash); err != nil {
			return err
		}
	}
	if v.Assets == nil {
		return nil
	}
	if err := f(v.Assets.Manifest); err != nil {
		return err
	}
	m, err := s.Manifest(v.Assets.Manifest)
	if err != nil {
		return err
	}
	return m.eachChunk(f)
}

func (m *Manifest) eachChunk(f func(Hash) error) error {
	for i := range m.at {
		a := m.Asset(i)
		for n := range a.Chunks() {
			if err := f(a.Chunk(n)); err != nil {
				return err
			}
		}
	}
	return nil
}
