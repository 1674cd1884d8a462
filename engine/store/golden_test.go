package store

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "make the golden data directory of this schema version anew")

// goldens are data directories as the release that began their schema version left them, and
// what they hold. One is added with each schema version; none is ever changed, or old data would
// no longer be what is tested.
var goldens = []string{"testdata/golden-1", "testdata/golden-2"}

// TestGolden opens a copy of each golden directory, reads everything in it and writes to it.
func TestGolden(t *testing.T) {
	if *update {
		makeGolden(t, goldens[len(goldens)-1])
	}
	for _, golden := range goldens {
		t.Run(filepath.Base(golden), func(t *testing.T) { openGolden(t, golden) })
	}
}

func openGolden(t *testing.T, golden string) {
	dir := filepath.Join(t.TempDir(), "data")
	must(t, os.CopyFS(dir, os.DirFS(golden)))
	must(t, os.Chmod(filepath.Join(dir, "key"), 0o600))
	s := open(t, nil, onDisk(dir))
	want, err := os.ReadFile(golden + ".txt")
	must(t, err)
	if got := dump(t, s) + dumpUsage(t, s); got != string(want) {
		t.Errorf("it holds\n%s\nwant\n%s", got, want)
	}
	wantHealthy(t, s)
	if source, err := s.Blob(HashOf(goldenBlob)); err != nil || string(source) != string(goldenBlob) {
		t.Errorf("blob of %d bytes: %v", len(source), err)
	}
	must(t, s.Load(func(r Record) error {
		if r.Setting == nil || r.Setting.Name != "sealed" {
			return nil
		}
		var sealed []byte
		must(t, json.Unmarshal(r.Setting.Value, &sealed))
		if plain, err := s.Unseal("secret/alice/TOKEN", sealed); err != nil || string(plain) != "hunter2" {
			t.Errorf("sealed text: %q, %v", plain, err)
		}
		return nil
	}))
	seq := s.LastSeq()
	deploy(t, s, "ns1", "alice", 5, "export default 5")
	must(t, s.Close())
	s = open(t, nil, onDisk(dir))
	if s.LastSeq() != seq+3 {
		t.Errorf("last seq is %d, want %d", s.LastSeq(), seq+3)
	}
	wantHealthy(t, s)
}

var goldenBlob = []byte(strings.Repeat("export const line = 'of a golden module';\n", 200))

// makeGolden leaves a part in tables and blob files, and a part in the log only.
func makeGolden(t *testing.T, golden string) {
	must(t, os.RemoveAll(golden))
	must(t, os.MkdirAll(golden, 0o700))
	must(t, os.WriteFile(filepath.Join(golden, "key"), fmt.Appendf(nil, "%x\n", testKey), 0o600)) // known: it keeps no secret
	s := open(t, nil, onDisk(golden))
	populate(t, s)
	deploy(t, s, "ns1", "alice", 3, string(goldenBlob), string(noise(1, 5000)))
	must(t, s.db.Flush())
	deploy(t, s, "ns1", "alice", 4, string(noise(2, 5000)))
	deployAssets(t, s, "site", 1, asset(t, s, "/index.html", "k1", "text/html", []byte("home")), asset(t, s, "/big", "k2", "", make([]byte, ChunkSize+9)))
	must(t, s.PutStaged(ctx, Staged{NamespaceID: "ns1", Script: "later", Key: "k3", Size: 0, At: at(5)}))
	must(t, s.Apply(ctx, DropRoute(at(5), "r2"), DropScript(at(5), "ns1", "bob")))
	sealed, err := s.Seal("secret/alice/TOKEN", []byte("hunter2"))
	must(t, err)
	value, err := json.Marshal(sealed)
	must(t, err)
	must(t, s.Apply(ctx, PutSetting(at(6), Setting{Name: "sealed", Value: value})))
	must(t, os.WriteFile(golden+".txt", []byte(dump(t, s)+dumpUsage(t, s)), 0o644))
	must(t, s.Close())
}
