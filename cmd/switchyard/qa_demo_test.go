package main

import (
	"bufio"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDemo runs the lines that `serve --demo` prints, as a newcomer pastes them into a shell.
func TestDemo(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	cmd := exec.Command(binary, "serve", "--demo", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	timer := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var lines string
	for scan := bufio.NewScanner(stdout); !strings.Contains(lines, "/mine\n  curl ") && scan.Scan(); {
		lines += scan.Text() + "\n"
	}
	// A line that ends in a backslash goes on.
	commands := regexp.MustCompile(`(?m)^  (curl (?:.*\\\n)*.*)$`).FindAllStringSubmatch(lines, -1)
	wants := []string{
		"<h1>Hello from customer-a</h1>", `"query":{"x":"1"}`, "Worker threw exception", `"x-platform":"switchyard-demo"`,
		"blocked.example is blocked", "Hello from customer-c: /hello", "Worker threw exception", `"success":true`, "mine",
	}
	if len(commands) != len(wants) {
		t.Fatalf("%d lines, want %d:\n%s", len(commands), len(wants), lines)
	}
	for i, c := range commands {
		out, err := exec.Command("bash", "-c", strings.Replace(c[1], "curl ", "curl -sS ", 1)).CombinedOutput()
		if err != nil || !strings.Contains(string(out), wants[i]) {
			t.Errorf("%s: %v\n%swant %q", c[1], err, out, wants[i])
		}
	}
}
