package engine

import (
	"container/list"
	"sync"

	"switchyard/engine/store"
)

// assetCache keeps in memory what serving assets reads from the store: chunks of files, sites
// (configuration and manifest), upload sessions. What was used the longest time ago goes when
// the sum of sizes passes total.
//
// Its keys have an owner, a script for chunks, so that nobody can tell by the time it takes
// whether another one has the same bytes.
type assetCache struct {
	total int64

	mu struct {
		sync.Mutex
		entries map[assetKey]*list.Element // of *keptAsset
		used    list.List                  // most recently used first
		bytes   int64
		hits    uint64
		misses  uint64
	}
}

type assetKey struct {
	owner string
	hash  store.Hash
}

type keptAsset struct {
	key   assetKey
	value any // is not changed any more
	size  int64
}

// keptOverhead is what an entry takes besides its value, in bytes.
const keptOverhead = 256

func newAssetCache(total int64) *assetCache {
	c := &assetCache{total: total}
	c.mu.entries = map[assetKey]*list.Element{}
	return c
}

func (c *assetCache) get(key assetKey) (value any, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.mu.entries[key]
	if !ok {
		c.mu.misses++
		return nil, false
	}
	c.mu.hits++
	c.mu.used.MoveToFront(e)
	return e.Value.(*keptAsset).value, true
}

// put keeps value, unless it is larger than everything together may be.
func (c *assetCache) put(key assetKey, value any, size int64) {
	size += keptOverhead
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.mu.entries[key]; e != nil {
		c.removeLocked(e)
	}
	if size > c.total {
		return
	}
	for c.mu.bytes+size > c.total {
		c.removeLocked(c.mu.used.Back())
	}
	c.mu.entries[key] = c.mu.used.PushFront(&keptAsset{key, value, size})
	c.mu.bytes += size
}

func (c *assetCache) removeLocked(e *list.Element) {
	k := c.mu.used.Remove(e).(*keptAsset)
	delete(c.mu.entries, k.key)
	c.mu.bytes -= k.size
}

// stats returns the bytes that are kept, and how often something was there and was not.
func (c *assetCache) stats() (bytes int64, hits, misses uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.bytes, c.mu.hits, c.mu.misses
}
