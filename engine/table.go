package engine

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// scriptTable finds a script by its key, name or id, without a lock and without allocating, which sync.Map
// cannot (its string key becomes an interface). Each shard is a map that is never changed once
// readers can see it: an insert copies one shard, a few microseconds at 100,000 scripts.
type scriptTable struct {
	key    func(*script) string
	seed   maphash.Seed
	shards [tableShards]atomic.Pointer[map[string]*script]
	size   atomic.Int64
	mu     struct {
		sync.Mutex // serialises writers of shards
	}
}

const tableShards = 256

func newScriptTable(key func(*script) string) *scriptTable {
	return &scriptTable{key: key, seed: maphash.MakeSeed()}
}

func scriptName(s *script) string { return s.name }
func scriptID(s *script) string   { return s.id }

func (t *scriptTable) shard(key string) *atomic.Pointer[map[string]*script] {
	return &t.shards[maphash.String(t.seed, key)%tableShards]
}

func (t *scriptTable) get(key string) *script {
	if m := t.shard(key).Load(); m != nil {
		return (*m)[key]
	}
	return nil
}

func (t *scriptTable) put(s *script) {
	key := t.key(s)
	t.change(key, func(m map[string]*script) { m[key] = s })
}

// fill puts s while nobody reads the table yet: at start, when copying would be quadratic.
func (t *scriptTable) fill(s *script) {
	shard := t.shard(t.key(s))
	if shard.Load() == nil {
		shard.Store(&map[string]*script{})
	}
	(*shard.Load())[t.key(s)] = s
	t.size.Add(1)
}

func (t *scriptTable) remove(s *script) {
	key := t.key(s)
	t.change(key, func(m map[string]*script) {
		if m[key] == s {
			delete(m, key)
		}
	})
}

func (t *scriptTable) change(key string, edit func(map[string]*script)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	shard := t.shard(key)
	next := map[string]*script{}
	if old := shard.Load(); old != nil {
		next = maps.Clone(*old)
	}
	before := len(next)
	edit(next)
	t.size.Add(int64(len(next) - before))
	shard.Store(&next)
}

// all returns the scripts in the order of their keys.
func (t *scriptTable) all() []*script {
	list := make([]*script, 0, t.size.Load())
	for i := range t.shards {
		if m := t.shards[i].Load(); m != nil {
			list = slices.AppendSeq(list, maps.Values(*m))
		}
	}
	slices.SortFunc(list, func(a, b *script) int { return cmp.Compare(t.key(a), t.key(b)) })
	return list
}
