package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// writeResults writes the report in Markdown, with the machine and the versions.
func writeResults(o *options, all []answers) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Results\n\nWritten by `go run ./bench -results %s -n %d -time %s` (`make bench`) on %s. `bench/README.md` says how it is measured.\n\n",
		o.results, o.rounds, o.seconds, time.Now().UTC().Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(&b, "| | |\n|---|---|\n")
	for _, fact := range machine() {
		fmt.Fprintf(&b, "| %s | %s |\n", fact[0], fact[1])
	}
	for _, a := range all {
		a.markdown(&b)
	}
	return os.WriteFile(o.results, b.Bytes(), 0o644)
}

func (a answers) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n", a.scenario.name, strings.ToUpper(a.scenario.what[:1])+a.scenario.what[1:])
	table := a.table()
	columns := len(table[0])
	for i, line := range table {
		for len(line) < columns {
			line = append(line, "")
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|---|%s\n", strings.Repeat("--:|", columns-1))
		}
	}
	for _, r := range a.rows {
		if r.Peer != product || len(r.Ratio) == 0 {
			continue
		}
		fmt.Fprintf(b, "\nCPU per request over each peer's (95 %%): %s.\n", strings.Join(r.ratios(), "; "))
	}
}

// machine says what the figures were measured on, and with what.
func machine() [][2]string {
	facts := [][2]string{
		{"processors", fmt.Sprintf("%d × %s", runtime.NumCPU(), cpuModel())},
		{"kernel", output("uname", "-sr")},
		{"Go", runtime.Version()},
		{"commit", output("git", "describe", "--always", "--dirty")},
		{"nginx", strings.TrimPrefix(firstOf(output("nginx", "-v"), output("/usr/sbin/nginx", "-v")), "nginx version: ")},
	}
	for _, peer := range []struct{ name, pattern string }{
		{"workerd", "@cloudflare/workerd-*/bin/workerd"}, {"deno", "@deno/*/deno"}, {"bun", "@oven/*/bin/bun"},
	} {
		version := "missing"
		if binary, err := npmBinary(peer.pattern); err == nil {
			version = output(binary, "--version")
		}
		facts = append(facts, [2]string{peer.name, version})
	}
	return facts
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "missing" {
			return text
		}
	}
	return "missing"
}

// output is the first line that a command prints.
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "missing"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
