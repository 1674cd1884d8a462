package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// workerdBinary comes with the pinned wrangler of the end-to-end tests.
const workerdBinary = "e2e/node_modules/@cloudflare/workerd-linux-64/bin/workerd"

// workerdWorker is one Worker for workerd: ES modules, the main one first.
type workerdWorker struct {
	name    string
	modules []workerdModule
	flags   []string // compatibility flags
}

type workerdModule struct {
	name string
	file string // absolute
	kind string // a field of workerd.capnp's Worker.Module; "" means esModule
}

// serveWorkerd runs workerd with each Worker on a port of its own and returns their addresses by
// name. The test is skipped where workerd is not installed.
func serveWorkerd(t *testing.T, workers []workerdWorker) map[string]string {
	t.Helper()
	if _, err := os.Stat(workerdBinary); err != nil {
		t.Skip("workerd is not installed: run make test, or npm ci in cmd/switchyard/e2e")
	}
	config := filepath.Join(t.TempDir(), "workerd.capnp")
	if err := os.WriteFile(config, []byte(workerdConfig(workers)), 0o600); err != nil {
		t.Fatal(err)
	}
	told, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(workerdBinary, "serve", config, "--control-fd=3", "--import-path=/")
	cmd.ExtraFiles = []*os.File{tell}
	log := new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tell.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		told.Close()
		if t.Failed() {
			t.Logf("workerd's log:\n%s", log.String())
		}
	})
	at := map[string]string{}
	for lines := bufio.NewScanner(told); len(at) < len(workers); {
		if !lines.Scan() {
			t.Fatalf("workerd did not start:\n%s", log.String())
		}
		var event struct {
			Event, Socket string
			Port          int
		}
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Event == "listen" {
			at[event.Socket] = fmt.Sprintf("127.0.0.1:%d", event.Port)
		}
	}
	return at
}

func workerdConfig(workers []workerdWorker) string {
	var services, sockets, bodies strings.Builder
	services.WriteString(`(name = "internet", network = (allow = ["public", "private"])), `)
	for i, w := range workers {
		fmt.Fprintf(&services, "(name = %q, worker = .w%d), ", w.name, i)
		fmt.Fprintf(&sockets, `(name = %q, address = "127.0.0.1:0", http = (), service = %q), `, w.name, w.name)
		fmt.Fprintf(&bodies, "const w%d :Workerd.Worker = (modules = [", i)
		for _, m := range w.modules {
			kind := m.kind
			if kind == "" {
				kind = "esModule"
			}
			fmt.Fprintf(&bodies, "(name = %q, %s = embed %q), ", m.name, kind, m.file)
		}
		fmt.Fprintf(&bodies, "], compatibilityDate = %q, compatibilityFlags = [", compatibilityDate)
		for _, flag := range w.flags {
			fmt.Fprintf(&bodies, "%q, ", flag)
		}
		bodies.WriteString("]);\n")
	}
	return fmt.Sprintf("using Workerd = import \"/workerd/workerd.capnp\";\nconst config :Workerd.Config = (services = [%s], sockets = [%s]);\n%s",
		services.String(), sockets.String(), bodies.String())
}
