package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"switchyard/engine"
	"switchyard/examples"
	"switchyard/isolate"
)

// demoOrigin is where the world outside of the demo is, when nobody else has that port: a server that
// answers what it was asked, so that a curl line shows what the outbound Worker added.
const demoOrigin = "127.0.0.1:8789"

// demoNamespace is where the demo's customers live.
const demoNamespace = "production"

func listenDemo() (net.Listener, error) {
	if ln, err := net.Listen("tcp", demoOrigin); err == nil {
		return ln, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// startDemo deploys the example platform, starts its origin and prints lines to try.
func (s *server) startDemo(ctx context.Context, stdout io.Writer) (io.Closer, error) {
	origin := &http.Server{Handler: http.HandlerFunc(echoOrigin), ReadHeaderTimeout: 10 * time.Second}
	go origin.Serve(s.demoLn) // ends by Close, which serve defers
	if err := s.deployDemo(ctx); err != nil {
		origin.Close()
		return nil, err
	}
	s.printDemo(stdout)
	return origin, nil
}

func echoOrigin(w http.ResponseWriter, r *http.Request) {
	time.Sleep(100 * time.Millisecond) // as far away as an ordinary API
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"path": r.URL.Path, "x-platform": r.Header.Get("X-Platform")})
}

// deployDemo uploads what examples holds, as a client of the control API would.
func (s *server) deployDemo(ctx context.Context) error {
	if _, err := s.engine.Namespace(demoNamespace); err != nil {
		if _, err := s.engine.CreateNamespace(ctx, demoNamespace); err != nil {
			return err
		}
	}
	for _, w := range []struct {
		ref      engine.Ref
		main     string
		bindings []engine.Binding
	}{
		{engine.Ref{Script: "outbound"}, "index.js", nil},
		{engine.Ref{Script: "dispatcher"}, "index.js", []engine.Binding{{
			Name: "DISPATCHER", Type: engine.DispatchNamespace, Namespace: demoNamespace,
			Outbound: &engine.Outbound{Service: "outbound"},
		}}},
		{engine.Ref{Namespace: demoNamespace, Script: "customer-a"}, "index.js", []engine.Binding{
			{Name: "GREETING", Type: engine.PlainText, Text: "Hello from customer-a"}}},
		{engine.Ref{Namespace: demoNamespace, Script: "customer-b"}, "index.js", []engine.Binding{
			{Name: "ORIGIN", Type: engine.PlainText, Text: "http://" + s.demoLn.Addr().String()}}},
		{engine.Ref{Namespace: demoNamespace, Script: "customer-c"}, "worker.wasm", []engine.Binding{
			{Name: "GREETING", Type: engine.PlainText, Text: "Hello from customer-c"}}},
	} {
		modules, err := exampleModules(w.ref.Script)
		if err != nil {
			return err
		}
		upload := engine.Upload{Main: w.main, Modules: modules, Bindings: w.bindings, CompatibilityDate: "2025-09-01"}
		if _, err := s.engine.Deploy(ctx, w.ref, upload); err != nil {
			return fmt.Errorf("%s: %w", w.ref, err)
		}
	}
	_, err := s.engine.PutRoute(ctx, "*/*", "dispatcher")
	return err
}

// exampleModules reads one example's modules.
func exampleModules(name string) ([]isolate.Module, error) {
	var modules []isolate.Module
	err := fs.WalkDir(examples.Files, name, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := exampleKind(file)
		if !ok {
			return nil
		}
		source, err := examples.Files.ReadFile(file)
		modules = append(modules, isolate.Module{Name: strings.TrimPrefix(file, name+"/"), Kind: kind, Source: source})
		return err
	})
	return modules, err
}

// exampleKind tells a module by its name; other files of an example are not uploaded. A script
// in service-worker syntax exports nothing.
func exampleKind(file string) (isolate.ModuleKind, bool) {
	switch path.Ext(file) {
	case ".wasm":
		return isolate.ModuleWasm, true
	case ".js":
		if source, err := examples.Files.ReadFile(file); err == nil && !strings.Contains(string(source), "export ") {
			return isolate.ModuleJS, true
		}
		return isolate.ModuleES, true
	}
	return 0, false
}

// printDemo prints lines that work.
func (s *server) printDemo(w io.Writer) {
	at := s.ingressLn.Addr()
	_, port, _ := net.SplitHostPort(at.String())
	fmt.Fprintf(w, `
The demo platform is up. Try:
  curl http://customer-a.localhost:%[1]s/            # a page
  curl 'http://customer-a.localhost:%[1]s/api?x=1'   # JSON
  curl http://customer-a.localhost:%[1]s/spin        # an endless loop, ended by its CPU limit
  curl http://customer-b.localhost:%[1]s/            # three fetches at once, through the outbound Worker
  curl http://customer-b.localhost:%[1]s/blocked     # a fetch that the outbound Worker blocks
  curl http://customer-c.localhost:%[1]s/hello       # a customer in WebAssembly
  curl http://nobody.localhost:%[1]s/                # no such customer
Deploy your own:
  curl -X PUT -H "Authorization: Bearer $(cat %[2]s/token)" -H "Content-Type: application/javascript+module" \
    --data 'export default { fetch: () => new Response("mine\n") }' \
    http://%[3]s/client/v4/accounts/%[4]s/workers/dispatch/namespaces/%[5]s/scripts/mine
  curl http://mine.localhost:%[1]s/
`, port, s.Data, s.controlLn.Addr(), s.Account, demoNamespace)
}
