package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server under measurement, with the processes it starts.
type process struct {
	addr    string // where it serves
	cmd     *exec.Cmd
	control string                 // of Switchyard: the control API
	mallocs func() (uint64, error) // nil where it cannot be asked
}

// launch starts a server and reads its standard output until want returns true; want nil waits
// for nothing.
func launch(want func(line string) bool, name string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if want == nil {
		go io.Copy(io.Discard, out) // ends with the process
		return &process{cmd: cmd}, nil
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if want(lines.Text()) {
			return &process{cmd: cmd}, nil
		}
	}
	cmd.Wait()
	return nil, fmt.Errorf("%s did not start:\n%s", name, log.String())
}

func (p *process) stop() {
	if p.cmd.ProcessState == nil {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		p.cmd.Wait()
	}
}

// heapObjects is the count of heap objects ever allocated, 0 where the process cannot be asked.
func (p *process) heapObjects() (uint64, error) {
	if p.mallocs == nil {
		return 0, nil
	}
	return p.mallocs()
}

// cpu is the user and system time so far of the process, of those it started that run, and of those that it
// waited for.
func (p *process) cpu() (time.Duration, error) {
	var ticks int64
	err := p.each(func(_ string, stat []string) error {
		for _, field := range stat[11:15] { // utime, stime, cutime, cstime
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return err
			}
			ticks += n
		}
		return nil
	})
	const tick = time.Second / 100 // USER_HZ
	return time.Duration(ticks) * tick, err
}

// rss is the resident memory in MiB.
func (p *process) rss() (float64, error) {
	var pages float64
	err := p.each(func(dir string, _ []string) error {
		statm, err := os.ReadFile(dir + "/statm")
		if err != nil {
			return err
		}
		fields := strings.Fields(string(statm))
		if len(fields) < 2 {
			return errors.New("/proc/PID/statm has another shape")
		}
		n, err := strconv.ParseFloat(fields[1], 64)
		pages += n
		return err
	})
	return pages * float64(os.Getpagesize()) / (1 << 20), err
}

// each calls f for every process of the group, with the fields of /proc/PID/stat that follow
// the name in parentheses: stat[0] is proc(5)'s field 3.
func (p *process) each(f func(dir string, stat []string) error) error {
	group := strconv.Itoa(p.cmd.Process.Pid)
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	found := false
	for _, dir := range all {
		text, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		stat := strings.Fields(rest)
		if len(stat) < 15 {
			return errors.New("/proc/PID/stat has another shape")
		}
		if stat[2] != group {
			continue
		}
		found = true
		if err := f(dir, stat); err != nil {
			return err
		}
	}
	if !found {
		return errors.New("the server has ended")
	}
	return nil
}
