package wpt

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// DataTable is a table of the web-platform tests that a Go module carries, and the module script that runs it: it
// imports the table as ./data.json and answers with a Verdict.
type DataTable struct {
	Name   string
	Global string // what a runtime must have for it
	Worker string

	module string // as go mod download takes it
	file   string
}

// Verdict is what the Worker of a DataTable says.
type Verdict struct {
	Total    int
	Failures []string
}

//go:embed table_idna.js
var idnaWorker string

//go:embed table_urlpattern.js
var urlPatternWorker string

// DataTables are the tables that run without the web-platform tests themselves.
var DataTables = []DataTable{
	{"toascii", "URL", idnaWorker, "github.com/nlnwa/whatwg-url", "testdata/toascii.json"},
	{"idna", "URL", idnaWorker, "github.com/nlnwa/whatwg-url", "testdata/IdnaTestV2.json"},
	{"urlpattern", "URLPattern", urlPatternWorker, "github.com/dunglas/go-urlpattern@v1.0.0", "testdata/urlpatterntestdata.json"},
}

// Data brings the table, by way of the module proxy where the module is not on this machine yet.
func (d DataTable) Data() ([]byte, error) {
	out, err := exec.Command("go", "mod", "download", "-json", d.module).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: go mod download %s: %w", d.Name, d.module, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, fmt.Errorf("%s: go mod download %s: %w", d.Name, d.module, err)
	}
	return os.ReadFile(filepath.Join(module.Dir, filepath.FromSlash(d.file)))
}
