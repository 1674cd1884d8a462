package engine

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"switchyard/engine/trace"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

const (
	maxBatch       = 100     // items of one call of a tail Worker
	maxBatchBytes  = 1 << 20 // of their JSON
	maxPending     = 1000    // items that wait for one tail Worker
	maxPendingSize = 8 << 20 // bytes of them
)

// consumers hand items to tail Workers, in batches, away from the calls that they are of. Each tail
// Worker has a queue and, while there is something in it, one goroutine: it takes what is there,
// calls the Worker, and looks again. What does not fit the queue is dropped and counted.
type consumers struct {
	engine        *Engine
	sent, dropped atomic.Uint64
	failed        atomic.Uint64 // items whose tail Worker threw, or is not there
	ctx           context.Context
	cancel        context.CancelFunc
	running       sync.WaitGroup // goroutines of queues; close waits for them
	mu            struct {
		sync.Mutex
		queues map[string]*consumerQueue // by the tail Worker's name; those that are not empty
		closed bool
	}
}

type consumerQueue struct {
	items []queuedItem
	size  int
}

type queuedItem struct {
	text   []byte
	script string
}

func newConsumers(e *Engine) *consumers {
	c := &consumers{engine: e}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.mu.queues = map[string]*consumerQueue{}
	return c
}

// offer queues item for each of the named tail Workers. A tail Worker's own calls go to none:
// they would never end.
func (c *consumers) offer(names []string, item *trace.Item) {
	if _, own := item.Event.(*trace.Consumed); own || len(names) == 0 {
		return
	}
	it := queuedItem{item.Encode(), item.ScriptName}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.offerLocked(name, it)
	}
}

func (c *consumers) offerLocked(name string, it queuedItem) {
	q := c.mu.queues[name]
	switch {
	case c.mu.closed || q != nil && (len(q.items) == maxPending || q.size+len(it.text) > maxPendingSize):
		c.dropped.Add(1)
		return
	case q == nil:
		q = &consumerQueue{}
		c.mu.queues[name] = q
		c.running.Add(1)
		go c.deliver(name, q) // ends when the queue is empty
	}
	q.items = append(q.items, it)
	q.size += len(it.text)
}

// deliver calls the tail Worker until its queue is empty.
func (c *consumers) deliver(name string, q *consumerQueue) {
	defer c.running.Done()
	for {
		batch := c.take(name, q)
		if len(batch) == 0 {
			return
		}
		if err := c.engine.callTail(c.ctx, name, batch); err != nil {
			c.failed.Add(uint64(len(batch)))
		} else {
			c.sent.Add(uint64(len(batch)))
		}
	}
}

// take takes the next batch, and the queue away when there is none.
func (c *consumers) take(name string, q *consumerQueue) []queuedItem {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, size := 0, 0
	for n < len(q.items) && n < maxBatch && (n == 0 || size+len(q.items[n].text) <= maxBatchBytes) {
		size += len(q.items[n].text)
		n++
	}
	batch := slices.Clone(q.items[:n])
	q.items = slices.Delete(q.items, 0, n)
	q.size -= size
	if n == 0 || c.mu.closed {
		delete(c.mu.queues, name)
		return nil
	}
	return batch
}

// close drops what waits, and ends the calls that run.
func (c *consumers) close() {
	c.mu.Lock()
	c.mu.closed = true
	c.mu.Unlock()
	c.cancel()
	c.running.Wait()
}

// callTail calls a tail Worker with a batch: an event of its own, not part of anybody's request.
func (e *Engine) callTail(ctx context.Context, name string, batch []queuedItem) error {
	s := e.catalog.plain.scripts.get(name)
	if s == nil {
		return ErrWorkerNotFound
	}
	texts, consumed := make([][]byte, len(batch)), make([]trace.ConsumedEvent, len(batch))
	for i, it := range batch {
		texts[i], consumed[i] = it.text, trace.ConsumedEvent{ScriptName: it.script}
	}
	body := append(append([]byte{'['}, bytes.Join(texts, []byte{','})...), ']')
	req := &isolate.Request{
		Head: abi.RequestHead(abi.AppendRequestHead(nil, "POST", "http://tail/")), Body: isolate.Body{Bytes: body},
	}
	chain := acquireChain(e.requests.Load())
	defer chain.drop()
	inv := e.acquireInvocation(chain, s, 1)
	inv.call.Kind, inv.consumed = isolate.CallTail, consumed
	resp, err := inv.run(ctx, req)
	if err == nil {
		resp.Release()
	}
	return err
}
