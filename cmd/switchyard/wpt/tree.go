// Package wpt runs the web-platform tests inside Workers: it makes a Worker of each test script, reads what the Worker
// answers, and compares that with the bar (what workerd and Node pass) and with the list of expected failures. It
// neither deploys nor asks: who calls it has a running Switchyard.
package wpt

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Areas are the folders of the tests that the bar was measured on, in the order of the tables.
var Areas = []string{
	"url", "encoding", "streams", "WebCryptoAPI", "html/webappapis/timers", "html/webappapis/structured-clone",
	"html/webappapis/atob", "html/webappapis/microtask-queuing", "console", "hr-time", "FileAPI", "dom",
}

// Tree is a folder with the web-platform tests, as fetch leaves it.
type Tree string

// Version is the release of Debian's source package that the tests came in.
func (t Tree) Version() string {
	b, err := os.ReadFile(filepath.Join(string(t), "VERSION"))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}

// measured tells whether the bar was measured with tests of this release: only then must every sub-test of it be there.
func (t Tree) measured() bool { return strings.HasPrefix(t.Version(), "22.") }

func (t Tree) read(name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(string(t), filepath.FromSlash(name)))
	return string(b), err
}

// Scripts are the tests of area, one for each file and variant, in the order of their keys.
func (t Tree) Scripts(area string) ([]Script, error) {
	var all []Script
	err := fs.WalkDir(os.DirFS(string(t)), area, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".any.js") {
			return err
		}
		scripts, err := t.variants(area, name)
		all = append(all, scripts...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("scripts of %s: %w", area, err)
	}
	slices.SortFunc(all, func(a, b Script) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}

var meta = regexp.MustCompile(`(?m)^// META: *(\w+)=(.*)$`)

// variants are the scripts that one file stands for: one, or one for each line that names a variant.
func (t Tree) variants(area, name string) ([]Script, error) {
	source, err := t.read(name)
	if err != nil {
		return nil, err
	}
	s := Script{
		Area: area, path: name, source: source,
		Measured: t.measured(),
		Key:      strings.ReplaceAll(strings.TrimSuffix(name, ".any.js"), "/", "__"),
	}
	var searches []string
	for _, m := range meta.FindAllStringSubmatch(source, -1) {
		switch key, value := m[1], strings.TrimSpace(m[2]); key {
		case "script":
			s.includes = append(s.includes, path.Join(path.Dir(name), value))
			if path.IsAbs(value) {
				s.includes[len(s.includes)-1] = value[1:]
			}
		case "timeout":
			s.Long = value == "long"
		case "variant":
			searches = append(searches, value)
		}
	}
	if searches == nil {
		return []Script{s}, nil
	}
	var all []Script
	for i, search := range searches {
		v := s
		v.Key, v.search = fmt.Sprintf("%s@%d", s.Key, i), search
		all = append(all, v)
	}
	return all, nil
}
