package engine

import (
	"context"
	"time"
)

// collectEvery is how often modules that no version refers to any more leave the disk. The
// store spares what was put in the last hour anyway.
const collectEvery = time.Hour

// collector is the goroutine that does it: started by Open, stopped and waited for by Close.
type collector struct {
	stop context.CancelFunc
	done chan struct{}
}

func (e *Engine) startCollector() {
	ctx, cancel := context.WithCancel(context.Background())
	e.collector = collector{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(e.collector.done)
		for t := time.NewTicker(collectEvery); ; {
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
				e.collect(ctx)
			}
		}
	}()
}

func (e *Engine) collect(ctx context.Context) {
	removed, err := e.store.Collect(ctx)
	switch {
	case err != nil:
		e.logger.Warn("engine: unused modules stay on the disk", "reason", err)
	case removed > 0:
		e.logger.Info("engine: removed unused modules", "count", removed)
	}
}

func (c *collector) close() {
	c.stop()
	<-c.done
}
