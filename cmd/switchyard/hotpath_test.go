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

func (s *server) deploy(t *testing.T, ref engine.Ref, source string, bindings []engine.Binding, tags ...string) {
	t.Helper()
	u := engine.Upload{Main: "index.js", Modules: []isolate.Module{{Name: "index.js", Kind: isolate.ModuleES, Source: []byte(source)}}, Bindings: bindings, Tags: tags}
	if _, err := s.engine.Deploy(context.Background(), ref, u); err != nil {
		t.Fatal(err)
	}
}

// everyFeature deploys a dispatcher, an outbound Worker and a user Worker on a plan with every limit and a quota.
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
	s.deploy(t, engine.Ref{Script: "outbound"}, `export default { fetch: (request) => new Response("out") }`, nil)
	s.deploy(t, engine.Ref{Script: "dispatcher"}, `export default { fetch(request, env) {
		return env.NS.get("user", {}, { limits: { cpuMs: 500, subRequests: 20 }, outbound: {} }).fetch(request);
	} }`, []engine.Binding{{Name: "NS", Type: engine.DispatchNamespace, Namespace: "production", Outbound: &engine.Outbound{Service: "outbound"}}})
	s.deploy(t, engine.Ref{Namespace: "production", Script: "user"}, `export default { fetch: (request) => new Response("hello") }`, nil, "pro")
	return s
}

// hammer sends n requests on each of conns connections, one at a time.
func hammer(t *testing.T, address string, conns, n int) {
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
				if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: user.test\r\n\r\n"); err != nil {
					t.Error(err)
					return
				}
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != 200 || string(body) != "hello" {
					t.Errorf("%d %q %v", resp.StatusCode, body, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestHotPathTakesNoLock runs 64 connections through dispatcher and user Worker with every limit, quotas and usage on:
// no request waits for another, for a lock or a channel, in a package of ours.
func TestHotPathTakesNoLock(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector changes who waits")
	}
	s := everyFeature(t, "")
	address := s.ingressLn.Addr().String()
	hammer(t, address, 64, 50) // warm
	before := waits(t)
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	hammer(t, address, 64, 300)
	runtime.SetMutexProfileFraction(0)
	runtime.SetBlockProfileRate(0)
	for stack, n := range waits(t) {
		if n > before[stack] {
			t.Errorf("%d waits in\n%s", n-before[stack], stack)
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

// TestHotPathAllocates counts what the whole process allocates a request, client included: a
// client that does not allocate would not be net/http's, so its own share is taken off.
func TestHotPathAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := everyFeature(t, "dispatcher")
	conn, err := net.Dial("tcp", s.ingressLn.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request, reply := []byte("GET / HTTP/1.1\r\nHost: user.test\r\n\r\n"), make([]byte, 4096)
	ask := func() {
		conn.Write(request)
		n, err := conn.Read(reply)
		if err != nil || !bytes.HasSuffix(reply[:n], []byte("hello")) {
			t.Fatalf("%q, %v", reply[:n], err)
		}
	}
	for range 200 {
		ask()
	}
	if n := testing.AllocsPerRun(2000, ask); n > 2 { // one of each JavaScript Worker
		t.Errorf("%v allocations a request", n)
	} else {
		t.Logf("%v allocations a request through dispatcher and user Worker", n)
	}
}
