// Package preludetest runs the stories of the prelude: Node starts one fresh engine for each.
package preludetest

import (
	"os/exec"
	"testing"
)

func TestPrelude(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	out, err := exec.Command(node, "--test", "--test-reporter=spec", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
}
