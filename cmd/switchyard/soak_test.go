package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"
)

// TestSoak fails in every way, at every stage, under load, for SWITCHYARD_SOAK (a duration; default 10 s, `make soak` 10
// minutes), and wants a server that holds no more at the end than after the first tenth: goroutines,
// descriptors, isolates, memory.
func TestSoak(t *testing.T) {
	length := 10 * time.Second
	if text := os.Getenv("SWITCHYARD_SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SWITCHYARD_SOAK: %v", err)
		}
	}
	origin := httptest.NewServer(http.HandlerFunc(failingOrigin))
	defer origin.Close()
	p := failurePlatform(t, origin.URL, "")
	storm := func(until time.Time) (requests int) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for worker := range 4 {
			all.Go(func() {
				n := 0
				for ; time.Now().Before(until); n++ {
					f := failures[(n+worker)%len(failures)]
					stage := []string{"dispatcher", "user", "outbound"}[n%3]
					switch n % 5 {
					case 0:
						p.get("http://x.example.com/")
					case 1:
						p.leaves("/?at="+stage+"&fault=hung+origin", time.Duration(n%20)*time.Millisecond)
					case 2:
						p.get(failureURL("x", f.fault, stage, "&catch"))
					case 3:
						p.breaksOff(failureURL("x", "broken body", "dispatcher"))
					default:
						p.get(failureURL("x", f.fault, stage))
					}
				}
				mu.Lock()
				requests += n
				mu.Unlock()
			})
		}
		all.Wait()
		return requests
	}
	storm(time.Now().Add(length / 10))
	before, rss := p.settled(), p.rss()
	requests := storm(time.Now().Add(length - length/10))
	after, grown := p.settled(), p.rss()-rss
	t.Logf("%d requests in %v; %+v, then %+v; resident memory grew by %d KiB", requests, length, before, after, grown>>10)
	if after.goroutines > before.goroutines+10 || after.fds > before.fds+10 || after.isolates > before.isolates+20 {
		t.Errorf("it holds more than it did: %+v, before %+v", after, before)
	}
	if grown > 64<<20 { // garbage not yet collected, and heaps of isolates that grew
		t.Errorf("its resident memory grew by %d MiB", grown>>20)
	}
	p.wants("http://x.example.com/", 200, "origin")
}
