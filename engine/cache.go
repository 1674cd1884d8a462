package engine

import (
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"switchyard/isolate"
)

// cache is what the Cache API of Workers keeps: responses in memory, by script, name and URL. No script sees
// another's, and what a script has goes when the script does.
//
//	shelves: script ─► shelf: {name, URL} ─► cached     each in two lists, most recently used first:
//	                     shelf.used                     the script's own, bounded by perScript
//	                     used                           everybody's, bounded by total
type cache struct {
	total, perScript int64
	now              func() time.Time

	mu struct {
		sync.Mutex
		shelves map[string]*shelf
		used    list.List // of *cached
		bytes   int64
		reading int64 // of bodies on their way in
	}
}

type shelf struct {
	script  string
	entries map[cacheKey]*cached
	used    list.List // of *cached
	bytes   int64
}

type cacheKey struct{ name, url string }

// cached is a response that is kept. It does not change: many calls may be reading it.
type cached struct {
	key         cacheKey
	shelf       *shelf
	status      int
	headers     []header
	body        []byte
	stored      time.Time
	expires     time.Time
	all, within *list.Element // in cache.used and shelf.used
}

// entryOverhead is what a response takes besides its key, headers and body.
const entryOverhead = 512

func (c *cached) size() int64 {
	n := entryOverhead + len(c.key.name) + len(c.key.url) + len(c.body)
	for _, h := range c.headers {
		n += len(h.name) + len(h.value) + 32
	}
	return int64(n)
}

func newCache(total, perScript int64) *cache {
	c := &cache{total: total, perScript: min(total, perScript), now: time.Now}
	c.mu.shelves = map[string]*shelf{}
	return c
}

// Failures of a call of the Cache API, as the guest sees them.
var (
	errDefaultCache = errors.New("caches.default is not available to untrusted Workers. Use caches.open().")
	errCacheName    = fmt.Errorf("A cache's name has at most %d bytes.", maxCacheName)
)

const maxCacheName = 1024

// cacheCall is the JSON text beside a call's request.
type cacheCall struct {
	Op           string `json:"op"`           // match, put or delete
	Status       int    `json:"status"`       // put: the response's; its headers and body are the request's
	IgnoreMethod bool   `json:"ignoreMethod"` // match, delete
}

// call answers one call of the Cache API. It owns sub.Request, whose URL is the key. A response with the header
// cf-cache-status HIT was found, or deleted; with MISS there is none.
func (c *cache) call(ctx context.Context, inv *invocation, sub *isolate.Subrequest) (*isolate.Response, error) {
	req := sub.Request
	defer req.Release()
	var call cacheCall
	if err := json.Unmarshal(sub.Options, &call); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	if sub.Name == "" && inv.untrusted() {
		return nil, errDefaultCache
	}
	if len(sub.Name) > maxCacheName {
		return nil, errCacheName
	}
	key := cacheKey{sub.Name, withoutFragment(req.Head.URL())}
	switch call.Op {
	case "put":
		return cacheStatus(false), c.put(ctx, inv.script, key, &call, req)
	case "delete":
		return cacheStatus(c.delete(inv.script.id, key)), nil
	case "match":
		return c.match(inv.script.id, key, req.Head.Headers()), nil
	}
	return nil, fmt.Errorf("cache: there is no operation %q", call.Op)
}

func (c *cache) match(script string, key cacheKey, request headerBlock) *isolate.Response {
	e := c.find(script, key)
	if e == nil {
		return cacheStatus(false)
	}
	return e.answer(request, c.now())
}

// find returns what is kept and fresh.
func (c *cache) find(script string, key cacheKey) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entryLocked(script, key)
	if e == nil {
		return nil
	}
	if !c.now().Before(e.expires) {
		c.removeLocked(e)
		return nil
	}
	c.mu.used.MoveToFront(e.all)
	e.shelf.used.MoveToFront(e.within)
	return e
}

