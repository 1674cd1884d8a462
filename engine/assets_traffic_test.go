package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAssetDeploysUnderTraffic: no request fails or sees a file older than what was acknowledged
// before it, while versions with assets follow each other, are collected, and edited.
func TestAssetDeploysUnderTraffic(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	deploy := func(i int) {
		p.deploySite("production/shop", fmt.Sprintf("say %d\nservice ASSETS http://any/n", i), `{"run_worker_first":["/worker"]}`,
			assetFile{"/n", "text/plain", []byte(strconv.Itoa(i))}, page("/same.html", "same"))
	}
	deploy(0)
	var live atomic.Int64
	var clients sync.WaitGroup
	done := make(chan struct{})
	for c := range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				floor := live.Load()
				body, err := p.serve("http://shop/" + []string{"n", "worker"}[c%2])
				first, second, two := strings.Cut(body, "\n")
				n, _ := strconv.ParseInt(first, 10, 64)
				if err != nil || n < floor || two && first != second {
					t.Errorf("got %q, %v when version %d was acknowledged", body, err, floor)
					return
				}
				if same, err := p.serve("http://shop/same"); same != "same" {
					t.Errorf("got %q, %v", same, err)
					return
				}
			}
		})
	}
	for i := 1; i <= 40; i++ {
		deploy(i)
		live.Store(int64(i))
		if i%10 == 0 {
			p.collect(context.Background())
			if _, err := p.Edit(context.Background(), parseRef("production/shop"), func(u *Upload) error { return nil }); err != nil {
				t.Error(err)
			}
		}
	}
	close(done)
	clients.Wait()
}
