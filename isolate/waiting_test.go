package isolate

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// TestManyWaiting: requests that wait for a slow origin share isolates. With -v it prints what
// they take.
func TestManyWaiting(t *testing.T) {
	const requests, seats = 10_000, 256
	s := jsSpec(handler(`const r = await fetch("http://slow.test/"); return new Response(await r.text() + request.url)`))
	s.Suspended, s.MaxIsolates = seats, 64
	p := newTestPool(t, s)
	arrived, gate := make(chan struct{}, requests), make(chan struct{})
	h := &fakeHost{fetch: func(context.Context, *Call, *Subrequest) (*Response, error) {
		arrived <- struct{}{}
		<-gate
		return testResponse(200, "ok "), nil
	}}
	before := residentMemory()
	var wg sync.WaitGroup
	for i := range requests {
		wg.Go(func() {
			url := fmt.Sprintf("http://a.test/%d", i)
			if got, err := ask(p, h, testRequest("GET", url, "")); got != "200 ok "+url {
				t.Errorf("%s: %q, error %v", url, got, err)
			}
		})
	}
	for range requests {
		<-arrived
	}
	if n := p.Stats().Isolates; n > requests/seats+8 { // a few are opened before the first ones wait
		t.Errorf("%d isolates hold %d requests of %d seats each", n, requests, seats)
	}
	t.Logf("%d requests wait in %d isolates: %s, %s before", requests, p.Stats().Isolates, residentMemory(), before)
	close(gate)
	wg.Wait()
}

// residentMemory is the process' VmRSS as the kernel words it.
func residentMemory() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
