package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchyard/engine/store"
)

// TestScale measures what 100,000 deployed scripts cost beside 100: the time from starting the
// program to its first answer, and the time of a request for a script that is warm. It asserts
// nothing of time; `make scale` prints it.
func TestScale(t *testing.T) {
	if os.Getenv("SWITCHYARD_SCALE") == "" {
		t.Skip("needs SWITCHYARD_SCALE=1: fills a store with 100,000 scripts")
	}
	for _, scripts := range []int{100, 100_000} {
		dir := t.TempDir()
		fillStore(t, dir, scripts)
		begin := time.Now()
		p := serve(t, dir)
		listening, cpu := time.Since(begin), p.cpuTime()
		name := fmt.Sprintf("http://s%d.example.com/", scripts-1)
		p.wants(name, http.StatusOK, "hello")
		answered := time.Since(begin)
		p50, p99 := latencies(p, name, 20_000)
		t.Logf("%6d scripts: listening after %v (%v of CPU time), first answer of a cold script after %v; warm: p50 %v, p99 %v",
			scripts, listening.Round(time.Millisecond), cpu, answered.Round(time.Millisecond), p50, p99)
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
}

// cpuTime is what the process has used so far, to 10 ms: /proc/PID/stat, proc(5).
func (p *platform) cpuTime() time.Duration {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// latencies asks n times over one connection.
func latencies(p *platform, url string, n int) (p50, p99 time.Duration) {
	client, took := p.client(), make([]time.Duration, n)
	for i := range took {
		begin := time.Now()
		r, err := client.Get(url)
		if err != nil {
			p.t.Fatal(err)
		}
		readAll(p.t, r.Body)
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[n/2], took[n*99/100]
}

// fillStore writes scripts as the engine does, all of one source.
func fillStore(t *testing.T, dir string, scripts int) {
	t.Helper()
	s, err := store.Open(store.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, now := context.Background(), time.Now()
	source := []byte(`export default { fetch() { return new Response("hello") } }`)
	hash, err := s.PutBlob(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	const namespace = "10000000-0000-4000-8000-000000000000"
	changes := []store.Change{store.PutNamespace(now, store.Namespace{ID: namespace, Name: "production", Created: now, Modified: now})}
	for i := range scripts {
		id := func(kind int) string { return fmt.Sprintf("%d0000000-0000-4000-8000-%012d", kind, i) }
		changes = append(changes,
			store.PutScript(now, store.Script{ID: id(2), NamespaceID: namespace, Name: fmt.Sprintf("s%d", i), Created: now, Modified: now, NextVersion: 2}),
			store.AddVersion(now, store.Version{
				ID: id(3), ScriptID: id(2), NamespaceID: namespace, Number: 1, Created: now, ETag: hash.String(), Main: "index.js",
				Modules:  []store.Module{{Name: "index.js", Kind: "es", Hash: hash, Size: int64(len(source))}},
				Bindings: json.RawMessage("[]"), Limits: json.RawMessage("{}"), Policy: "reuse", Handlers: []string{"fetch"}, CompatibilityDate: compatibilityDate,
			}),
			store.AddDeployment(now, store.Deployment{ID: id(4), ScriptID: id(2), NamespaceID: namespace, Created: now, Shares: []store.Share{{Version: id(3), Percent: 100}}}))
		if len(changes) > 3000 || i == scripts-1 {
			if err := s.Apply(ctx, changes...); err != nil {
				t.Fatal(err)
			}
			changes = nil
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
