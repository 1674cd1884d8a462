package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"switchyard/loadtest"
)

// TestMain stands in for the binary where a server of ours asks it to be the origin.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "origin" {
		main()
	}
	os.Exit(m.Run())
}

func buildSwitchyard(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a server")
	}
	binary := filepath.Join(t.TempDir(), "switchyard")
	if out, err := exec.Command("go", "build", "-o", binary, "switchyard/cmd/switchyard").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// TestPlatform: tenants of every kind on a real server, two classes, deploys under load. Every
// answer is its tenant's, version's and request's own; whether it came in time does not matter here.
func TestPlatform(t *testing.T) {
	binary, dir := buildSwitchyard(t), t.TempDir()
	scenario, record, page := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "r.ndjson"), filepath.Join(dir, "r.html")
	err := os.WriteFile(scenario, []byte(`
name: every kind
duration: 3s
warmup: 500ms
classes:
  - name: customers
    role: victim
    arrivals: {rate: 100}
    tenants: {count: 14, zipf: 0.5, cold: 0.1, cold_count: 7, kinds: {js-hello: 1, wasm-hello: 1, "json:10": 1, "cpu:1": 1, "killer:5": 1, "fanout:2": 1, "stream:3": 1}}
  - name: hogs
    role: aggressor
    vus: 1
    tenants: {kinds: {"cpu:5": 1}, isolation: request}
churn: {class: customers, rate: 10}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if status := run(context.Background(), []string{"run", "--serve", binary, "--scenario", scenario, "--out", record}); status == exitMistake {
		t.Fatal("exit status 2")
	}
	r, err := loadtest.ReadRecordFile(record)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 2 {
		t.Fatalf("%d results, want victims alone and together", len(r.Results))
	}
	for _, result := range r.Results {
		checkResult(t, result)
	}
	if status := run(context.Background(), []string{"report", "--out", page, record}); status != exitOK {
		t.Errorf("report: exit status %d", status)
	}
}

func checkResult(t *testing.T, r *loadtest.Result) {
	t.Helper()
	c := r.Class("customers")
	outcomes := c.Outcomes.ByName()
	if c.Outcomes.Bad() != 0 || outcomes["killed"] == 0 || c.Outcomes.Total() < 200 || c.Dropped != 0 {
		t.Errorf("%s: %v, dropped %d", r.Phase, outcomes, c.Dropped)
	}
	if c.Isolates["warm"].Response.N == 0 || c.Overrun == nil || r.Server == nil || r.Server.CPU == 0 {
		t.Errorf("%s: isolates %v, overrun %v, server %v", r.Phase, c.Isolates, c.Overrun, r.Server)
	}
	if r.Churn == nil || r.Churn.Deploys == 0 || r.Churn.Failed > 0 {
		t.Errorf("%s: deploys %+v", r.Phase, r.Churn)
	}
}

// TestMistakes end with status 2, and send nothing.
func TestMistakes(t *testing.T) {
	for _, line := range []string{
		"", "walk", "run --quick", "run more", "run", "run --target http://127.0.0.1:1", "run --target http://192.0.2.1 --host h",
		"run --target http://127.0.0.1:1 --control http://127.0.0.1:1 --token=", "run --target http://127.0.0.1:1 --host h --rate -1",
		"run --target http://127.0.0.1:1 --host h --vus 2 --rate 3", "run --serve x --target y", "run --scenario /nonexistent", "run --repeats 0",
		"run --target http://127.0.0.1:1 --kinds fast", "find --target http://127.0.0.1:1 --host h", "compare a", "compare /nonexistent /nonexistent", "report", "report /nonexistent",
		"replay --trace /nonexistent", "plan", "plan --profile /nonexistent", "validate", "setup",
	} {
		if status := run(context.Background(), strings.Fields(line)); status != exitMistake {
			t.Errorf("loadtest %s: exit status %d, want 2", line, status)
		}
	}
}
