package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// crashPoints is how often the process is killed: 20, or $SWITCHYARD_CRASH_POINTS.
func crashPoints(t *testing.T) int {
	if s := os.Getenv("SWITCHYARD_CRASH_POINTS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("SWITCHYARD_CRASH_POINTS: %v", err)
		}
		return n
	}
	return 20
}

// TestCrash kills the whole server at random points of a series of deploys. After each restart
// every acknowledged deploy answers, and the one that was under way is old or new.
func TestCrash(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	acked := 0 // number of the newest deploy that was acknowledged
	for point := range crashPoints(t) {
		p := serve(t, dir)
		if point == 0 {
			p.createNamespace("production")
		} else {
			checkDeployed(t, p, acked, point)
		}
		acked = deployUntilKilled(t, p, acked, time.Duration(random.Int64N(int64(400*time.Millisecond))))
	}
	p := serve(t, dir)
	checkDeployed(t, p, acked, -1)
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d deploys acknowledged, none lost", acked)
}

// checkDeployed: the Worker answers with the newest acknowledged number or the next one.
func checkDeployed(t *testing.T, p *platform, acked, point int) {
	t.Helper()
	if acked == 0 {
		return
	}
	status, body := p.get("http://w.example.com/")
	got, err := strconv.Atoi(body)
	if status != http.StatusOK || err != nil || got != acked && got != acked+1 {
		t.Fatalf("crash point %d: answered %d %q, acknowledged was %d", point, status, body, acked)
	}
}

// deployUntilKilled deploys numbered versions until the process dies, and returns the newest
// acknowledged number.
func deployUntilKilled(t *testing.T, p *platform, acked int, after time.Duration) int {
	var killed atomic.Bool
	time.AfterFunc(after, func() { killed.Store(true); p.cmd.Process.Kill() })
	defer p.cmd.Wait()
	for n := acked + 1; ; n++ {
		source := fmt.Sprintf(`export default { fetch: () => new Response("%d") }`, n)
		r, _ := http.NewRequest("PUT", p.control+"/accounts/"+account+customers("production")+"w", bytes.NewReader([]byte(source)))
		r.Header.Set("Authorization", "Bearer "+p.token)
		r.Header.Set("Content-Type", "application/javascript+module")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			if !killed.Load() {
				t.Fatalf("deploy %d: %v", n, err)
			}
			return acked
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("deploy %d: status %d", n, resp.StatusCode)
		}
		acked = n
	}
}
