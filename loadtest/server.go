package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Server is a Switchyard of our own, with an empty data directory, and the origin beside it. It
// is there so that one command shows something.
type Server struct {
	Platform  *Platform
	Target    string // base URL of the ingress
	processes []*child
	dir       string
}

// ServeOptions say how to start one.
type ServeOptions struct {
	Binary string // of switchyard
	Self   string // of loadtest, which serves the origin by `loadtest origin`; "" starts none
	Origin Origin
	CPUs   string // processors to keep the server to, as taskset has them; "" is all
	WarmMB int    // the server's limits.warm_mb. Default: its own
}

// child is a process that tells on its standard output where it listens.
type child struct {
	cmd  *exec.Cmd
	log  bytes.Buffer // of its standard error
	gone chan struct{}
}

const startTimeout = 30 * time.Second

// launch starts a command and reads its output until want returns true.
func launch(cmd *exec.Cmd, want func(line string) bool) (*child, error) {
	c := &child{cmd: cmd, gone: make(chan struct{})}
	cmd.Stderr = &c.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	up := make(chan bool, 1)
	go func() { // ends with the process; stop waits for it
		defer close(c.gone)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if want != nil && want(lines.Text()) {
				up <- true
				want = nil
			}
		}
		cmd.Wait()
		up <- false
	}()
	select {
	case started := <-up:
		if started {
			return c, nil
		}
	case <-time.After(startTimeout):
	}
	c.stop()
	return nil, fmt.Errorf("%s did not start:\n%s", cmd.Path, c.log.String())
}

// stop ends the process: gently, then not.
func (c *child) stop() {
	c.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-c.gone:
	case <-time.After(5 * time.Second):
		c.cmd.Process.Kill()
		<-c.gone
	}
}

// Serve starts a server, and an origin if a loadtest binary is given. Close ends both.
func Serve(ctx context.Context, o ServeOptions) (*Server, error) {
	dir, err := os.MkdirTemp("", "loadtest-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, o ServeOptions) error {
	origin := ""
	if o.Self != "" {
		if err := o.Origin.complete(); err != nil {
			return err
		}
		c, err := launch(exec.CommandContext(ctx, o.Self, "origin", "--listen", "127.0.0.1:0", "--latency", o.Origin.Latency, "--median", o.Origin.Median.String(),
			"--sigma", fmt.Sprint(o.Origin.Sigma), "--errors", fmt.Sprint(o.Origin.Errors)), func(line string) bool {
			var found bool
			origin, found = strings.CutPrefix(line, "origin: ")
			return found
		})
		if err != nil {
			return err
		}
		s.processes = append(s.processes, c)
	}
	return s.startSwitchyard(ctx, o, origin)
}

const serveToken = "loadtest"

func (s *Server) startSwitchyard(ctx context.Context, o ServeOptions, origin string) error {
	config := "limits: {}\n"
	if o.WarmMB > 0 {
		config = fmt.Sprintf("limits: {warm_mb: %d}\n", o.WarmMB)
	}
	if origin != "" {
		config += fmt.Sprintf("egress: {allow: [%q]}\n", strings.TrimPrefix(origin, "http://"))
	}
	file := filepath.Join(s.dir, "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	args := []string{o.Binary, "serve", "--data", filepath.Join(s.dir, "data"), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--token", serveToken, "--config", file}
	if o.CPUs != "" {
		args = append([]string{"taskset", "-c", o.CPUs}, args...)
	}
	control := ""
	c, err := launch(exec.CommandContext(ctx, args[0], args[1:]...), func(line string) bool {
		if at, found := strings.CutPrefix(line, "switchyard: ingress "); found {
			s.Target = at
		}
		if at, found := strings.CutPrefix(line, "switchyard: control "); found {
			control = at
		}
		return control != "" && s.Target != ""
	})
	if err != nil {
		return err
	}
	s.processes = append(s.processes, c)
	if s.Platform, err = NewPlatform(control, serveToken, false); err != nil {
		return err
	}
	s.Platform.origin = origin
	return nil
}

// Usage is that of the server alone.
func (s *Server) Usage() UsageSource {
	return ProcessUsage(s.processes[len(s.processes)-1].cmd.Process.Pid)
}

// Log is what the server wrote to its standard error, once it is closed.
func (s *Server) Log() string { return s.processes[len(s.processes)-1].log.String() }

// Close ends the processes and deletes the data directory.
func (s *Server) Close() error {
	for _, c := range s.processes {
		c.stop()
	}
	return os.RemoveAll(s.dir)
}

// UseOrigin tells which origin fanout Workers fetch from, for a server that is not ours.
func (p *Platform) UseOrigin(base string) { p.origin = strings.TrimSuffix(base, "/") }
