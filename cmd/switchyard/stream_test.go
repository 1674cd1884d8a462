package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const big = 100 << 20 // bytes

// zeros is a body of n bytes that costs no memory.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// rss is the resident memory of the process, in bytes.
func (p *platform) rss() int64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skipf("no /proc here: %v", err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// peakRSS watches the process while f runs and returns by how much its memory grew.
func (p *platform) peakRSS(f func()) int64 {
	before, stop, peak := p.rss(), make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
				most = max(most, p.rss())
			}
		}
	}()
	f()
	close(stop)
	return <-peak - before
}

// streamPlatform is a dispatcher with customers that pass bodies on.
func streamPlatform(t *testing.T, origin string) *platform {
	config := t.TempDir() + "/config.yaml" // CPU time for the guest that looks at each of 100 MB
	if err := os.WriteFile(config, []byte("egress: {allow: ['"+origin+"']}\nlimits: {cpu_ms: 5000}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir(), "--entry", "dispatcher", "--config", config)
	p.createNamespace("production")
	p.deploy(plainScripts+"dispatcher", script(readExample(t, "dispatcher/index.js"), dispatcherBinding("production", "")))
	p.deploy(customers("production")+"download", script(`export default { fetch: (request, env) => fetch(env.ORIGIN) }`, text("ORIGIN", "http://"+origin)))
	p.deploy(customers("production")+"upload", script(`export default { fetch: (request, env) => fetch(env.ORIGIN, { method: "POST", body: request.body }) }`, text("ORIGIN", "http://"+origin)))
	p.deploy(customers("production")+"echo", script(`export default { fetch: (request) => new Response(request.body) }`))
	p.deploy(customers("production")+"count", script(`export default { async fetch(request) { let n = 0; for await (const chunk of request.body) n += chunk.byteLength; return new Response(String(n)); } }`))
	p.deploy(customers("production")+"events", script(`export default { fetch() {
		let n = 0;
		return new Response(new ReadableStream({ async pull(c) {
			await scheduler.wait(20);
			if (n === 20) return c.close();
			c.enqueue(new TextEncoder().encode("data: " + n++ + "\n\n"));
		} }), { headers: { "content-type": "text/event-stream" } });
	} }`))
	return p
}

// TestBigBodies: 100 MB in each direction, by handle and through guest code, in little memory.
func TestBigBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 400 MB")
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, _ := io.Copy(io.Discard, r.Body); n > 0 {
			fmt.Fprint(w, n)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(big))
		io.Copy(w, &zeros{big})
	}))
	defer origin.Close()
	p := streamPlatform(t, strings.TrimPrefix(origin.URL, "http://"))
	for _, host := range []string{"download", "upload", "echo", "count"} { // warm: isolates, buffers
		r, err := p.client().Post("http://"+host+".example.com/", "application/octet-stream", io.LimitReader(&zeros{big}, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
		r.Body.Close()
	}
	for _, c := range []struct {
		host   string
		upload bool
		want   int64  // bytes of the answer
		text   string // or the answer
	}{
		{"download", false, big, ""}, {"upload", true, 0, strconv.Itoa(big)}, {"echo", true, big, ""}, {"count", true, 0, strconv.Itoa(big)},
	} {
		t.Run(c.host, func(t *testing.T) {
			var got int64
			var text string
			grown := p.peakRSS(func() {
				var body io.Reader
				if c.upload {
					body = &zeros{big}
				}
				r, err := p.client().Post("http://"+c.host+".example.com/", "application/octet-stream", body)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				if c.text != "" {
					b, _ := io.ReadAll(r.Body)
					text = string(b)
				} else {
					got, _ = io.Copy(io.Discard, r.Body)
				}
			})
			if got != c.want || text != c.text {
				t.Errorf("got %d bytes %.200q, want %d bytes %q", got, text, c.want, c.text)
			}
			if grown > 64<<20 {
				t.Errorf("resident memory grew by %d MiB", grown>>20)
			}
			t.Logf("resident memory grew by %.1f MiB", float64(grown)/(1<<20))
		})
	}
}

// TestEventStream: each event arrives when it is written, not when the stream ends.
func TestEventStream(t *testing.T) {
	p := streamPlatform(t, "127.0.0.1:1")
	r, err := p.client().Get("http://events.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	lines := bufio.NewScanner(r.Body)
	var first, last time.Time
	events := 0
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: ") {
			if last = time.Now(); events == 0 {
				first = last
			}
			events++
		}
	}
	if events != 20 || last.Sub(first) < 200*time.Millisecond {
		t.Errorf("%d events within %v: want 20, spread over 400 ms", events, last.Sub(first))
	}
}
