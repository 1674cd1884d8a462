package fuzz

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const processToken = "fuzz-token-of-the-process"

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(builtIn)
	os.Exit(code)
}

var builtIn string // a folder, once there is one

// built is the binary, made once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "switchyard-fuzz-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	binary := filepath.Join(dir, "switchyard")
	out, err := exec.Command("go", "build", "-o", binary, "../cmd/switchyard").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return binary, nil
})

func buildServer(t *testing.T) string {
	t.Helper()
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// killable is a server process on one data directory that can be killed and started again.
type killable struct {
	binary, dir string
	cmd         *exec.Cmd
	where       atomic.Pointer[addresses]
}

type addresses struct{ ingress, control string }

// at is where the server listens, or did when it was last seen.
func (s *killable) at() addresses { return *s.where.Load() }

func (s *killable) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.binary, "serve", "--data", s.dir, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--token", processToken, "--namespace", "n")
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s.cmd.Stderr = &log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var a addresses
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if at, ok := strings.CutPrefix(lines.Text(), "switchyard: ingress http://"); ok {
			a.ingress = at
		}
		if at, ok := strings.CutPrefix(lines.Text(), "switchyard: control "); ok {
			a.control = at
			s.where.Store(&a)
			return
		}
	}
	s.cmd.Wait()
	t.Fatalf("the server does not start:\n%s", log.String())
}

// kill is kill -9.
func (s *killable) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}
