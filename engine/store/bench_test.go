package store

import (
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// keeper is a place for module bytes.
type keeper interface {
	put(source []byte) error
}

// inPebble is what the store does.
type inPebble struct{ *Store }

func (p inPebble) put(source []byte) error {
	_, err := p.PutBlob(ctx, source)
	return err
}

// inFiles is what it was measured against: one file a blob, written aside, synced, renamed,
// its directory synced.
type inFiles struct {
	*Store
	dir string
}

func (p inFiles) put(source []byte) error {
	h := HashOf(source)
	dir := filepath.Join(p.dir, h.String()[:2])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(p.blobs.encode(source)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, h.String()+".zst")); err != nil {
		return err
	}
	return syncDir(p.options.FS, dir)
}

// BenchmarkDeploy is one upload after another, or eight at a time: a module and the Apply of
// its version, both durable at the end. Run with -benchtime 2000x for the small ones and 200x
// for the large. On two cores of a virtual machine with ext4:
//
//	module  clients   Pebble, separated values       one synced file a blob
//	 20 KB     1      1212 deploys/s, 16 KB of disk   731 deploys/s, 18 KB of disk
//	 20 KB     8      1906            16             1237            18
//	  1 MB     1        84           307               87           234
//	  1 MB     8        82           303               63           234
//
// Disk is per deploy and includes the records and the log. A deploy in Pebble costs one fsync,
// with a file it costs three; large blobs are written twice, once to the write-ahead log, whose
// last segments are what the disk holds more. Small modules are what tenants upload, so the
// blobs are in Pebble; one crash-tested engine and one kind of backup come with it.
func BenchmarkDeploy(b *testing.B) {
	for _, size := range []int{20 << 10, 1 << 20} {
		for _, clients := range []int{1, 8} {
			for _, where := range []string{"pebble", "files"} {
				b.Run(fmt.Sprintf("%dKB/clients=%d/%s", size>>10, clients, where), func(b *testing.B) {
					benchmarkDeploy(b, size, clients, where)
				})
			}
		}
	}
}

func benchmarkDeploy(b *testing.B, size, clients int, where string) {
	dir := b.TempDir()
	s := open(b, nil, func(o *Options) { *o = Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)} })
	var k keeper = inPebble{s}
	if where == "files" {
		k = inFiles{s, filepath.Join(dir, "blobs")}
	}
	written := writtenBytes()
	jobs := make(chan int)
	var wait sync.WaitGroup
	b.ResetTimer()
	start := time.Now()
	for range clients {
		wait.Go(func() {
			for n := range jobs {
				source := worker(uint64(n), size)
				if err := k.put(source); err != nil {
					b.Error(err)
				}
				v := Version{ID: fmt.Sprint("v", n), ScriptID: fmt.Sprint("s", n), Number: 1, Created: at(n), Main: "m.js"}
				if where == "pebble" { // the other has its bytes elsewhere
					v.Modules = []Module{{Name: "m.js", Kind: "es", Hash: HashOf(source), Size: int64(size)}}
				}
				if err := s.Apply(ctx, deployChanges(v)...); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range b.N {
		jobs <- n
	}
	close(jobs)
	wait.Wait()
	elapsed := time.Since(start)
	b.StopTimer()
	must(b, s.Close())
	perUpload := func(bytes uint64) float64 { return float64(bytes) / float64(b.N) / 1024 }
	b.ReportMetric(float64(b.N)/elapsed.Seconds(), "deploys/s")
	b.ReportMetric(perUpload(diskBytes(b, dir)), "disk-KB/op")
	b.ReportMetric(perUpload(writtenBytes()-written), "written-KB/op")
}

// worker is text that looks like minified JavaScript: zstd makes a quarter of it.
func worker(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	words := make([]string, 400)
	for i := range words {
		words[i] = strconv.FormatUint(r.Uint64N(1<<40), 36)
	}
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "const %s=(%s,%s)=>{return %s(%d)};", words[r.IntN(400)], words[r.IntN(400)], words[r.IntN(40)], words[r.IntN(40)], r.IntN(1000))
	}
	return []byte(b.String()[:size])
}

// diskBytes is what the files under dir occupy.
func diskBytes(t testing.TB, dir string) (total uint64) {
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			total += uint64(stat.Blocks) * 512
		}
		return nil
	}))
	return total
}

// writtenBytes is what this process has sent to disks.
func writtenBytes() uint64 {
	io, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(io), "write_bytes: ")
	n, _ := strconv.ParseUint(strings.SplitN(rest, "\n", 2)[0], 10, 64)
	return n
}

// BenchmarkLoad is the start of a platform with 100,000 scripts.
func BenchmarkLoad(b *testing.B) {
	const scripts = 100_000
	s := open(b, vfs.NewMem())
	h, err := s.PutBlob(ctx, []byte("export default 1"))
	must(b, err)
	var changes []Change
	for n := range scripts {
		id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
		changes = append(changes, deployChanges(Version{ID: "v" + id[1:], ScriptID: id, Number: 1, Created: at(n), Main: "m.js",
			Modules: []Module{{Name: "m.js", Kind: "es", Hash: h, Size: 16}}, Bindings: []byte(`[{"name":"A","type":"plain_text","text":"x"}]`)})...)
		if len(changes) > 3000 {
			must(b, s.Apply(ctx, changes...))
			changes = changes[:0]
		}
	}
	must(b, s.Apply(ctx, changes...))
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.ReadMemStats(&before)
		records := 0
		must(b, s.Load(func(Record) error { records++; return nil }))
		if records != 3*scripts {
			b.Fatalf("%d records", records)
		}
		runtime.ReadMemStats(&after)
	}
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/(3*scripts), "allocs/record")
}
