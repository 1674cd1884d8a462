package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"mime/multipart"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// deployment is what `script deploy` is told of an upload.
type deployment struct {
	name, main, date, metadata string
	flags, tags, vars          names
}

func (d *deployment) define(f *flag.FlagSet) {
	f.StringVar(&d.name, "name", "", "`NAME` of the script. Default: that of the file or folder")
	f.StringVar(&d.main, "main", "", "main `MODULE` of a folder. Default: index.js, index.mjs, worker.js, worker.mjs or main.wasm")
	f.StringVar(&d.date, "compatibility-date", time.Now().UTC().Format(time.DateOnly), "`DATE` of the behaviour that the Worker wants")
	f.Var(&d.flags, "compatibility-flag", "`FLAG`, such as nodejs_compat; may be repeated")
	f.Var(&d.tags, "tag", "`TAG` of the script; may be repeated")
	f.Var(&d.vars, "var", "`NAME=VALUE` of a text binding; may be repeated")
	f.StringVar(&d.metadata, "metadata", "", "`FILE` with more metadata of the upload as JSON: bindings, limits…")
}

// moduleTypes are the files that are modules, and what the API calls them.
var moduleTypes = map[string]string{
	".js": "application/javascript+module", ".mjs": "application/javascript+module", ".wasm": "application/wasm",
	".txt": "text/plain", ".html": "text/html", ".sql": "text/plain", ".json": "application/json", ".bin": "application/octet-stream",
	".map": "application/source-map",
}

// mainNames are what a folder's main module is called where nobody says.
var mainNames = []string{"index.js", "index.mjs", "worker.js", "worker.mjs", "main.wasm"}

// Ceilings of a folder: those of the API.
const (
	maxModules     = 2047
	maxModuleBytes = 64 << 20
)

// form reads the file or folder and makes the upload's body.
func (d *deployment) form(path string) (contentType string, body []byte, err error) {
	modules, err := d.modules(path)
	if err != nil {
		return "", nil, err
	}
	metadata, err := d.document()
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	// Writes to a Buffer do not fail, nor do those of its Writer.
	form.WriteField("metadata", string(metadata))
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		quoted := strings.ReplaceAll(name, `"`, "%22")
		part, _ := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="` + quoted + `"; filename="` + quoted + `"`},
			"Content-Type":        {moduleTypes[filepath.Ext(name)]},
		})
		part.Write(modules[name])
	}
	form.Close()
	return form.FormDataContentType(), b.Bytes(), nil
}

// modules returns the sources by name, and settles what the script and its main module are called.
func (d *deployment) modules(path string) (map[string][]byte, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	base := filepath.Base(absolute)
	if d.name == "" {
		d.name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if info.IsDir() {
		modules, err := readFolder(path)
		if err != nil {
			return nil, err
		}
		return modules, d.findMain(path, modules)
	}
	if moduleTypes[filepath.Ext(base)] == "" {
		return nil, fmt.Errorf("%s: a Worker is a .js, .mjs or .wasm file, or a folder with one", path)
	}
	source, err := os.ReadFile(path)
	d.main = base
	return map[string][]byte{base: source}, err
}

func (d *deployment) findMain(path string, modules map[string][]byte) error {
	if d.main != "" && modules[d.main] == nil {
		return fmt.Errorf("--main: %s has no module %q", path, d.main)
	}
	for _, name := range mainNames {
		if d.main == "" && modules[name] != nil {
			d.main = name
		}
	}
	if d.main == "" {
		return fmt.Errorf("%s has none of %s: name the main module with --main", path, strings.Join(mainNames, ", "))
	}
	return nil
}

// readFolder reads the modules below a folder. Hidden files, node_modules and the tools' own
// files are not part of a Worker.
func readFolder(root string) (map[string][]byte, error) {
	modules, size := map[string][]byte{}, 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if path != root && (strings.HasPrefix(name, ".") || name == "node_modules") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || moduleTypes[filepath.Ext(name)] == "" || ofTools(name) {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if size += len(source); size > maxModuleBytes || len(modules) == maxModules {
			return fmt.Errorf("%s: more than %d modules or %d MiB", root, maxModules, maxModuleBytes>>20)
		}
		modules[filepath.ToSlash(relative)] = source
		return nil
	})
	return modules, err
}

func ofTools(name string) bool {
	return slices.Contains([]string{"package.json", "package-lock.json", "tsconfig.json", "jsconfig.json", "wrangler.json"}, name)
}

// document is the upload's metadata: the file's, with what the flags say laid over it.
func (d *deployment) document() ([]byte, error) {
	metadata := map[string]any{}
	if d.metadata != "" {
		text, err := os.ReadFile(d.metadata)
		if err != nil {
			return nil, fmt.Errorf("--metadata: %w", err)
		}
		if err := json.Unmarshal(text, &metadata); err != nil {
			return nil, fmt.Errorf("--metadata %s: %w", d.metadata, err)
		}
	}
	metadata["main_module"] = d.main
	if metadata["compatibility_date"] == nil {
		metadata["compatibility_date"] = d.date
	}
	if len(d.flags) > 0 {
		metadata["compatibility_flags"] = d.flags
	}
	if len(d.tags) > 0 {
		metadata["tags"] = d.tags
	}
	bindings, _ := metadata["bindings"].([]any)
	for _, v := range d.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return nil, usageError{errors.New("--var: expected NAME=VALUE, got " + v)}
		}
		bindings = append(bindings, map[string]string{"type": "plain_text", "name": name, "text": value})
	}
	if bindings != nil {
		metadata["bindings"] = bindings
	}
	return json.Marshal(metadata)
}
