package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Configurations of workerd. A service binding is the nearest that it has to a dispatch namespace.
const (
	workerdHead = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  sockets = [ (name = "http", address = "ADDRESS", http = (), service = "entry") ],
  services = [ (name = "internet", network = (allow = ["public", "private"])), SERVICES ]
);
`
	workerdAlone    = `(name = "entry", worker = (modules = [ (name = "user.js", esModule = embed "user.js") ], DATE))`
	workerdDispatch = `(name = "user", worker = (modules = [ (name = "user.js", esModule = embed "user.js") ], DATE)),
    (name = "entry", worker = (modules = [ (name = "entry.js", esModule = embed "entry.js") ], bindings = [ (name = "USER", service = "user") ], DATE))`
	workerdPair = `(name = "user", worker = (modules = [ (name = "user.js", esModule = embed "user.js") ], DATE)),
    (name = "entry", worker = (modules = [ (name = "pick.js", esModule = embed "pick.js") ], bindings = [ (name = "USER", service = "user") ], DATE))`
	workerdLifecycle = `(name = "out", worker = (modules = [ (name = "outbound.js", esModule = embed "outbound.js") ], DATE)),
    (name = "user", worker = (modules = [ (name = "user.js", esModule = embed "user.js") ], globalOutbound = "out", DATE)),
    (name = "entry", worker = (modules = [ (name = "entry.js", esModule = embed "entry.js") ], bindings = [ (name = "USER", service = "user") ], DATE))`
)

// workerd serves file as user.js in one of the configurations.
func workerd(file, services string) func(string) (*process, error) {
	return func(dir string) (*process, error) {
		user, err := readPeer(file)
		if err != nil {
			return nil, err
		}
		return startWorkerd(filepath.Join(dir, "workerd-"+file), services, map[string]string{"user.js": user})
	}
}

// startWorkerd writes configuration and modules to dir; entry.js and outbound.js come from bench/peers.
func startWorkerd(dir, services string, modules map[string]string) (*process, error) {
	binary, err := npmBinary("@cloudflare/workerd-*/bin/workerd")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"entry.js", "outbound.js"} {
		if modules[name], err = readPeer(name); err != nil {
			return nil, err
		}
	}
	for name, source := range modules {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
			return nil, err
		}
	}
	return startAt(func(addr string) (*process, error) {
		config := strings.NewReplacer("ADDRESS", addr, "SERVICES", services).Replace(workerdHead)
		config = strings.ReplaceAll(config, "DATE", `compatibilityDate = "2025-09-01"`)
		file := filepath.Join(dir, "workerd.capnp")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			return nil, err
		}
		return launch(nil, binary, "serve", file)
	})
}

// readPeer reads a Worker of bench/peers. Those that fetch an origin get this run's.
func readPeer(file string) (string, error) {
	source, err := readRepo(peersDir + "/" + file)
	if err != nil || !strings.Contains(source, "origin.example") {
		return source, err
	}
	origin, err := startOrigin()
	if err != nil {
		return "", fmt.Errorf("origin: %w", err)
	}
	return strings.ReplaceAll(source, "origin.example", origin.addr), nil
}
