package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// process is a server under measurement.
type process struct {
	addr    string // where it serves
	cmd     *exec.Cmd
	mallocs func() (uint64, error) // of the whole process so far; nil where it cannot be asked
}

// launch starts a server and reads its standard output until want returns true; want nil waits
// for nothing.
func launch(want func(line string) bool, name string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
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
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

// cpu is the user and system time of the process so far: fields 14 and 15, counted after the name in parentheses.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat has another shape")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	const tick = time.Second / 100 // USER_HZ
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// rss is the resident memory in MiB.
func (p *process) rss() (float64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0, errors.New("/proc/PID/statm has another shape")
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20), err
}
