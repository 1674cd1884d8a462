package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// workerdBinary comes with the pinned wrangler of the end-to-end tests.
const workerdBinary = "cmd/switchyard/e2e/node_modules/@cloudflare/workerd-linux-64/bin/workerd"

// workerdConfig serves one of bench/peers, or entry.js in front of hello.js: a service binding is
// the nearest that workerd has to a dispatch namespace.
const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "user", worker = .user), (name = "entry", worker = .entry) ],
  sockets = [ (name = "http", address = "%[1]s", http = (), service = "%[2]s") ]
);
const user :Workerd.Worker = (
  modules = [ (name = "user.js", esModule = embed "%[3]s") ],
  compatibilityDate = "2025-09-01"
);
const entry :Workerd.Worker = (
  modules = [ (name = "entry.js", esModule = embed "entry.js") ],
  bindings = [ (name = "USER", service = "user") ],
  compatibilityDate = "2025-09-01"
);
`

func startWorkerdHello(dir string) (*process, error) { return startWorkerd(dir, "user", "hello.js") }
func startWorkerdURL(dir string) (*process, error)   { return startWorkerd(dir, "user", "url.js") }
func startWorkerdJSON(dir string) (*process, error)  { return startWorkerd(dir, "user", "json.js") }
func startWorkerdHTML(dir string) (*process, error)  { return startWorkerd(dir, "user", "html.js") }
func startWorkerdDispatch(dir string) (*process, error) {
	return startWorkerd(dir, "entry", "hello.js")
}

func startWorkerd(dir, service, user string) (*process, error) {
	if _, err := os.Stat(workerdBinary); err != nil {
		return nil, fmt.Errorf("workerd is not installed: run make test once, or npm ci in cmd/switchyard/e2e: %w", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().String()
	ln.Close() // workerd takes the port over
	file, err := writeWorkerd(filepath.Join(dir, "workerd-"+service+"-"+user), fmt.Appendf(nil, workerdConfig, addr, service, user), user)
	if err != nil {
		return nil, err
	}
	p, err := launch(nil, workerdBinary, "serve", file)
	if err != nil {
		return nil, err
	}
	p.addr = addr
	for range 200 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return p, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("workerd does not listen at %s", addr)
}

// writeWorkerd puts the configuration beside the sources that it embeds, and returns its path.
func writeWorkerd(dir string, config []byte, user string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{"entry.js", user} {
		source, err := readRepo("bench/peers/" + name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
			return "", err
		}
	}
	file := filepath.Join(dir, "workerd.capnp")
	return file, os.WriteFile(file, config, 0o600)
}
