package engine

import (
	"context"
	"strings"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// collectEvery is how often modules that no version refers to any more leave the disk, and
// with them what was made of them. What was put in the last hour is spared anyway.
const collectEvery = time.Hour

// expireEvery is how often pairs that have expired leave the disk. Nobody sees them before that.
const expireEvery = time.Minute

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
		collect, expire := time.NewTicker(collectEvery), time.NewTicker(expireEvery)
		defer collect.Stop()
		defer expire.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-collect.C:
				e.collect(ctx)
			case <-expire.C:
				e.expirePairs(ctx)
			}
		}
	}()
}

func (e *Engine) expirePairs(ctx context.Context) {
	if _, err := e.store.ExpirePairs(ctx, time.Now()); err != nil && ctx.Err() == nil {
		e.logger.Warn("engine: KV pairs that have expired stay on the disk", "reason", err)
	}
}

func (e *Engine) collect(ctx context.Context) {
	e.trimAudit(ctx)
	e.analytics.trim(ctx)
	removed, err := e.store.Collect(ctx)
	switch {
	case err != nil:
		e.logger.Warn("engine: unused modules stay on the disk", "reason", err)
	case removed > 0:
		e.logger.Info("engine: removed unused modules", "count", removed)
	}
	if e.derived == nil {
		return
	}
	if removed, err = e.collectDerived(ctx); err != nil {
		e.logger.Warn("engine: unused derived data stays on the disk", "reason", err)
	} else if removed > 0 {
		e.logger.Info("engine: removed unused derived data", "count", removed)
	}
}

// collectDerived removes the native code of modules that no version has and nothing runs, and
// the snapshots of versions without traffic. What earlier builds of this program made goes with
// its module, or is replaced when that is next needed.
func (e *Engine) collectDerived(ctx context.Context) (removed int, err error) {
	modules, err := e.store.UsedBlobs(ctx)
	if err != nil {
		return 0, err
	}
	versions := e.catalog.deployed()
	return e.derived.Collect(func(name string) bool {
		if id, ok := strings.CutPrefix(name, snapshotFolder); ok {
			return versions[id]
		}
		text, _ := isolate.CodeOf(name)
		hash, err := store.ParseHash(text)
		return err == nil && modules[hash] || e.pools.runtime.Runs(name)
	})
}

func (c *collector) close() {
	c.stop()
	<-c.done
}
