package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const peersDir = "bench/peers"

// installPeers fetches what bench/peers/package.json pins, once.
var installPeers = sync.OnceValue(func() error {
	if _, err := os.Stat(peersDir + "/node_modules/.package-lock.json"); err == nil {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
	cmd.Dir = peersDir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", peersDir, err, out)
	}
	return nil
})

// npmBinary is a program that came with the packages; pattern is below node_modules.
func npmBinary(pattern string) (string, error) {
	if err := installPeers(); err != nil {
		return "", err
	}
	found, err := filepath.Glob(peersDir + "/node_modules/" + pattern)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no package has %s for this machine", pattern)
	}
	return filepath.Abs(found[0])
}

// startAt starts a server that wants to be told its address, and waits until it listens.
func startAt(start func(addr string) (*process, error)) (*process, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().String()
	ln.Close() // the server takes the port over
	p, err := start(addr)
	if err != nil {
		return nil, err
	}
	p.addr = addr
	for range 3000 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return p, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen at %s", p.cmd.Path, addr)
}

// deno serves a Worker of bench/peers by `deno serve`, which knows a module with a fetch handler.
func deno(file string) func(string) (*process, error) {
	return func(string) (*process, error) {
		binary, err := npmBinary("@deno/*/deno")
		if err != nil {
			return nil, err
		}
		return startAt(func(addr string) (*process, error) {
			host, port, _ := net.SplitHostPort(addr) // it is a listener's
			return launch(nil, binary, "serve", "--no-lock", "--quiet", "--host", host, "--port", port, filepath.Join(peersDir, file))
		})
	}
}

// bunEntry is what makes a Worker's module a server in Bun.
const bunEntry = `import worker from %q;
Bun.serve({ hostname: "127.0.0.1", port: %s, fetch: (request) => worker.fetch(request) });
`

func bun(file string) func(string) (*process, error) {
	return func(dir string) (*process, error) {
		binary, err := npmBinary("@oven/*/bin/bun")
		if err != nil {
			return nil, err
		}
		worker, err := filepath.Abs(filepath.Join(peersDir, file))
		if err != nil {
			return nil, err
		}
		return startAt(func(addr string) (*process, error) {
			_, port, _ := net.SplitHostPort(addr) // it is a listener's
			entry := filepath.Join(dir, "bun-"+strings.TrimSuffix(file, ".js")+"-"+port+".mjs")
			if err := os.WriteFile(entry, fmt.Appendf(nil, bunEntry, worker, port), 0o600); err != nil {
				return nil, err
			}
			return launch(nil, binary, "run", entry)
		})
	}
}

// naive serves a guest of bench/peers/wasm the given way of its main.go.
func naive(way, guest string) func(string) (*process, error) {
	return func(dir string) (*process, error) {
		return startNaive(dir, way, filepath.Join(peersDir, "wasm", guest))
	}
}

func naiveGo(dir string) (*process, error) {
	guest := filepath.Join(dir, "naive-go.wasm")
	if err := buildGuest(peersDir+"/wasm", "./goguest", guest); err != nil {
		return nil, err
	}
	return startNaive(dir, "wazero-pooled", guest)
}

func startNaive(dir, way, guest string) (*process, error) {
	binary := filepath.Join(dir, "naive")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = peersDir + "/wasm"
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build in %s: %w\n%s", build.Dir, err, out)
	}
	var addr string
	p, err := launch(func(line string) bool {
		_, err := fmt.Sscanf(line, "ready %s", &addr)
		return err == nil
	}, binary, way, guest)
	if err != nil {
		return nil, err
	}
	p.addr = addr
	return p, nil
}

// buildGuest compiles a Go program to a wasm reactor.
func buildGuest(dir, pkg, out string) error {
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return nil
}
