package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// bundle is one of bundles/workers: popular packages behind a Worker, and what is asked of it.
// Both are in one file, the requests in lines that begin with "//>":
//
//	//> METHOD PATH [header: value] … BODY      \r and \n in the body stand for the characters
//	//~ REASON                                  why the answer to the request above differs from workerd's
//	//! FLAG                                    a compatibility flag
type bundle struct {
	name     string
	flags    []string
	requests []bundleRequest
}

type bundleRequest struct {
	line         string
	method, path string
	headers      [][2]string
	body         string
	differs      string // the reason, if it does
}

var (
	bundleLine   = regexp.MustCompile(`(?m)^//> ((\S+) (\S+)(( \[[a-z-]+: [^\]]*\])*)( .*)?)(?:\n//~ (.*))?$`)
	bundleHeader = regexp.MustCompile(`\[([a-z-]+): ([^\]]*)\]`)
	bundleFlag   = regexp.MustCompile(`(?m)^//! (\S+)$`)
	bundleEscape = strings.NewReplacer(`\r`, "\r", `\n`, "\n")
)

func readBundles(t *testing.T) (all []bundle) {
	files, err := filepath.Glob("bundles/workers/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no Workers: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".js")
		if _, err := os.Stat("bundles/out/" + name + ".js"); err != nil {
			t.Skip("the bundles are not built: run make test, or npm ci and node build.mjs in cmd/switchyard/bundles")
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parseBundle(name, string(source)))
	}
	return all
}

func parseBundle(name, source string) bundle {
	b := bundle{name: name}
	for _, m := range bundleFlag.FindAllStringSubmatch(source, -1) {
		b.flags = append(b.flags, m[1])
	}
	for _, m := range bundleLine.FindAllStringSubmatch(source, -1) {
		r := bundleRequest{line: m[1], method: m[2], path: m[3], body: bundleEscape.Replace(strings.TrimPrefix(m[6], " ")), differs: m[7]}
		for _, h := range bundleHeader.FindAllStringSubmatch(m[4], -1) {
			r.headers = append(r.headers, [2]string{h[1], h[2]})
		}
		b.requests = append(b.requests, r)
	}
	return b
}

// TestBundles deploys popular packages, bundled unmodified, and holds every answer against
// workerd's for the same bundle, byte for byte.
func TestBundles(t *testing.T) {
	bundles := readBundles(t)
	workerd := make([]workerdWorker, len(bundles))
	for i, b := range bundles {
		file, _ := filepath.Abs("bundles/out/" + b.name + ".js")
		workerd[i] = workerdWorker{name: b.name, modules: []workerdModule{{name: "index.js", file: file}}, flags: b.flags}
	}
	theirs := serveWorkerd(t, workerd)
	p := serve(t, t.TempDir(), "--config", bundleConfig(t))
	p.createNamespace("production")
	for _, b := range bundles {
		t.Run(b.name, func(t *testing.T) {
			b.deploy(t, p)
			for _, r := range b.requests {
				// One host name for both: Workers see it in the URL.
				r.compare(t, r.send(t, p.ingress, b.name), r.send(t, theirs[b.name], b.name))
			}
		})
	}
}

func (b bundle) deploy(t *testing.T, p *platform) {
	t.Helper()
	source, err := os.ReadFile("bundles/out/" + b.name + ".js")
	if err != nil {
		t.Fatal(err)
	}
	w := script(string(source))
	w.metadata["compatibility_flags"] = b.flags
	if status, e := p.upload(customers("production")+b.name, w); status != http.StatusOK {
		t.Fatalf("deploy: %d %s", status, e.message())
	}
}

func (r bundleRequest) compare(t *testing.T, got, want string) {
	t.Helper()
	switch {
	case got == want && r.differs != "":
		t.Errorf("%s\nis answered as by workerd now, although %q", r.line, r.differs)
	case got != want && r.differs == "":
		t.Errorf("%s\n--- here:\n%.3000s\n--- workerd:\n%.3000s", r.line, got, want)
	}
}

// bundleConfig allows the start-up of bundles that carry several large packages each.
func bundleConfig(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("limits: {cpu_ms: 30000, startup_cpu_ms: 10000}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// ofServers are headers that belong to the server and the moment, not to the Worker's answer.
var ofServers = []string{"Date", "Connection", "Transfer-Encoding", "Content-Length", "Server"}

// send asks the server at addr and returns the answer as text: status, headers in order of their names, body.
func (r bundleRequest) send(t *testing.T, addr, worker string) string {
	t.Helper()
	client := http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			},
			DisableCompression: true,
			DisableKeepAlives:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
	req, err := http.NewRequest(r.method, "http://"+worker+".example.com"+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatalf("%s: %v", r.line, err)
	}
	for _, h := range r.headers {
		req.Header.Add(h[0], h[1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return "no answer: " + err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n", resp.Status)
	for _, name := range slices.Sorted(headerNames(resp.Header)) {
		fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(resp.Header[name], "\n\t"))
	}
	fmt.Fprintf(&out, "\n%s", plainBody(resp.Header, body))
	if err != nil {
		fmt.Fprintf(&out, "\nthe body ended: %v", err)
	}
	return out.String()
}

func headerNames(h http.Header) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range h {
			if !slices.Contains(ofServers, name) && !yield(name) {
				return
			}
		}
	}
}

// plainBody is the body decompressed: two compressors may differ in their bytes.
func plainBody(h http.Header, body []byte) []byte {
	if h.Get("Content-Encoding") != "gzip" {
		return body
	}
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return append([]byte("not gzip: "+err.Error()+"\n"), body...)
	}
	plain, err := io.ReadAll(zr)
	if err != nil {
		return append(plain, "\nnot gzip: "+err.Error()...)
	}
	return plain
}
