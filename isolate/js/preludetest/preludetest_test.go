// Package preludetest runs the stories of the prelude: Node starts one fresh engine for each.
package preludetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestPrelude(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	openSources(t)
	out, err := exec.Command(node, "--test", "--test-reporter=spec", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
}

// openSources opens what Node will read: a cached result of this test holds as long as these files do.
func openSources(t *testing.T) {
	for _, pattern := range []string{"../prelude/*.js", "*.js", "*.mjs", "../package-lock.json"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		for _, path := range paths {
			if _, err := os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}
