package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// studyDeploy deploys a Worker again and again while others ask for it: an answer after a deploy's 200 that is not
// the new version's is stale, one that is no 200 has failed.
func studyDeploy(o *options, dir string) ([]row, error) {
	var rows []row
	for _, c := range []struct {
		name    string
		clients int
		rate    int // deploys a second and client; 0: one after the other
	}{{"1 client", 1, 0}, {"8 clients, a script each", 8, 0}, {"20 a second", 1, 20}} {
		p, err := startSwitchyard(dir, nil, nil)
		if err != nil {
			return nil, err
		}
		d := &deploys{process: p}
		err = d.run(c.clients, c.rate, time.Duration(o.rounds)*o.seconds)
		p.stop()
		if err != nil {
			return nil, err
		}
		rows = append(rows, d.row(c.name))
	}
	return rows, nil
}

type deploys struct {
	process       *process
	took          time.Duration
	asked, failed atomic.Int64
	stale         atomic.Int64
	mu            struct {
		sync.Mutex
		live    []float64 // ms from sending the deploy to its 200
		visible []float64 // µs from the 200 to an answer of the new version
	}
}

func (d *deploys) run(clients, rate int, length time.Duration) error {
	start := time.Now()
	end := start.Add(length)
	var deploying, asking sync.WaitGroup
	var stop atomic.Bool
	errs := make(chan error, clients)
	for i := range clients {
		name := tenantName(i)
		var live atomic.Int64
		if err := d.deploy(name, 0, &live); err != nil {
			return err
		}
		asking.Go(func() {
			for !stop.Load() {
				d.ask(name, live.Load())
			}
		})
		deploying.Go(func() {
			for version := int64(1); time.Now().Before(end); version++ {
				if rate > 0 {
					time.Sleep(time.Until(start.Add(time.Duration(version) * time.Second / time.Duration(rate))))
				}
				if err := d.deploy(name, version, &live); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	deploying.Wait()
	d.took = time.Since(start)
	stop.Store(true)
	asking.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func (d *deploys) deploy(name string, version int64, live *atomic.Int64) error {
	source := fmt.Sprintf("export default { fetch() { return new Response(\"version %d\"); } };", version)
	start := time.Now()
	if err := deployAll(d.process.control, []upload{{path: inBench + name, main: "index.js", source: source}}); err != nil {
		return err
	}
	answered := time.Now()
	live.Store(version)
	d.ask(name, version)
	visible := time.Since(answered)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.live = append(d.mu.live, float64(answered.Sub(start).Microseconds())/1000)
	d.mu.visible = append(d.mu.visible, float64(visible.Microseconds()))
	return nil
}

// ask expects version or a later one.
func (d *deploys) ask(name string, version int64) {
	d.asked.Add(1)
	body, err := newClient(d.process.addr, name+".bench.example", "/").get()
	var got int64
	if err == nil {
		_, err = fmt.Sscanf(strings.TrimSpace(body), "version %d", &got)
	}
	switch {
	case err != nil:
		d.failed.Add(1)
	case got < version:
		d.stale.Add(1)
	}
}

func (d *deploys) row(name string) row {
	r := row{Scenario: "deploy", Case: name, Peer: product, Rounds: len(d.mu.live)}
	r.figure("deploys/s", float64(len(d.mu.live))/d.took.Seconds())
	r.figure("until the 200 p50 ms", quantileOf(d.mu.live, 0.5))
	r.figure("p99 ms", quantileOf(d.mu.live, 0.99))
	r.figure("200 to first new answer p99 µs", quantileOf(d.mu.visible, 0.99))
	r.figure("requests", float64(d.asked.Load()))
	r.figure("failed", float64(d.failed.Load()))
	r.figure("stale", float64(d.stale.Load()))
	return r
}
