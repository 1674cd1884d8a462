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

// workerdConfig serves hello.js, or entry.js in front of it: a service binding is the nearest
// that workerd has to a dispatch namespace.
const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "hello", worker = .hello), (name = "entry", worker = .entry) ],
  sockets = [ (name = "http", address = "%s", http = (), service = "%s") ]
);
const hello :Workerd.Worker = (
  modules = [ (name = "hello.js", esModule = "export default { fetch() { return new Response('Hello'); } };") ],
  compatibilityDate = "2025-09-01"
);
const entry :Workerd.Worker = (
  modules = [ (name = "entry.js", esModule =
    "export default { async fetch(request, env) { const name = new URL(request.url).hostname.split('.')[0]; return env.USER.fetch(request); } };") ],
  bindings = [ (name = "USER", service = "hello") ],
  compatibilityDate = "2025-09-01"
);
`

func startWorkerdHello(dir string) (*process, error)    { return startWorkerd(dir, "hello") }
func startWorkerdDispatch(dir string) (*process, error) { return startWorkerd(dir, "entry") }

func startWorkerd(dir, service string) (*process, error) {
	if _, err := os.Stat(workerdBinary); err != nil {
		return nil, fmt.Errorf("workerd is not installed: run make test once, or npm ci in cmd/switchyard/e2e: %w", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().String()
	ln.Close() // workerd takes the port over
	file := filepath.Join(dir, "workerd-"+service+".capnp")
	if err := os.WriteFile(file, fmt.Appendf(nil, workerdConfig, addr, service), 0o600); err != nil {
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
