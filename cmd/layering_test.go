package cmd

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// room is what a part of the house may import of the others, and which well-known modules it
// alone may import. A prefix ending in "/" covers everything below.
var rooms = []struct {
	path string
	may  []string // own packages, without the module's name
}{
	{"isolate/wasm", nil},
	{"isolate/abi", nil},
	{"isolate/js", nil},
	{"isolate/guest/", []string{"isolate/abi", "isolate/guest/"}},
	{"isolate/service", nil},
	{"isolate/service/", []string{"isolate/service"}},
	{"isolate", []string{"isolate/wasm", "isolate/abi", "isolate/js", "isolate/service", "isolate/service/"}},
	{"engine/store", nil},
	{"engine/site", nil},
	{"engine/trace", []string{"isolate/abi"}},
	{"engine", []string{"isolate", "isolate/abi", "engine/store", "engine/site", "engine/trace"}},
	{"gateway", []string{"engine", "isolate"}},
	{"gateway/", []string{"gateway", "engine", "engine/trace", "isolate", "isolate/abi"}},
	{"examples", nil},
	{"loadtest", []string{"loadtest/"}},
	{"loadtest/", []string{"loadtest"}},
	{"cmd/loadtest", []string{"loadtest", "loadtest/"}},
	{"cmd/switchyard", []string{"gateway", "gateway/", "engine", "engine/store", "isolate", "isolate/js", "examples"}},
	{"cmd/switchyard/wpt", nil},
	{"bench", []string{"loadtest", "loadtest/"}},
	{"fuzz", []string{"gateway", "gateway/", "engine", "engine/store", "isolate", "isolate/", "loadtest"}},
}

// owners are the only importers of a module.
var owners = map[string][]string{
	"github.com/tetratelabs/wazero":           {"isolate"},
	"github.com/cockroachdb/pebble/v2":        {"engine/store"},
	"github.com/valyala/fasthttp":             {"gateway", "gateway/ingress", "gateway/egress", "bench"},
	"github.com/VictoriaMetrics/metrics":      {"engine", "engine/store", "gateway", "gateway/ingress", "gateway/egress", "cmd/switchyard", "isolate"},
	"github.com/nlnwa/whatwg-url":             {"gateway/ingress", "gateway/egress", "gateway", "engine"},
	"github.com/klauspost/compress":           {"engine/store", "isolate", "isolate/service/compression", "gateway/egress", "cmd/switchyard"},
	"golang.org/x/sys":                        {"isolate", "gateway/ingress", "bench", "loadtest"},
	"github.com/HdrHistogram/hdrhistogram-go": {"loadtest"},
	"gonum.org/v1/gonum":                      {"loadtest", "loadtest/capacity"},
}

const module = "switchyard/"

type listed struct {
	ImportPath string
	Imports    []string
}

// TestLayering holds the imports of every package against the plan of the house: they run one
// way, and what is dangerous or heavy has one door.
func TestLayering(t *testing.T) {
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if own, ok := strings.CutPrefix(imported, module); ok {
				checkOwn(t, path, own)
			} else {
				checkOwner(t, path, imported)
			}
		}
	}
}

func list(t *testing.T) []listed {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "switchyard/...")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(out); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages: is this the module's root?", len(all))
	}
	return all
}

func checkOwn(t *testing.T, path, imported string) {
	for _, r := range rooms {
		if !covers(r.path, path) {
			continue
		}
		for _, may := range r.may {
			if covers(may, imported) {
				return
			}
		}
		t.Errorf("%s imports %s, which the plan of the house does not allow", path, imported)
		return
	}
	t.Errorf("%s is not a room of the house: add it to the table, or move it", path)
}

func checkOwner(t *testing.T, path, imported string) {
	for owned, by := range owners {
		if imported != owned && !strings.HasPrefix(imported, owned+"/") {
			continue
		}
		for _, owner := range by {
			if path == owner {
				return
			}
		}
		t.Errorf("%s imports %s: only %s may", path, imported, strings.Join(by, ", "))
	}
}

func covers(pattern, path string) bool {
	if strings.HasSuffix(pattern, "/") {
		return strings.HasPrefix(path, pattern)
	}
	return path == pattern
}
