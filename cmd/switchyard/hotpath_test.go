package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"switchyard/engine"
	"switchyard/isolate"
)

// inProcess opens the program's server in this process and serves until the test ends.
func inProcess(t *testing.T, change func(*config)) *server {
	t.Helper()
	c := defaultConfig()
	c.Data, c.Listen, c.Control, c.Token = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", testToken
	change(&c)
	s := &server{config: c, log: slog.New(slog.DiscardHandler)}
	if err := s.listen(); err != nil {
		t.Fatal(err)
	}
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *server) deploy(t *testing.T, ref engine.Ref, kind isolate.ModuleKind, source string, bindings []engine.Binding, tags ...string) {
	t.Helper()
	u := engine.Upload{Main: "main", Modules: []isolate.Module{{Name: "main", Kind: kind, Source: []byte(source)}}, Bindings: bindings, Tags: tags}
	if _, err := s.engine.Deploy(context.Background(), ref, u); err != nil {
		t.Fatal(err)
	}
}

// everyFeature deploys a dispatcher, an outbound Worker, and user Workers on a plan with every limit and a quota.
func everyFeature(t *testing.T, entry string) *server {
	s := inProcess(t, func(c *config) { c.Entry = entry })
	ctx := context.Background()
	if _, err := s.engine.CreateNamespace(ctx, "production"); err != nil {
		t.Fatal(err)
	}
	limits := isolate.Limits{CPU: 1e9, Wall: 60e9, Subrequests: 50, RequestBytes: 1 << 20, ResponseBytes: 1 << 20, LogBytes: 1 << 16, EgressBytes: 1 << 40, Concurrent: 10_000, Rate: 1e6}
	if _, err := s.engine.PutPlan(ctx, engine.Plan{Name: "pro", Tags: []string{"pro"}, Limits: limits, Weight: 2, Quota: engine.Quota{Period: engine.PeriodMonth, Requests: 1 << 40, CPU: 1 << 60}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.engine.UpdateNamespace(ctx, "production", engine.NamespacePatch{Limits: &limits, Quota: &engine.Quota{Period: engine.PeriodDay, Requests: 1 << 40}}); err != nil {
		t.Fatal(err)
	}
	s.deploy(t, engine.Ref{Script: "outbound"}, isolate.ModuleES, `export default { fetch: (request) => new Response("out") }`, nil)
	s.deploy(t, engine.Ref{Script: "dispatcher"}, isolate.ModuleES, `export default { fetch(request, env) {
		return env.NS.get(new URL(request.url).hostname.split(".")[0], {}, { limits: { cpuMs: 500, subRequests: 20 }, outbound: {} }).fetch(request);
	} }`, []engine.Binding{{Name: "NS", Type: engine.DispatchNamespace, Namespace: "production", Outbound: &engine.Outbound{Service: "outbound"}}})
	s.deploy(t, engine.Ref{Namespace: "production", Script: "js"}, isolate.ModuleES, `export default { fetch: (request) => new Response("Hello") }`, nil, "pro")
	module, err := os.ReadFile("../../isolate/guest/c/hello.wasm")
	if err != nil {
		t.Fatal(err)
	}
	s.deploy(t, engine.Ref{Namespace: "production", Script: "wasm"}, isolate.ModuleWasm, string(module), nil, "pro")
	return s
}

// hammer sends n requests on each of conns connections, one at a time.
func hammer(t *testing.T, address, host string, conns, n int) {
	var all sync.WaitGroup
	for range conns {
		all.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for range n {
				if _, err := io.WriteString(conn, "GET /hello HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); err != nil {
					t.Error(err)
					return
				}
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(string(body), "Hello") {
					t.Errorf("%d %q %v", resp.StatusCode, body, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestHotPathTakesNoLock runs 64 connections through user Workers with every limit, quotas and usage on: no request waits
// for another, for a lock or a channel, in a package of ours.
func TestHotPathTakesNoLock(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector changes who waits")
	}
	s := everyFeature(t, "")
	address := s.ingressLn.Addr().String()
	for _, host := range []string{"js.test", "wasm.test"} {
		hammer(t, address, host, 64, 50) // warm
		before := waits(t)
		runtime.SetMutexProfileFraction(1)
		runtime.SetBlockProfileRate(1)
		hammer(t, address, host, 64, 300)
		runtime.SetMutexProfileFraction(0)
		runtime.SetBlockProfileRate(0)
		for stack, n := range waits(t) {
			if n > before[stack] {
				t.Errorf("%s: %d waits in\n%s", host, n-before[stack], stack)
			}
		}
	}
}

// waits counts, by stack, what requests waited for in our packages.
func waits(t *testing.T) map[string]int64 {
	counts := map[string]int64{}
	for _, profile := range []func([]runtime.BlockProfileRecord) (int, bool){runtime.MutexProfile, runtime.BlockProfile} {
		records := make([]runtime.BlockProfileRecord, 10_000)
		n, ok := profile(records)
		if !ok {
			t.Fatalf("the profile has %d stacks", n)
		}
		for _, r := range records[:n] {
			if stack := requestStack(r.Stack()); stack != "" {
				counts[stack] += r.Count
			}
		}
	}
	return counts
}

// requestStack writes the stack of a request; "": it is none.
func requestStack(pcs []uintptr) string {
	var lines []string
	frames := runtime.CallersFrames(pcs)
	for {
		frame, more := frames.Next()
		lines = append(lines, fmt.Sprintf("%s %s:%d", frame.Function, frame.File, frame.Line))
		if !more {
			break
		}
	}
	ours := func(line string) bool { return strings.HasPrefix(line, "switchyard/") }
	serves := func(line string) bool { return strings.Contains(line, "ingress.(*Ingress).handle") }
	if !slices.ContainsFunc(lines, serves) || !slices.ContainsFunc(lines, ours) {
		return ""
	}
	return strings.Join(lines, "\n")
}

// TestHotPathAllocates counts what the whole process allocates a request, the test's client included.
func TestHotPathAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, c := range []struct {
		entry, host string
		most        float64
	}{
		{"", "wasm.test", 0},
		{"", "js.test", 1},
		{"dispatcher", "wasm.test", 1},
		{"dispatcher", "js.test", 2}, // one of each JavaScript Worker
	} {
		address := everyFeature(t, c.entry).ingressLn.Addr().String()
		n := allocations(t, address, c.host)
		t.Logf("%q %s: %v allocations a request", c.entry, c.host, n)
		if n > c.most {
			t.Errorf("%q %s: %v allocations a request, at most %v", c.entry, c.host, n, c.most)
		}
	}
}

func allocations(t *testing.T, address, host string) float64 {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request, reply := []byte("GET /hello HTTP/1.1\r\nHost: "+host+"\r\n\r\n"), make([]byte, 4096)
	ask := func() {
		conn.Write(request)
		n, err := conn.Read(reply)
		if err != nil || !bytes.HasPrefix(reply[:n], []byte("HTTP/1.1 200")) {
			t.Fatalf("%q, %v", reply[:n], err)
		}
	}
	for range 200 {
		ask()
	}
	return testing.AllocsPerRun(2000, ask)
}
