package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// profile records where Switchyard spends its CPU time under the closed loop, for `perf report -i FILE`.
// Guests' code has no symbols there: it appears as addresses outside of any file.
func profile(o *options, name string, running []*server) error {
	if _, err := exec.LookPath("perf"); err != nil {
		return fmt.Errorf("-profile needs perf: %w", err)
	}
	if err := os.MkdirAll(o.profile, 0o755); err != nil {
		return err
	}
	for _, r := range running {
		if r.contender.peer != product || r.missing != nil {
			continue
		}
		file := filepath.Join(o.profile, strings.ReplaceAll(name, "/", "-")+".perf")
		cmd := exec.Command("perf", "record", "-q", "-g", "-F", "1999", "-o", file, "-p", fmt.Sprint(r.process.cmd.Process.Pid), "--", "sleep", fmt.Sprint(o.seconds.Seconds()))
		if err := cmd.Start(); err != nil {
			return err
		}
		if _, err := r.client.load(o.conns, 2*o.seconds, 0); err != nil {
			return err
		}
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("perf record: %w", err)
		}
	}
	return nil
}
