package loadtest

import (
	"context"
	"sync"
	"time"
)

// ChurnResult is what became of deploys under load.
type ChurnResult struct {
	Deploys int64    `json:"deploys"` // acknowledged
	Failed  int64    `json:"failed"`
	Missed  int64    `json:"missed"` // not begun: the ones before took too long
	Took    Latency  `json:"took"`   // from upload to acknowledgement
	Errors  []string `json:"errors"` // the first few
}

// churn deploys new versions at a steady rate, up to deployers at once.
type churn struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     struct {
		sync.Mutex
		result ChurnResult
		took   histogram
	}
}

const deployers = 4

// startChurn begins after the warm-up; nil where the scenario has none.
func startChurn(ctx context.Context, s *Scenario, p *Platform, crowds []*crowd) *churn {
	if s.Churn == nil || p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.Warmup+s.Duration)
	c := &churn{cancel: cancel}
	c.mu.took = newHistogram()
	for _, crowd := range crowds {
		if crowd.Name == s.Churn.Class {
			c.wg.Go(func() { c.run(ctx, s, p, crowd) })
		}
	}
	return c
}

// run hands out deploys until ctx ends. finish waits for it.
func (c *churn) run(ctx context.Context, s *Scenario, p *Platform, crowd *crowd) {
	random := s.random(crowd.index, streamOther)
	tick := time.NewTicker(time.Duration(float64(time.Second) / s.Churn.Rate))
	defer tick.Stop()
	busy := make(map[int]bool) // tenants with a deploy under way
	done := make(chan int, deployers)
	for {
		select {
		case <-ctx.Done():
			return
		case tenant := <-done:
			delete(busy, tenant)
			continue
		case <-tick.C:
		}
		tenant := 1 + random.IntN(crowd.Tenants.Count)
		if len(busy) == deployers || busy[tenant] {
			c.count(func(r *ChurnResult) { r.Missed++ })
			continue
		}
		busy[tenant] = true
		c.wg.Go(func() {
			c.deploy(ctx, p, crowd, tenant)
			done <- tenant
		})
	}
}

func (c *churn) deploy(ctx context.Context, p *Platform, crowd *crowd, tenant int) {
	version := crowd.versions.begun[tenant-1].Add(1)
	began := time.Now()
	err := p.deploy(ctx, crowd, tenant, version)
	if err == nil {
		crowd.versions.acknowledged[tenant-1].Store(version)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.mu.result.Deploys++
		c.mu.took.record(time.Since(began))
	case ctx.Err() == nil: // else the run is over: whether it was deployed does not matter
		c.mu.result.Failed++
		if len(c.mu.result.Errors) < 5 {
			c.mu.result.Errors = append(c.mu.result.Errors, err.Error())
		}
	}
}

func (c *churn) count(change func(*ChurnResult)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.mu.result)
}

// finish ends the deploys and waits for them.
func (c *churn) finish() *ChurnResult {
	if c == nil {
		return nil
	}
	c.cancel()
	c.wg.Wait()
	c.mu.result.Took = c.mu.took.latency()
	return &c.mu.result
}