func (c *cache) entryLocked(script string, key cacheKey) *cached {
	s := c.mu.shelves[script]
	if s == nil {
		return nil
	}
	return s.entries[key]
}

func (c *cache) delete(script string, key cacheKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entryLocked(script, key)
	if e == nil {
		return false
	}
	c.removeLocked(e)
	return c.now().Before(e.expires)
}

// put keeps a response when its headers allow it and there is room for it. Else nothing is kept, and that is no
// error.
func (c *cache) put(ctx context.Context, s *script, key cacheKey, call *cacheCall, req *isolate.Request) error {
	headers, lifetime := keepable(call.Status, req.Head.Headers(), c.now())
	if lifetime <= 0 {
		return nil
	}
	body, err := c.read(ctx, &req.Body)
	if err != nil || body == nil {
		return err
	}
	now := c.now()
	c.store(s.id, &cached{key: key, status: call.Status, headers: headers, body: body, stored: now, expires: now.Add(lifetime)})
	if s.pick() == nil { // deleted meanwhile
		c.drop(s.id)
	}
	return nil
}

// readPiece is how much of a body is read at once.
const readPiece = 64 << 10

// read reads a whole body; nil: it is too big, alone or together with others that are being read.
func (c *cache) read(ctx context.Context, body *isolate.Body) ([]byte, error) {
	if int64(len(body.Bytes)) > c.perScript || body.Stream != nil && body.Length > c.perScript {
		return nil, nil
	}
	if body.Stream == nil {
		return append([]byte{}, body.Bytes...), nil
	}
	stop := context.AfterFunc(ctx, func() { body.Stream.Close() })
	defer stop()
	all, reserved := []byte{}, int64(0)
	defer func() { c.reserve(-reserved) }()
	for {
		if !c.reserve(readPiece) {
			return nil, nil
		}
		reserved += readPiece
		piece, err := io.ReadAll(io.LimitReader(body.Stream, readPiece))
		all = append(all, piece...)
		if err != nil {
			return nil, err
		}
		if len(piece) < readPiece {
			return all, ctx.Err()
		}
		if int64(len(all)) > c.perScript {
			return nil, nil
		}
	}
}

// reserve counts n more bytes that are being read; false: there are too many.
func (c *cache) reserve(n int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && c.mu.reading+n > c.total {
		return false
	}
	c.mu.reading += n
	return true
}

// store keeps e in place of what was there, and drops what there is no room for.
func (c *cache) store(script string, e *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entryLocked(script, e.key); old != nil {
		c.removeLocked(old)
	}
	n := e.size()
	if n > c.perScript {
		return
	}
	s := c.shelfLocked(script)
	for s.bytes+n > c.perScript {
		c.removeLocked(s.used.Back().Value.(*cached))
	}
	for c.mu.bytes+n > c.total {
		c.removeLocked(c.mu.used.Back().Value.(*cached))
	}
	c.mu.shelves[script] = s // it may have been emptied
	e.shelf = s
	s.entries[e.key] = e
	e.all, e.within = c.mu.used.PushFront(e), s.used.PushFront(e)
	s.bytes += n
	c.mu.bytes += n
}

func (c *cache) shelfLocked(script string) *shelf {
	s := c.mu.shelves[script]
	if s == nil {
		s = &shelf{script: script, entries: map[cacheKey]*cached{}}
	}
	return s
}

func (c *cache) removeLocked(e *cached) {
	s, n := e.shelf, e.size()
	delete(s.entries, e.key)
	s.used.Remove(e.within)
	c.mu.used.Remove(e.all)
	s.bytes -= n
	c.mu.bytes -= n
	if len(s.entries) == 0 {
		delete(c.mu.shelves, s.script)
	}
}

// drop forgets all that a script has.
func (c *cache) drop(script string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.mu.shelves[script]; s != nil {
		for s.used.Len() > 0 {
			c.removeLocked(s.used.Back().Value.(*cached))
		}
	}
}
