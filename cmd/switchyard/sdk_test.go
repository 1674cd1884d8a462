package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write anew what clients said, in e2e/clients")

// wantTranscript compares what a client said with its file; `-update` writes the file.
func wantTranscript(t *testing.T, client, got string) {
	t.Helper()
	path := filepath.Join("e2e/clients", client+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s said\n%s\nwant\n%s", client, got, want)
	}
}

// needsClients skips a test where Node, or the pinned npm packages, are not there.
func needsClients(t *testing.T, module string) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("needs node")
	}
	if _, err := os.Stat(filepath.Join("e2e/node_modules", module)); err != nil {
		t.Skip(module + " is not installed: run make test, or npm ci in cmd/switchyard/e2e")
	}
}

// TestSDK runs every call that a platform's deploy code may make, by three releases of the
// TypeScript SDK, unmodified. API.md has the matrix.
func TestSDK(t *testing.T) {
	p := serve(t, t.TempDir())
	for _, module := range []string{"cloudflare", "cloudflare-5", "cloudflare-4"} {
		t.Run(module, func(t *testing.T) {
			needsClients(t, module)
			cmd := exec.Command("node", "sdk.mjs", module)
			cmd.Dir = "e2e"
			cmd.Env = append(os.Environ(), "CLOUDFLARE_BASE_URL="+p.control, "CLOUDFLARE_API_TOKEN="+p.token, "ACCOUNT="+account)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%v", err)
			}
			wantTranscript(t, module, string(out))
		})
	}
}

// TestGoSDK does the same by cloudflare-go, a module of its own that is built here: with an empty
// build cache that is minutes, so only `make clients` does it.
func TestGoSDK(t *testing.T) {
	if os.Getenv("SWITCHYARD_GO_SDK") == "" {
		t.Skip("needs SWITCHYARD_GO_SDK=1: builds a large SDK")
	}
	bin := filepath.Join(t.TempDir(), "gosdk")
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = "e2e/gosdk"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := serve(t, t.TempDir())
	cmd := exec.Command(bin)
	cmd.Env = append(os.Environ(), "CLOUDFLARE_BASE_URL="+p.control, "CLOUDFLARE_API_TOKEN="+p.token, "ACCOUNT="+account)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v", err)
	}
	wantTranscript(t, "cloudflare-go", string(out))
}
