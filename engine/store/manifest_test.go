package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// asset puts content in chunks.
func asset(t testing.TB, s *Store, path, key, contentType string, content []byte) Asset {
	t.Helper()
	var chunks []Hash
	for at := 0; at < len(content); at += ChunkSize {
		h, err := s.PutBlob(ctx, content[at:min(at+ChunkSize, len(content))])
		must(t, err)
		chunks = append(chunks, h)
	}
	return NewAsset(path, key, contentType, int64(len(content)), chunks)
}

// deployAssets adds a version that has files and no module.
func deployAssets(t testing.TB, s *Store, script string, number int, files ...Asset) {
	t.Helper()
	manifest, err := s.PutManifest(ctx, files)
	must(t, err)
	v := upload(t, s, "", script, number)
	v.Main, v.Assets = "", &Assets{Manifest: manifest, Files: len(files), Config: []byte(`{"html_handling":"none"}`)}
	must(t, s.Apply(ctx, deployChanges(v)...))
}

// TestManifest: what is encoded is what is found, and a damaged encoding is refused or is another
// manifest, but never more than its bytes.
func TestManifest(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	var files []Asset
	for i := range r.IntN(200) {
		size := int64(r.IntN(3 * ChunkSize))
		chunks := make([]Hash, chunksOf(size))
		for n := range chunks {
			chunks[n] = HashOf(fmt.Append(nil, i, n))
		}
		files = append(files, NewAsset(fmt.Sprintf("/%d/%s", r.IntN(1000), strings.Repeat("x", i)), fmt.Sprint("key", i), "text/html", size, chunks))
	}
	encoded, err := encodeManifest(files)
	must(t, err)
	m, err := decodeManifest(encoded)
	must(t, err)
	if m.Len() != len(files) {
		t.Fatalf("seed %d: %d files of %d", seed, m.Len(), len(files))
	}
	for _, want := range files {
		if i := m.Find(want.Path); i < 0 || m.Asset(i) != want {
			t.Errorf("seed %d: %q is at %d", seed, want.Path, i)
		}
		if m.Find(want.Path+"y") >= 0 || m.Find(want.Path[1:]) >= 0 {
			t.Errorf("seed %d: something like %q is there", seed, want.Path)
		}
	}
	for range 2000 {
		bad := bytes.Clone(encoded)
		if len(files) > 0 {
			bad[r.IntN(len(bad))] ^= byte(1 << r.IntN(8))
		}
		if m, err := decodeManifest(bad[:r.IntN(len(bad)+1)]); err == nil {
			m.Sum()
		} else if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if _, err := encodeManifest([]Asset{NewAsset("/a", "", "", 0, nil), NewAsset("/a", "", "", 0, nil)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("twice: %v", err)
	}
	if _, err := encodeManifest([]Asset{NewAsset("/a", "", "", 1, nil)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("without its chunk: %v", err)
	}
}

// TestAssetsStay: Collect leaves what a version's manifest names and what is staged, and Check
// misses what is gone.
func TestAssetsStay(t *testing.T) {
	s := open(t, vfs.NewMem())
	big := asset(t, s, "/big", "k1", "", noise(1, 2*ChunkSize+5))
	small := asset(t, s, "/small", "k2", "text/plain", []byte("small"))
	deployAssets(t, s, "site", 1, big, small)
	deployAssets(t, s, "site", 2, big, small.At("/elsewhere"))
	waiting := asset(t, s, "", "k3", "", []byte("waiting"))
	stage := func(key string, at time.Time) {
		must(t, s.PutStaged(ctx, Staged{Script: "site", Key: key, Size: waiting.Size, Chunks: []Hash{waiting.Chunk(0)}, At: at}))
	}
	stage("k3", time.Now())
	stage("k4", time.Now().Add(-2*StagedTime))
	s.expire(2 * pinTime)
	n, err := s.Collect(ctx)
	if n != 0 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
	wantHealthy(t, s)
	if st, err := s.Staged("", "site", "k3"); err != nil || st == nil || st.Size != 7 {
		t.Errorf("staged: %+v, %v", st, err)
	}
	if st, err := s.Staged("", "site", "k4"); st != nil || err != nil {
		t.Errorf("expired: %+v, %v", st, err)
	}
	if st, err := s.Staged("", "sit", "k3"); st != nil || err != nil {
		t.Errorf("another's: %+v, %v", st, err)
	}
	must(t, s.DropStaged(ctx, "", "site"))
	must(t, s.EachStaged("", "site", func(st *Staged) error { return fmt.Errorf("%+v is still staged", st) }))
	must(t, s.Apply(ctx, DropScript(at(9), "", "site")))
	if n, err = s.Collect(ctx); n != 3+1+1+2 || err != nil { // chunks of big, small, waiting; manifests
		t.Errorf("collected %d, %v", n, err)
	}
	if _, err := s.PutManifest(ctx, []Asset{small}); !errors.Is(err, ErrBlobNotFound) {
		t.Errorf("a manifest of what is gone: %v", err)
	}
}

// TestCheckMissesChunks: an asset without its bytes is reported by its path.
func TestCheckMissesChunks(t *testing.T) {
	s := open(t, vfs.NewMem())
	small := asset(t, s, "/small", "k2", "text/plain", []byte("small"))
	deployAssets(t, s, "site", 1, small)
	must(t, s.commit(ctx, &commit{key: blobKey(small.Chunk(0))}))
	found := problems(t, s)
	if len(found) != 1 || !strings.Contains(found[0], `asset "/small"`) {
		t.Errorf("check: %q", found)
	}
}

// TestBackupOfAssets: a restored store has them, and not what was only staged.
func TestBackupOfAssets(t *testing.T) {
	s := open(t, nil, onDisk(filepath.Join(t.TempDir(), "a")))
	content := noise(1, 2*ChunkSize+5)
	deployAssets(t, s, "gone", 1, asset(t, s, "/gone", "k", "", []byte("of a script that is gone")))
	must(t, s.Apply(ctx, DropScript(at(2), "", "gone")))
	s.expire(2 * pinTime)
	if _, err := s.Collect(ctx); err != nil {
		t.Fatal(err)
	}
	big := asset(t, s, "/big", "k1", "text/css", content)
	deployAssets(t, s, "site", 1, big)
	must(t, s.PutStaged(ctx, Staged{Script: "site", Key: "k3", At: time.Now()}))
	var file bytes.Buffer
	must(t, s.Backup(&file))
	o := Options{Dir: filepath.Join(t.TempDir(), "b")}
	must(t, Restore(ctx, o, &file))
	restored, err := Open(o)
	must(t, err)
	defer restored.Close()
	wantHealthy(t, restored)
	v, err := restored.LoadVersion("", "site", 1)
	must(t, err)
	m, err := restored.Manifest(v.Assets.Manifest)
	must(t, err)
	if a := m.Asset(m.Find("/big")); a != big || string(v.Assets.Config) != `{"html_handling":"none"}` {
		t.Errorf("%+v %s", a, v.Assets.Config)
	}
	if st, err := restored.Staged("", "site", "k3"); st != nil || err != nil {
		t.Errorf("staged: %+v, %v", st, err)
	}
}
