package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hogs are tenants that take what they can get, back to back.
var hogs = []struct {
	name   string
	source string
	each   int // of them
}{
	{"alone", "", 0},
	{"1 spins", `while (true);`, 1},
	{"4 spin", `while (true);`, 4},
	{"4 fill their memory", `const a = []; while (true) a.push(new Uint8Array(1 << 20).fill(1));`, 4},
	{"4 log", `while (true) console.log("x".repeat(1000));`, 4},
	{"4 send long bodies", `return new Response("x".repeat(1 << 20));`, 4},
}

// TestNeighbours prints how long a quiet tenant's requests take over a socket beside others, and how many of the
// hogs' requests were refused or ended: alone, beside hogs of the platform, beside a storm of deploys, and, as a
// control, beside processes that the kernel divides the machine among. It is a table to read: run it with -v.
func TestNeighbours(t *testing.T) {
	if !testing.Verbose() || testing.Short() || raceEnabled {
		t.Skip("it measures")
	}
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"quiet", script(`export default { fetch: () => new Response("q") }`))
	for i, hog := range hogs {
		if hog.source != "" {
			p.deploy(fmt.Sprintf("%shog%d", customers("production"), i), script(`export default { fetch(request) { `+hog.source+` } }`))
		}
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		var asked, failed atomic.Int64
		for range hog.each {
			all.Go(func() { p.ask(ctx, fmt.Sprintf("http://hog%d.example.com/", i), &asked, &failed) })
		}
		p.tellQuiet(hog.name)
		cancel()
		all.Wait()
		t.Logf("%22s %d of the hogs' requests, %d without an answer of theirs", "", asked.Load(), failed.Load())
	}
	ctx, cancel := context.WithCancel(context.Background())
	var storm sync.WaitGroup
	bulk := strings.Repeat("(function () { return 1; });\n", 500)
	storm.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			p.deploy(customers("production")+"storm", script(fmt.Sprintf(`%s export default { fetch: () => new Response("%d") }`, bulk, n)))
		}
	})
	p.tellQuiet("a storm of deploys")
	cancel()
	storm.Wait()
	for _, n := range []int{1, 4} {
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for range n {
			all.Go(func() { exec.CommandContext(ctx, "sh", "-c", "while kill -0 $PPID; do :; done").Run() })
		}
		p.tellQuiet(fmt.Sprintf("control: %d processes", n))
		cancel()
		all.Wait()
	}
}

// ask asks until ctx ends.
func (p *platform) ask(ctx context.Context, url string, asked, failed *atomic.Int64) {
	client := p.client()
	for ctx.Err() == nil {
		r, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
		resp, err := client.Do(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		asked.Add(1)
		if resp.StatusCode != 200 {
			failed.Add(1)
		}
	}
}

// tellQuiet asks the quiet tenant every other millisecond, from a process of its own.
func (p *platform) tellQuiet(beside string) {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestQuietTenant$", "-test.v")
	cmd.Env = append(os.Environ(), quietIngress+"="+p.ingress)
	out, err := cmd.Output()
	_, figures, found := strings.Cut(string(out), quietIngress)
	if err != nil || !found {
		p.t.Fatalf("%s: %v", out, err)
	}
	figures, _, _ = strings.Cut(figures, "\n")
	p.t.Logf("%22s %s", beside, figures)
}

const quietIngress = "SWITCHYARD_TEST_QUIET_INGRESS"

// TestQuietTenant is tellQuiet's other half.
func TestQuietTenant(t *testing.T) {
	to := os.Getenv(quietIngress)
	if to == "" {
		t.Skip("it is a part of TestNeighbours")
	}
	conn, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var took []time.Duration
	reply := make([]byte, 4096)
	errors := 0
	for range 800 {
		start := time.Now()
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: quiet.example.com\r\n\r\n")
		n, err := conn.Read(reply)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(reply[:n]), "HTTP/1.1 200") {
			errors++
		}
		took = append(took, time.Since(start))
		time.Sleep(2 * time.Millisecond)
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(time.Microsecond) }
	fmt.Println(quietIngress, "p50", at(0.5), "p99", at(0.99), "max", at(1), "errors", errors)
}
