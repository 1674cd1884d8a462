package isolate

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestNeighbour prints how long a quiet tenant's requests take over a socket: alone, beside hogs
// of this process, and beside as many of others, which the kernel divides the machine among. It is a
// table to read: run it with -v, and with another GOMAXPROCS.
func TestNeighbour(t *testing.T) {
	if !testing.Verbose() || testing.Short() || raceEnabled {
		t.Skip("it measures")
	}
	quiet := newTestPool(t, jsSpec(handler(`return new Response("q")`)))
	hog := newTestPool(t, jsSpec(handler(`while (true);`)))
	address := serveQuiet(t, quiet)
	t.Logf("%d processors for Go, %d tokens of the lane", runtime.GOMAXPROCS(0), hog.rt.lane.tokens)
	for _, hogs := range []int{0, 1, 2, 4, 8} {
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for range hogs {
			all.Go(func() {
				for ctx.Err() == nil {
					hog.Invoke(&Call{Context: ctx, Request: testRequest("GET", "http://a.test/", ""), Limits: Limits{CPU: 50 * time.Millisecond}})
				}
			})
		}
		f := askQuietly(t, address)
		t.Logf("%d hogs:         p50 %6.0f p99 %6.0f max %6.0f µs", hogs, micros(f.p50), micros(f.p99), micros(f.max))
		cancel()
		all.Wait()
	}
	for _, hogs := range []int{1, 2, 4, 8} {
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for range hogs {
			all.Go(func() { exec.CommandContext(ctx, "sh", "-c", "while kill -0 $PPID; do :; done").Run() })
		}
		f := askQuietly(t, address)
		t.Logf("%d others' hogs: p50 %6.0f p99 %6.0f max %6.0f µs", hogs, micros(f.p50), micros(f.p99), micros(f.max))
		cancel()
		all.Wait()
	}
}

// serveQuiet answers each byte on a connection with a byte, once p has been asked.
func serveQuiet(t *testing.T, p *Pool) net.Addr {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // until the listener is closed
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			b := make([]byte, 1)
			for _, err := conn.Read(b); err == nil; _, err = conn.Read(b) {
				if _, err := ask(p, nil, testRequest("GET", "http://a.test/", "")); err != nil {
					t.Error(err)
				}
				conn.Write(b)
			}
			conn.Close()
		}
	}()
	return l.Addr()
}

// askQuietly measures from another process, which Go's scheduler here has no part in.
func askQuietly(t *testing.T, to net.Addr) (f figures) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestQuietClient$", "-test.v")
	cmd.Env = append(os.Environ(), quietAddress+"="+to.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(out), quietAddress)
	if _, err := fmt.Sscan(after, &f.p50, &f.p99, &f.max); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return f
}

const quietAddress = "SWITCHYARD_TEST_QUIET"

// TestQuietClient is askQuietly's other half: a request every other millisecond.
func TestQuietClient(t *testing.T) {
	to := os.Getenv(quietAddress)
	if to == "" {
		t.Skip("it is a part of TestNeighbour")
	}
	conn, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var took []time.Duration
	b := []byte{'q'}
	for range 600 {
		start := monotonic()
		conn.Write(b)
		if _, err := conn.Read(b); err != nil {
			t.Fatal(err)
		}
		took = append(took, monotonic()-start)
		time.Sleep(2 * time.Millisecond)
	}
	f := spread(took)
	fmt.Println(quietAddress, int64(f.p50), int64(f.p99), int64(f.max))
}
