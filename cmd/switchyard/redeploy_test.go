package main

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	redeploysPerSecond = 20
	redeployClients    = 8
)

// TestRedeploy deploys one script twenty times a second while clients ask for it without a pause,
// for three seconds, or as many as $SWITCHYARD_REDEPLOY_SECONDS says: no request fails, and none
// that begins after a deploy was acknowledged sees a version from before.
func TestRedeploy(t *testing.T) {
	seconds := 3
	if text := os.Getenv("SWITCHYARD_REDEPLOY_SECONDS"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	r := &redeploy{platform: p, stop: make(chan struct{})}
	r.deploy(1)
	var clients sync.WaitGroup
	for range redeployClients {
		clients.Go(r.ask)
	}
	began := time.Now()
	for n := 2; time.Since(began) < time.Duration(seconds)*time.Second; n++ {
		r.deploy(n)
		time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / redeploysPerSecond)))
	}
	close(r.stop)
	clients.Wait()
	slices.Sort(r.took)
	slices.Sort(r.live)
	took, live := r.took, r.live
	t.Logf("%d deploys in %.1f s, each %v at the median and %v at most; %d requests; seen live %v after the 200 at the median, %v at most",
		len(took), time.Since(began).Seconds(), took[len(took)/2], took[len(took)-1], r.requests.Load(), live[len(live)/2], live[len(live)-1])
}

// redeploy is a script under load and under change.
type redeploy struct {
	*platform
	stop         chan struct{}
	acknowledged atomic.Int64 // the newest version that a 200 was read for
	requests     atomic.Int64
	took, live   []time.Duration
}

// deploy makes version n, and measures how long a request takes that is sent at once.
func (r *redeploy) deploy(n int) {
	begin := time.Now()
	status, e := r.upload(customers("production")+"counter", versioned(n))
	if status != http.StatusOK {
		r.t.Errorf("deploy %d: %d %s", n, status, e.message())
		return
	}
	r.acknowledged.Store(int64(n))
	answered := time.Now()
	r.took = append(r.took, answered.Sub(begin))
	if status, body := r.get("http://counter.example.com/"); status != http.StatusOK || body != fmt.Sprint("v", n) {
		r.t.Errorf("after the 200 of %d: %d %q", n, status, body)
	}
	r.live = append(r.live, time.Since(answered))
}

// ask is one client.
func (r *redeploy) ask() {
	client := r.client()
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		least := r.acknowledged.Load()
		response, err := client.Get("http://counter.example.com/")
		if err != nil {
			r.t.Error(err)
			return
		}
		body := readAll(r.t, response.Body)
		r.requests.Add(1)
		if n, err := strconv.Atoi(strings.TrimPrefix(body, "v")); err != nil || response.StatusCode != http.StatusOK || int64(n) < least {
			r.t.Errorf("%d %q, version %d was acknowledged before", response.StatusCode, body, least)
			return
		}
	}
}
