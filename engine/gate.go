package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/isolate"
)

// gate holds the calls of one script to Limits.Concurrent. One that finds no place waits a
// moment, with few others and in turn; a place that is given up goes to whoever waits for longest.
// Nobody takes the lock while there are places.
type gate struct {
	inside  atomic.Int64
	waiting atomic.Int64
	mu      struct {
		sync.Mutex
		queue []chan struct{}
	}
}

const (
	maxGateQueue = 64          // calls that wait at one gate
	gateWait     = time.Second // for which they do
)

// enter takes a place of limit. It returns ErrConcurrent when there is none for too long, or too
// many wait already, and isolate.ErrCanceled.
func (g *gate) enter(ctx context.Context, limit int) error {
	if g.waiting.Load() == 0 && g.take(limit) {
		return nil
	}
	turn, err := g.queue(limit)
	if turn == nil {
		return err
	}
	t := time.NewTimer(gateWait)
	defer t.Stop()
	err = ErrConcurrent
	select {
	case <-turn:
		return nil
	case <-t.C:
	case <-ctx.Done():
		err = isolate.ErrCanceled
	}
	if g.unqueue(turn) {
		return err
	}
	return nil // it was given a place meanwhile
}

func (g *gate) take(limit int) bool {
	for {
		n := g.inside.Load()
		if n >= int64(limit) {
			return false
		}
		if g.inside.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// queue joins the queue; no turn and no error: there was a place after all.
func (g *gate) queue(limit int) (chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.mu.queue) == maxGateQueue {
		return nil, ErrConcurrent
	}
	// Who leaves looks at waiting after it has given its place up: either it sees this call, or
	// this call sees the place.
	g.waiting.Add(1)
	if len(g.mu.queue) == 0 && g.take(limit) {
		g.waiting.Add(-1)
		return nil, nil
	}
	turn := make(chan struct{})
	g.mu.queue = append(g.mu.queue, turn)
	return turn, nil
}

func (g *gate) unqueue(turn chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.mu.queue, turn)
	if i < 0 {
		return false
	}
	g.mu.queue = slices.Delete(g.mu.queue, i, i+1)
	g.waiting.Add(-1)
	return true
}

// leave gives a place up. limit is what it is now; 0: there is none any more.
func (g *gate) leave(limit int) {
	n := g.inside.Add(-1)
	if g.waiting.Load() == 0 || limit > 0 && n >= int64(limit) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.mu.queue) == 0 || limit > 0 && !g.take(limit) {
		return
	}
	if limit == 0 {
		g.inside.Add(1)
	}
	turn := g.mu.queue[0]
	g.mu.queue = slices.Delete(g.mu.queue, 0, 1)
	g.waiting.Add(-1)
	close(turn)
}
